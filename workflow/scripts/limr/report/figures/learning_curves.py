"""Example learning curves against the mean curve, with their scores: the paper's figure 2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from limr.analysis import results, subset_records
from limr.core.errors import InputError, nearest
from limr.core.validation import Keys, key
from limr.report.figures import _style
from limr.trajectories import curves as tr

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "Learning curves and their scores"
REQUIRES = ("trajectories", "scores", "subsets")


class Options(Keys):
    """Keys of `figures.learning-curves`."""

    score: str | None = key(None, "The score to show; null: that of the first chosen subset.")
    curves: int = key(
        300, "Most problems whose curves the bands are made from, evenly spaced by score.", ge=0
    )


# The six examples' places in the order of scores, from the best (0) to the worst (1).
EXAMPLES = (0.0, 0.15, 0.4, 0.6, 0.85, 1.0)
# In grey, kept is the darker one.
MARKED = 16  # epochs; of more, no single one is marked
KEPT, LEFT, LEFT_TEXT = "#C24E00", "#8FB0D0", "#41658A"


def data(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per shown problem and epoch, and the mean curve.

    Returns:
        role ("mean", "background" or "example"), problem_id, epoch (from 1), accuracy, score,
        kept (whether the subset holds it), n (problems in the mean).

    Raises:
        InputError: the score has no learning curves, or no problem a complete one.
    """
    record = subset_records.scored_by(inputs, options["score"])
    source = str(record.get("trajectories"))
    if source not in inputs.trajectories:
        raise InputError(
            f"figure 'learning-curves': the score '{record['score']}' has no learning curves."
            f"{nearest(source, inputs.trajectories)}"
        )
    scores = inputs.scores[record["score"]]
    scores = scores.sort_values(["score", "problem_id"], ascending=[False, True])  # NaN last
    ids = list(scores["problem_id"])
    made = record.get("options") or {}
    curves = tr.curves(
        tr.samples(inputs.trajectories[source], ids),
        made.get("epochs"),
        made.get("missing", tr.MISSING_RULES[0]),
    )
    rows = np.flatnonzero(curves.usable & scores["score"].notna().to_numpy())
    if not len(rows):
        raise InputError("figure 'learning-curves': no problem with a score has a whole curve.")
    shown = np.unique(rows[_spread(len(rows), min(options["curves"], len(rows)))])
    # Of few problems, some are several examples at once.
    examples = dict.fromkeys(int(rows[round(q * (len(rows) - 1))]) for q in EXAMPLES)
    kept = _kept(record, scores)
    parts = [_mean(curves, int(curves.usable.sum()))]
    for role, chosen in (("background", shown), ("example", examples)):
        parts += [_curve(role, ids[i], curves.accuracy[i], scores, i, kept) for i in chosen]
    return pd.concat(parts, ignore_index=True)


def _spread(n: int, k: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.linspace(0, n - 1, k).round().astype(np.int64)


def _kept(record: Mapping[str, Any], scores: pd.DataFrame) -> set[str]:
    if "problem_ids" in record:
        return set(record["problem_ids"])
    lowest = record["selected_score_range"][0]
    return set(scores.loc[scores["score"] >= lowest, "problem_id"])


def _mean(curves: tr.Curves, n: int) -> pd.DataFrame:
    epochs = np.arange(1, len(curves.mean) + 1)
    return pd.DataFrame({"role": "mean", "epoch": epochs, "accuracy": curves.mean, "n": n})


def _curve(
    role: str, key: str, accuracy: tr.Floats, scores: pd.DataFrame, place: int, kept: set[str]
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "role": role,
            "problem_id": key,
            "epoch": np.arange(1, len(accuracy) + 1),
            "accuracy": accuracy,
            "score": scores["score"].iloc[place],
            "kept": key in kept,
        }
    )


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw where half of the curves lie and their mean on the left, six examples on the right."""
    drawn = _style.figure(11.0, 4.8)
    grid = drawn.add_gridspec(2, 5, width_ratios=[1.15, 1.15, 1, 1, 1])
    mean = frame[frame["role"] == "mean"]
    whole = drawn.add_subplot(grid[:, :2])
    _draw_all(whole, frame[frame["role"] == "background"], mean)
    examples = frame[frame["role"] == "example"]
    for place, (_, rows) in enumerate(examples.groupby("problem_id", sort=False)):
        ax = drawn.add_subplot(grid[place // 3, 2 + place % 3])
        _draw_example(ax, rows, mean)
        ax.set_xlabel("epoch" if place >= 3 else "")
        if place % 3:
            ax.tick_params(labelleft=False)
        if place < 3:
            ax.tick_params(labelbottom=False)
    return drawn


def _draw_all(ax: Axes, rows: pd.DataFrame, mean: pd.DataFrame) -> None:
    from matplotlib.colors import to_rgba

    for kept, colour, hatch in ((False, LEFT, ""), (True, KEPT, "////")):
        own = rows.loc[rows["kept"] == kept].groupby("epoch")["accuracy"]
        if len(own):
            low, middle, high = (own.quantile(share) for share in (0.25, 0.5, 0.75))
            look: dict[str, Any] = {"facecolor": to_rgba(colour, 0.3), "edgecolor": "white"}
            look |= {"linewidth": 0, "hatch": hatch}
            ax.fill_between(middle.index, low, high, label="kept" if kept else "left out", **look)
            ax.plot(middle.index, middle, color=colour, linewidth=1.8)
    ax.legend(loc="upper left", fontsize=9)
    ax.plot(mean["epoch"], mean["accuracy"], color="white", linewidth=5.5, solid_capstyle="round")
    ax.plot(mean["epoch"], mean["accuracy"], color=_style.INK, linewidth=3, marker="o")
    end = mean.iloc[-1]
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5}
    look = {"ha": "right", "fontweight": "bold", "bbox": box}
    _style.note(ax, "mean curve", (end["epoch"], end["accuracy"]), (-6, 12), **look)
    ax.set_title("Where half of the problems lie")
    ax.set_xlabel("epoch")
    ax.set_ylabel("accuracy of the epoch's rollouts")
    _epochs(ax, mean)


def _draw_example(ax: Axes, rows: pd.DataFrame, mean: pd.DataFrame) -> None:
    first = rows.iloc[0]
    colour = KEPT if first["kept"] else LEFT_TEXT
    ax.plot(mean["epoch"], mean["accuracy"], color=_style.INK, linewidth=1.6, linestyle="--")
    ax.fill_between(rows["epoch"], mean["accuracy"], rows["accuracy"], color=colour, alpha=0.15)
    marker = "" if len(rows) > MARKED else "o" if first["kept"] else "s"
    look: dict[str, Any] = {"marker": marker, "markeredgewidth": 0.75, "markeredgecolor": "white"}
    ax.plot(rows["epoch"], rows["accuracy"], color=colour, linewidth=2, **look)
    ax.set_xlabel("epoch")
    word = "kept" if first["kept"] else "left out"
    score = f"{first['score'] + 0.0:.2f}".replace("-", "−")
    ax.set_title(f"score {score}, {word}", color=colour)
    ax.set_ylabel("")
    _epochs(ax, mean)


def _epochs(ax: Axes, mean: pd.DataFrame) -> None:
    ax.set_ylim(-0.06, 1.06)
    last = int(mean["epoch"].max())
    ax.set_xticks(range(1, last + 1, max(1, -(-last // 8))))


def caption(frame: pd.DataFrame) -> str:
    """Say what the curves are."""
    n = int(frame["n"].max())
    shown = frame.loc[frame["role"] == "background", "problem_id"].nunique()
    epochs = int(frame["epoch"].max())
    return (
        f"Left: accuracy of {shown:,} of {n:,} problems over {epochs} epochs; in each epoch the "
        "middle half of the kept and of the left-out ones lies within the band, around the "
        f"median, and the thick line is the mean curve of all {n:,}. Right: six problems from the "
        "best score to the worst, each against the mean curve (dashed), with its score; the "
        "shaded area is what the score punishes. One run, so there is no interval."
    )

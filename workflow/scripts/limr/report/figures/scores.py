"""The distribution of a score, and how many problems each threshold would keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from limr.analysis import results, subset_records
from limr.core.validation import Keys, Number, key
from limr.report.figures import _style
from limr.scores.thresholds import THRESHOLDS
from limr.trajectories import curves as tr

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "Scores and thresholds"
REQUIRES = ("trajectories", "scores", "subsets")


class Options(Keys):
    """Keys of `figures.scores`."""

    score: str | None = key(None, "The score to show; null: that of the first chosen subset.")
    lowest: Number = key(-1.5, "Scores below this are counted in the first bar.")


HATCHES = {"never": "////", "always": "\\\\\\\\"}


def data(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per scored problem: problem_id, score, solved, and the cut that was made.

    `solved` is never, sometimes or always, over all recorded epochs; unknown without curves.
    """
    record = subset_records.scored_by(inputs, options["score"])
    frame = inputs.scores[record["score"]]
    scored = frame.dropna(subset="score")[["problem_id", "score"]].reset_index(drop=True)
    source = str(record.get("trajectories"))
    curves = inputs.trajectories.get(source)
    solved = tr.solved(curves) if curves is not None else {}
    return scored.assign(
        solved=scored["problem_id"].map(solved).astype(object).fillna("unknown"),
        threshold=record["rule"].get("threshold", record["selected_score_range"][0]),
        n_selected=record["n_selected"],
        n_problems=len(frame),
        score_name=record["score"],
    )


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw the distribution on the left, the size of the subset by threshold on the right."""
    drawn = _style.figure(10.4, 4.2)
    left, right = drawn.subplots(1, 2, width_ratios=[1.35, 1])
    _draw_distribution(left, frame, options["lowest"])
    _draw_sizes(right, frame)
    _legend(drawn, frame)
    return drawn


def _legend(drawn: Figure, frame: pd.DataFrame) -> None:
    from matplotlib.patches import Patch

    counts = frame["solved"].value_counts()
    kinds = [kind for kind in _style.SOLVED if kind in counts and kind != "unknown"]
    if kinds:
        handles = [
            Patch(facecolor=_style.SOLVED[kind], edgecolor="white", hatch=2 * HATCHES.get(kind, ""))
            for kind in kinds
        ]
        labels = [f"{kind} solved: {counts[kind]}" for kind in kinds]
        drawn.legend(handles, labels, loc="outside upper left", ncols=len(kinds), fontsize=10)


def _draw_distribution(ax: Axes, frame: pd.DataFrame, lowest: float) -> None:
    import seaborn as sns

    lowest = max(lowest, float(np.floor(frame["score"].min() * 10) / 10))
    kinds = [kind for kind in _style.SOLVED if (frame["solved"] == kind).any()]
    highest = max(1.0, float(frame["score"].max()))

    sns.histplot(
        frame.assign(score=frame["score"].clip(lower=lowest)),
        x="score",
        hue="solved",
        hue_order=kinds,
        palette=_style.SOLVED,
        multiple="stack",
        bins=[float(edge) for edge in np.linspace(lowest, highest, 41)],
        alpha=0.9,
        edgecolor="white",
        linewidth=0.6,
        legend=False,
        ax=ax,
    )
    _hatch(ax, kinds)
    threshold, n = frame["threshold"].iloc[0], frame["n_selected"].iloc[0]
    ax.set_ylim(top=ax.get_ylim()[1] * 1.18)
    text = f"kept from {threshold:.2g}: {n:,} of {frame['n_problems'].iloc[0]:,}"
    _style.draw_cut(ax, threshold, text)
    ax.set_xlabel(_style.score_label(frame["score"], lowest))
    ax.set_ylabel("problems")
    ax.set_title(f"Distribution of '{frame['score_name'].iloc[0]}'")


def _hatch(ax: Axes, kinds: list[str]) -> None:
    """Tell the kinds apart in grey; Seaborn adds them from the last to the first."""
    for bars, kind in zip(ax.containers, reversed(kinds), strict=True):
        for bar in bars:
            bar.set_hatch(HATCHES.get(kind, ""))


def _draw_sizes(ax: Axes, frame: pd.DataFrame) -> None:
    ordered = np.sort(frame["score"].to_numpy(float))
    grid = np.linspace(0, 1, 201)
    ax.plot(grid, [int((ordered >= at).sum()) for at in grid], color="#3F4E8C", linewidth=2)
    for at in THRESHOLDS:
        n = int((ordered >= at).sum())
        ax.plot([at], [n], "o", color="#3F4E8C", markersize=5)
        _style.note(ax, f"{n:,}", (at, n), (4, 5), fontsize=9)
    threshold, n = float(frame["threshold"].iloc[0]), int(frame["n_selected"].iloc[0])
    ax.plot([threshold], [n], "o", color=_style.INK, markersize=9, zorder=3)
    ax.set_xlim(0, 1.02)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("threshold (score ≥)")
    ax.set_ylabel("problems kept")
    ax.set_title("Subset size by threshold")


def caption(frame: pd.DataFrame) -> str:
    """Say what was scored and what was kept."""
    never = int((frame["solved"] == "never").sum())
    kept = frame[(frame["solved"] == "never") & (frame["score"] >= frame["threshold"])]
    note = f" {len(kept)} of the {never} never-solved problems reach the cut." if never else ""
    gone = int(frame["n_problems"].iloc[0]) - len(frame)
    more = f"; {gone:,} more could not be scored" if gone else ""
    known = (
        ""
        if (frame["solved"] == "unknown").all()
        else (", by whether a problem was ever solved, over all epochs")
    )
    return (
        f"Scores '{frame['score_name'].iloc[0]}' of {len(frame):,} problems{more}. Left: their "
        f"distribution{known}. Right: problems kept by each threshold; the large dot is this "
        f"study's cut.{note}"
    )

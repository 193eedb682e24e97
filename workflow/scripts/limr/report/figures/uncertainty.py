"""How sure scores and selections are: intervals by rank, and the chance to be selected again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from limr.analysis import results, which_scores
from limr.core.validation import Keys, key
from limr.report.figures import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "How sure scores and selections are"
REQUIRES = ("diagnostics", "scores", "subsets")


class Options(Keys):
    """Keys of `figures.uncertainty`."""

    score: str | None = key(
        None,
        "The score whose intervals are shown; null: that of the first subset cut from a diagnosed"
        " score.",
    )
    scores: which_scores.Names = None
    intervals: int = key(120, "Most problems shown with an interval, evenly spaced by rank.", ge=2)


FARTHEST = 3.0  # right panel: ranks up to so many times the size of the selection
BINS = 12  # of ranks, up to the size of the selection


def data(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return the problems that are shown, and the curve of each score.

    Returns:
        role ("problem", or "curve": a mean over neighbouring ranks), score_name, colour, rank (from
        1, of the best score), relative_rank (rank / size of the selection), probability (to be
        selected); for problems problem_id, score, low, high, selected; n (problems with a score),
        n_selected, rule (in words), draws, level.
    """
    where = "figure 'uncertainty'"
    names = which_scores.diagnosed(inputs, options["scores"], where)
    main = which_scores.main(inputs, options["score"], names, where)
    colours = _style.score_colours(inputs)
    parts = [_problems(inputs.diagnostics[main].problems, options["intervals"], main)]
    parts += [_curve(inputs.diagnostics[name].problems, name) for name in names]
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(colour=frame["score_name"].map(lambda n: colours.get(n, _style.BASE)))


def _ranked(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    scored = frame.dropna(subset="score").sort_values(
        ["score", "probability", "problem_id"], ascending=[False, False, True]
    )
    rank, n_selected = np.arange(1, len(scored) + 1), int(scored["selected"].sum())
    return scored.assign(
        score_name=name,
        rank=rank,
        relative_rank=rank / max(1, n_selected),
        n=len(scored),
        n_selected=n_selected,
    )


def _problems(frame: pd.DataFrame, most: int, name: str) -> pd.DataFrame:
    ranked = _ranked(frame, name)
    chosen = np.unique(np.linspace(0, len(ranked) - 1, min(most, len(ranked))).round().astype(int))
    return ranked.iloc[chosen].drop(columns="standard_error").assign(role="problem")


def _curve(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    ranked = _ranked(frame, name)
    width = max(1, int(ranked["n_selected"].iloc[0]) // BINS)
    kept = ["score_name", "rank", "relative_rank", "probability", "n", "n_selected", "draws"]
    means = ranked.groupby((ranked["rank"] - 1) // width)[kept[1:]].mean()
    rule, level = ranked["rule"].iloc[0], ranked["level"].iloc[0]
    return means.assign(score_name=name, role="curve", rule=rule, level=level)


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw one score's intervals on the left, all scores' chance to be selected on the right."""
    drawn = _style.figure(11.0, 4.6)
    left, right = drawn.subplots(1, 2, width_ratios=[1.25, 1])
    _draw_intervals(left, frame[frame["role"] == "problem"])
    _draw_curves(right, frame[frame["role"] == "curve"])
    return drawn


def _draw_intervals(ax: Axes, rows: pd.DataFrame) -> None:
    first = rows.iloc[0]
    for selected, colour in ((False, "#9AA5B1"), (True, first["colour"])):
        part = rows[rows["selected"].astype(bool) == selected]
        ax.vlines(part["rank"], part["low"], part["high"], color=colour, linewidth=1.3, alpha=0.75)
        outside = is_outside(part)
        ax.plot(part["rank"][~outside], part["score"][~outside], "o", color=colour, markersize=3)
        # Not the middle of its interval, and not a mistake: see `caption`.
        ax.plot(
            part["rank"][outside], part["score"][outside], "o", color=colour, markersize=4.5,
            markerfacecolor="white",
        )  # fmt: skip
    # Where nothing has an interval, points are all that there is to show.
    low = float(np.nanquantile(rows[["low", "score"]].min(axis=1), 0.04))
    high = float(rows[["high", "score"]].max().max())
    ax.set_ylim(low - 0.05 * (high - low), high + 0.08 * (high - low))
    ax.axvline(first["n_selected"] + 0.5, color=_style.INK, linewidth=1.2)
    text = f"selected: {int(first['n_selected']):,} ({first['rule']})"
    at = (first["n_selected"] + 0.5, 0.98)
    _style.note(ax, text, at, (6, 0), ("data", "axes fraction"), va="top", fontweight="bold")
    ax.set_xlabel(f"rank, of {int(first['n']):,} problems with a score")
    ax.set_ylabel(f"score '{first['score_name']}'")
    title = f"{100 * first['level']:g} % intervals of '{first['score_name']}'"
    ax.set_title(title if rows["low"].notna().any() else f"'{first['score_name']}': no intervals")


def is_outside(rows: pd.DataFrame) -> pd.Series[bool]:
    """Return whether a score lies outside its interval, which is that of the true rates' score."""
    return (rows["score"] < rows["low"]) | (rows["score"] > rows["high"])


def _draw_curves(ax: Axes, rows: pd.DataFrame) -> None:
    near = rows[rows["relative_rank"] <= FARTHEST]
    ax.plot([0, 1, 1, FARTHEST], [1, 1, 0, 0], color=_style.BASE, linestyle=":", linewidth=1.3)
    names = list(near["score_name"].unique())
    for place, (name, part) in enumerate(near.groupby("score_name", sort=False)):
        ax.plot(
            part["relative_rank"], part["probability"], color=part["colour"].iloc[0],
            linewidth=_style.width(place), label=name,
            linestyle=_style.marks(place)["linestyle"],
        )  # fmt: skip
    ax.set_xlim(0, FARTHEST)
    ax.set_ylim(-0.03, 1.05)
    ax.set_xlabel("rank / size of the selection")
    ax.set_ylabel("share of the draws that select it")
    ax.set_title("Selected again, by rank")
    if names:
        ax.legend(loc="upper right", fontsize=9)


def caption(frame: pd.DataFrame) -> str:
    """Say what was drawn again, how often, and what intervals and curves are."""
    first = frame.iloc[0]
    shown = frame[frame["role"] == "problem"]
    shown_n, n_outside = len(shown), int(is_outside(shown).sum())
    hollow = (
        f"Hollow: scores outside of their interval ({n_outside:,} here). That is no contradiction: "
        "the interval is where the score of the true rates lies; a score that is shrunk is drawn "
        "towards what is common among all problems, the further the less was seen of its own. "
        if n_outside
        else ""
    )
    return (
        f"All samples drawn again {int(first['draws']):,} times from each problem's own rates, "
        f"and all scores computed again. Left: {shown_n:,} of the {int(first['n']):,} problems "
        f"with a score '{first['score_name']}', evenly spaced by rank, with the "
        f"{100 * first['level']:g} % interval of the expected score; coloured ones are selected. "
        f"{hollow}Draws are centred on the observed score, so an interval may pass the end of its "
        "range. "
        "Right: share of the draws in which the cut selects a problem, by its rank (means over "
        "neighbouring ranks); dotted: a selection that no noise could change. The noise is that of "
        "the samples of one run; another run of the training would add its own."
    )

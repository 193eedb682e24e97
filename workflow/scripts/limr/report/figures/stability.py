"""How many epochs a score needs: the first epochs against all, with a noise ceiling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from limr.analysis import results, which_scores
from limr.core.validation import Keys
from limr.report.figures import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "Scores from the first epochs"
REQUIRES = ("diagnostics", "scores", "subsets")


class Options(Keys):
    """Keys of `figures.stability`."""

    scores: which_scores.Names = None


MARKED = 8  # points that are marked on a line, about
LABELS_APART = 0.06  # of the vertical axis, where two labels can be read
PANELS = {"spearman": "Rank correlation with all epochs", "overlap": "Overlap of the best"}


def data(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return `limr.core.tables.STABILITY` of every shown score, with score and colour."""
    colours = _style.score_colours(inputs)
    parts = [
        inputs.diagnostics[name].epochs.assign(score=name, colour=colours.get(name, _style.BASE))
        for name in which_scores.diagnosed(inputs, options["scores"], "figure 'stability'")
    ]
    return pd.concat(parts, ignore_index=True)


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw rank correlation on the left, overlap of the best on the right."""
    drawn = _style.figure(10.4, 4.6)
    axes = drawn.subplots(1, 2)
    for ax, (value, title) in zip(axes, PANELS.items(), strict=True):
        _draw_panel(ax, frame.dropna(subset=value), value)
        ax.set_title(title)
        last = int(frame["n_epochs"].max()) if len(frame) else 1
        ax.set_xlim(0.5, max(last, 2) - 0.5)
        ax.set_xlabel(f"first epochs, of {_of(frame)}")
        ax.xaxis.get_major_locator().set_params(integer=True)
    _draw_chance(axes[1], frame.dropna(subset="overlap"))
    if len(frame):
        _draw_legend(drawn, frame)
    return drawn


def _of(frame: pd.DataFrame) -> str:
    """Return how many epochs there are, in words: scores may use different numbers."""
    known = sorted({int(n) for n in frame["n_epochs"]}) or [1]
    return f"{known[0]} to {known[-1]}" if len(known) > 1 else str(known[0])


def _draw_panel(ax: Axes, frame: pd.DataFrame, value: str) -> None:
    lines = frame[frame["kind"] == "first"]
    for place, (name, rows) in enumerate(lines.groupby("score", sort=False)):
        colour = rows["colour"].iloc[0]
        x, y = rows["epochs"], rows[value]
        ax.plot(
            x, y, color=colour, linewidth=_style.width(place), markersize=6,
            markeredgecolor="white", marker=_style.MARKERS[place % len(_style.MARKERS)],
            markevery=max(1, len(rows) // MARKED),
        )  # fmt: skip
        if value == "overlap":
            ax.fill_between(x, rows["low"], rows["high"], color=colour, alpha=0.13, linewidth=0)
        halves = frame[(frame["score"] == name) & (frame["kind"] == "odd-even")]
        for level in halves[value]:
            ax.axhline(level, color=colour, linestyle="--", linewidth=1.2, zorder=1)
    if len(lines) and value == "spearman":
        ax.set_ylim(np.floor(5 * frame[value].min()) / 5, 1.02)
    else:
        ax.set_ylim(0.0, 1.02)
    if not len(lines):
        ax.text(0.5, 0.5, "nothing to compare", transform=ax.transAxes, ha="center", va="center")


def _draw_chance(ax: Axes, frame: pd.DataFrame) -> None:
    """Draw what scores share by chance: in a score's colour where others have another chance."""
    means = frame.groupby("score", sort=False).agg({"chance": "mean", "colour": "first"})
    written = -1.0
    for _, rows in means.groupby(means["chance"].round(2)):
        colour = rows["colour"].iloc[0] if 1 == len(rows) < len(means) else _style.BASE
        at = rows["chance"].mean()
        ax.axhline(at, color=colour, linestyle=":", linewidth=1.5, zorder=1)
        if at - written > LABELS_APART:
            look = {"color": _style.BASE, "va": "center", "fontsize": 9}
            _style.note(ax, "chance", (1.0, at), (5, 0), ("axes fraction", "data"), **look)
            written = at


def _draw_legend(drawn: Figure, frame: pd.DataFrame) -> None:
    from matplotlib.lines import Line2D

    names = frame.drop_duplicates("score")
    handles = [
        Line2D([], [], color=colour, linewidth=2.4, markersize=6, markeredgecolor="white",
               marker=_style.MARKERS[place % len(_style.MARKERS)])
        for place, colour in enumerate(names["colour"])
    ]  # fmt: skip
    handles.append(Line2D([], [], color=_style.BASE, linewidth=1.2, linestyle="--"))
    labels = [*names["score"], "odd against even epochs"]
    drawn.legend(handles, labels, loc="outside upper left", ncols=min(len(labels), 7), fontsize=9.5)


def caption(frame: pd.DataFrame) -> str:
    """Say what is compared, what the band covers, and what the dashed lines are."""
    if frame.empty:
        return "The learning curves have one epoch only, so that no part of them can be compared."
    n, size, level = int(frame["n"].max()), int(frame["size"].max()), frame["level"].iloc[0]
    return (
        "Each score from the first epochs against the same score from all "
        f"{_of(frame)}, over up to {n:,} problems that both could score: rank "
        f"correlation, and the share of the best (up to {size:,}) that both have. Dashed: the "
        "score from odd epochs against that from even ones, which share no sample: about as far as "
        "half of the samples agree with the other half, a noise ceiling. The first epochs are part "
        f"of all epochs and may pass it. Bands: Wilson's {100 * level:g} % interval of the "
        "overlap; it is over problems and does not cover other samples of the same problems. One "
        "run."
    )

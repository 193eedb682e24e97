"""Accuracy at the end by arm and benchmark, as bars with intervals: the paper's figure 1b."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from limr.analysis import contrasts, results
from limr.core.errors import InputError, nearest
from limr.core.validation import Keys, key
from limr.report.figures import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "Accuracy at the end of training"
REQUIRES = ("evaluations", "subsets")
MANY = 10
HATCHES = ("", "////", "....", "xxxx", "\\\\\\\\", "++++", "oo", "--")


class Options(Keys):
    """Keys of `figures.final-accuracy`."""

    arms: list[str] | None = key(
        None, "Arms to show, in this order; null: all, in the study's order."
    )


def data(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row a benchmark and group: accuracy in percent with its interval.

    Raises:
        InputError: there is no such arm.
    """
    known = {group.name: group for group in results.evaluated_groups(inputs)}
    for name in options["arms"] or ():
        if name not in known:
            raise InputError(
                f"figure 'final-accuracy': there is no evaluated arm '{name}'."
                f"{nearest(name, known)}"
            )
    colours, places = _style.colours(inputs), _style.places(inputs)
    rows = []
    for benchmark, title in results.benchmarks(inputs).items():
        for name in options["arms"] or known:
            found = contrasts.group_interval(inputs, name, [benchmark])
            rows.append(
                {
                    "panel": title,
                    "group": name,
                    "title": known[name].title,
                    "colour": colours[name],
                    "mark": places[name],
                    "accuracy": 100 * found.mean,
                    "low": 100 * found.low,
                    "high": 100 * found.high,
                    "n_runs": found.n_runs,
                    "questions": found.n_questions,
                    "step": results.reported_step(inputs, name),
                    "level": 100 * results.declared(inputs).level,
                }
            )
    return pd.DataFrame(rows)


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw one panel a benchmark, bars from zero with their intervals and values."""
    panels, groups = list(frame["panel"].unique()), list(frame["title"].unique())
    # Of many arms, one panel below the other: side by side nobody could read them.
    columns = 1 if len(groups) > MANY else min(3, len(panels))
    rows = -(-len(panels) // columns)
    width = max(2.2, 0.52 * len(groups)) * columns + 1.0
    drawn = _style.figure(max(width, 5.6), 0.3 + 3.5 * rows)
    axes = drawn.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    for ax in axes[len(panels) :]:
        ax.set_visible(False)
    for place, (ax, panel) in enumerate(zip(axes, panels, strict=False)):
        part = frame[frame["panel"] == panel]
        _draw_bars(ax, part)
        ax.set_ylim(0, max(1.0, 1.12 * float(frame["high"].max())))
        ax.set_title(f"{panel} (n = {int(part['questions'].max()):,})")
        ax.set_ylabel("% correct" if place % columns == 0 else "")
    return drawn


def _draw_bars(ax: Axes, part: pd.DataFrame) -> None:
    places = np.arange(len(part))
    bars = ax.bar(places, part["accuracy"], width=0.72, color=part["colour"], edgecolor="white")
    for bar, mark in zip(bars, part["mark"], strict=True):
        bar.set_hatch(HATCHES[int(mark) % len(HATCHES)] if mark >= 0 else "")
    reach = [part["accuracy"] - part["low"], part["high"] - part["accuracy"]]
    ax.errorbar(
        places,
        part["accuracy"],
        yerr=reach,
        fmt="none",
        ecolor=_style.INK,
        elinewidth=1.3,
        capsize=3,
    )
    for place, value, high in zip(places, part["accuracy"], part["high"], strict=True):
        ax.annotate(
            f"{value:.1f}", (place, high), xytext=(0, 3), textcoords="offset points",
            ha="center", fontsize=9,
        )  # fmt: skip
    ax.set_xticks(places, list(part["title"]), rotation=40, ha="right", rotation_mode="anchor")
    ax.grid(False, axis="x")


def caption(frame: pd.DataFrame) -> str:
    """Say what bars and intervals are."""
    runs = dict(zip(frame["title"], frame["n_runs"], strict=True))
    counts = ", ".join(f"{title} {n}" for title, n in runs.items())
    return (
        "Accuracy at each arm's reported step and each benchmark's first decoding; n counts "
        "questions. Bars: mean over runs and questions, from zero; lines: the "
        f"{frame['level'].max():g} % "
        f"interval over both (number of runs: {counts}). Bars whose intervals overlap may still "
        "differ: arms answer the same questions."
    )

"""Accuracy at the end by arm and benchmark, as bars with intervals: the paper's figure 1b."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

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


class Options(Keys):
    """Keys of `figures.final-accuracy`."""

    arms: list[str] | None = key(
        None, "Arms to show, in this order; null: all, in the study's order."
    )


def data(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per benchmark and group: accuracy in percent with its interval.

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
    colours = _style.colours(inputs)
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
                    "mark": _style.place(colours[name]),
                    **found.percent("accuracy"),
                    "n_runs": found.n_runs,
                    "questions": found.n_questions,
                    "step": results.reported_step(inputs, name),
                    "level": 100 * results.declared(inputs).level,
                }
            )
    return pd.DataFrame(rows)


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw one panel per benchmark, dots with their intervals and values."""
    n_panels, n_groups = frame["panel"].nunique(), frame["title"].nunique()
    # With many arms, panels go below one another: side by side nobody could read them.
    columns = 1 if n_groups > MANY else min(3, n_panels)
    width = max(2.2, 0.52 * n_groups) * columns + 1.0
    drawn = _style.figure(max(width, 5.6), 0.3 + 3.5 * -(-n_panels // columns))
    _style.panels(drawn, frame, columns, _draw_dots, sharey=True)
    return drawn


def _draw_dots(ax: Axes, part: pd.DataFrame) -> None:
    places = list(range(len(part)))
    ax.vlines(places, part["low"], part["high"], color=list(part["colour"]), linewidth=2.2)
    for place, row in zip(places, part.to_dict("records"), strict=True):
        marker = _style.marks(int(row["mark"]))["marker"] or "o"
        ax.plot([place], [row["accuracy"]], marker=marker, color=row["colour"], markersize=8,
                markeredgecolor="white", linestyle="none")  # fmt: skip
    ax.set_xlim(-0.6, len(part) - 0.4)
    ax.margins(y=0.1)
    for place, value, high in zip(places, part["accuracy"], part["high"], strict=True):
        _style.note(ax, f"{value:.1f}", (place, high), (0, 3), ha="center", fontsize=9)
    ax.set_xticks(places, list(part["title"]), rotation=40, ha="right", rotation_mode="anchor")
    ax.grid(False, axis="x")


def caption(frame: pd.DataFrame) -> str:
    """Say what dots and intervals are."""
    runs = dict(zip(frame["title"], frame["n_runs"], strict=True))
    counts = ", ".join(f"{title} {n}" for title, n in runs.items())
    return (
        "Accuracy at each arm's reported step and each benchmark's first decoding; n counts "
        "questions. Dots: mean over runs and questions; lines: the "
        f"{frame['level'].max():g} % "
        f"interval over both (number of runs: {counts}). The axis does not begin at 0. Dots "
        "whose intervals overlap may still differ: arms answer the same questions."
    )

"""Where choosing pays: a heat map of the differences of every pair over the cells of a sweep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from limr.analysis.number_text import signed
from limr.analysis.results import Inputs
from limr.report.figures import _cells, _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "The map"
REQUIRES = ("evaluations", "subsets")


class Options(_cells.Options):
    """Keys of `figures.map`."""


def data(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per pair, cell and step; see `limr.report.figures._cells.frame`."""
    return _cells.frame(inputs, _cells.chosen(inputs, options, "map"), options)


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw a panel for each pair and each value of the axes that are not drawn."""
    frame = frame.assign(panel=frame["panel"].fillna(""), mark=frame["mark"].fillna(""))
    wide, high = (int(frame[f"{side}_place"].max()) + 1 for side in "xy")

    def sizes(across: int, lines: int) -> tuple[float, float]:
        width = 1.3 + across * max(1.7, 0.3 + 0.62 * wide)
        return width, lines * (0.85 + 0.44 * high) + 0.3

    drawn, axes, panels = _cells.panels(frame, sizes)
    end = _cells.largest(frame["difference"])
    for ax, rows, outer in panels:
        _draw(ax, rows, end)
        _cells.name_axes(ax, rows, outer=outer)
    _cells.bar(drawn, axes, end)
    return drawn


def _draw(ax: Axes, rows: pd.DataFrame, end: float) -> None:
    """Draw a panel's cells, their numbers, and a line around those that are as good as full."""
    from matplotlib.patches import Rectangle

    colours = _cells.colours()
    good = set()
    for _, row in rows.iterrows():
        x, y, value = row["x_place"], row["y_place"], row["difference"]
        known = pd.notna(value)
        look: dict[str, Any] = (
            {"facecolor": colours(0.5 + 0.5 * value / end)}
            if known
            else {"facecolor": "white", "hatch": "////", "edgecolor": "#BBBBBB"}
        )
        ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, linewidth=1, **look))
        text = f"{signed(value)}{row['mark']}" if known else "–"
        ax.text(x, y, text, ha="center", va="center", fontsize=9,
                color=_style.on(look["facecolor"]) if known else _style.INK,
                fontweight="bold" if row["mark"] else "normal")  # fmt: skip
        if row["as_good"] and row["of_full"]:
            good.add((x, y))
    for x, y in sorted(good):
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            if (x + dx, y + dy) not in good:
                ends = [(x + dx / 2 + s * dy / 2, y + dy / 2 + s * dx / 2) for s in (-1, 1)]
                ax.plot(*zip(*ends, strict=True), color=_style.INK, linewidth=2.4, zorder=4)
    ax.set_xlim(-0.56, rows["x_place"].max() + 0.56)
    ax.set_ylim(-0.58, rows["y_place"].max() + 0.58)
    ax.grid(visible=False)
    for spine in ax.spines.values():
        spine.set_visible(False)


def caption(frame: pd.DataFrame) -> str:
    """Say what a cell is, what is marked, and what is not there."""
    missing = int(frame["difference"].isna().sum())
    gone = f" Hatched: not evaluated (yet), {missing} of {len(frame)}." if missing else ""
    line = ""
    if frame["of_full"].any():
        line = (
            " The thick line is around the cells that are shown, one-sided, to be no more than "
            f"{frame['margin'].max():g} points worse than the full set."
        )
    return (
        "Difference of the mean accuracy in points, paired by question, for each pair (first − "
        "second) and cell. Blue: the first is better, orange: worse. Bold with *: the "
        f"{frame['level'].max():g} % interval over runs and questions excludes 0; **: after "
        f"Holm's correction for all cells and steps of the pair too.{line}{gone} Cells with one "
        "run of an arm are never marked. Cells share questions, steps of a run share the run: "
        "neighbours are no independent confirmation."
    )

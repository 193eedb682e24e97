"""Where choosing pays, smoothed: a Gaussian process through the map, with its uncertainty."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from limr.analysis import cells, results, surface
from limr.analysis import map as mapping
from limr.analysis.cells import Pair
from limr.analysis.map import STEP, Difference
from limr.analysis.results import Inputs
from limr.analysis.surface import Surface
from limr.core.errors import InputError
from limr.report.figures import _cells, _style
from limr.statistics.intervals import two_sided

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "The map, smoothed"
REQUIRES = ("evaluations", "subsets")
_POINTS = 21  # of the grid, on each side


class Options(_cells.Options):
    """Keys of `figures.map-surface`."""


def data(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return the surface on a grid, panel by panel.

    Returns:
        comparison, panel, x_axis, y_axis (empty: none), x, y (numbers; y 0 without an axis), x_log,
        y_log, mean, low, high (points, at the level), worst (the one-sided lower end), of_full,
        margin, level.

    Raises:
        InputError: no surface can be laid, or an axis has no numbers.
    """
    found = _cells.chosen(inputs, options, "map-surface")
    parts = []
    for pair in dict.fromkeys(one.pair for one in found):
        own = [one for one in found if one.pair == pair]
        parts += list(_panels(inputs, pair, own, options))
    if not parts:
        raise InputError(
            f"figure 'map-surface': no pair has {surface.LEAST} cells with numbers on their axes."
        )
    within = mapping.margin(inputs, options["margin"])
    level = results.declared(inputs).level
    return pd.concat(parts, ignore_index=True).assign(margin=100 * within, level=100 * level)


def _panels(
    inputs: Inputs, pair: Pair, own: Sequence[Difference], options: Mapping[str, Any]
) -> Iterator[pd.DataFrame]:
    x, y = _cells.drawn_axes(inputs, own, options)
    for smooth in surface.surfaces(inputs, pair):
        known = {axis.name: axis for axis in smooth.axes}
        if x not in known:
            raise InputError(f"figure 'map-surface': '{x}' has no numbers; give another `x`.")
        drawn = [axis for axis in (x, y) if axis in known]
        others = [axis for axis in (*cells.axes(inputs), STEP) if axis not in drawn]
        here = [one.place for one in own if one.estimate is not None and smooth.has(one.place)]
        rest = dict.fromkeys(
            tuple((axis, place[axis]) for axis in others if axis in place) for place in here
        )
        for fixed in rest:
            sides = [known[axis].between(_POINTS) for axis in drawn]
            points = [
                {**dict(fixed), **dict(zip(drawn, values, strict=True))}
                for values in itertools.product(*sides)
            ]
            yield _panel(inputs, pair, smooth, points, drawn).assign(panel=cells.text(fixed))


def _panel(
    inputs: Inputs, pair: Pair, smooth: Surface, points: list[dict[str, Any]], drawn: list[str]
) -> pd.DataFrame:
    mean, deviation = smooth.at(points)
    level = results.declared(inputs).level
    far, one_sided = (two_sided(at, float("inf")) for at in (level, 2 * level - 1))
    known = {axis.name: axis for axis in smooth.axes}
    x, y = drawn[0], drawn[1] if len(drawn) > 1 else ""
    return pd.DataFrame(
        {
            "comparison": " − ".join(cells.title(inputs, name) for name in pair),
            "x_axis": x,
            "y_axis": y,
            "x": [point[x] for point in points],
            "y": [point[y] if y else 0.0 for point in points],
            "x_log": known[x].log,
            "y_log": bool(y) and known[y].log,
            "mean": mean,
            "low": mean - far * deviation,
            "high": mean + far * deviation,
            "worst": mean - one_sided * deviation,
            "of_full": mapping.kind(inputs, pair[1]) == "full",
        }
    )


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw a panel for each pair and each value of the axes that are not drawn."""
    frame = frame.assign(panel=frame["panel"].fillna(""), y_axis=frame["y_axis"].fillna(""))
    drawn, axes, panels = _cells.panels(
        frame, lambda across, lines: (1.6 + 2.5 * across, 2.35 * lines + 0.3)
    )
    end = _cells.largest(frame["mean"])
    for ax, rows, outer in panels:
        (_surface if rows["y_axis"].iloc[0] else _line)(ax, rows, end)
        ax.set_xlabel(rows["x_axis"].iloc[0])
        ax.set_ylabel((rows["y_axis"].iloc[0] or "points") if outer else "")
    if frame["y_axis"].iloc[0]:
        _cells.bar(drawn, axes, end)
    return drawn


def _surface(ax: Axes, rows: pd.DataFrame, end: float) -> None:
    """Draw the mean in colours, grey lines where it may be 0, and where less is as good as full."""
    x, y = (np.sort(rows[side].unique()) for side in ("x", "y"))
    grid = {
        name: rows.pivot(index="y", columns="x", values=name).to_numpy(np.float64)
        for name in ("mean", "low", "high", "worst")
    }
    levels = np.linspace(-end, end, 29)
    ax.contourf(x, y, grid["mean"], levels, cmap=_cells.colours(), extend="both")
    unsure = ((grid["low"] <= 0) & (grid["high"] >= 0)).astype(float)
    if unsure.any():
        with _style.hatched():
            ax.contourf(x, y, unsure, [0.5, 1.5], colors="none", hatches=["///"])
    if rows["of_full"].iloc[0]:
        at = [-float(rows["margin"].iloc[0])]
        for name, style in (("worst", "-"), ("mean", "--")):
            if grid[name].min() < at[0] < grid[name].max():
                ax.contour(x, y, grid[name], at, colors=_style.INK, linewidths=2, linestyles=style)
    for side, axis in (("x", ax.xaxis), ("y", ax.yaxis)):
        if rows[f"{side}_log"].iloc[0]:
            (ax.set_xscale if side == "x" else ax.set_yscale)("log", base=2)
            axis.set_major_formatter("{x:g}")
    ax.grid(visible=False)


def _line(ax: Axes, rows: pd.DataFrame, end: float) -> None:
    """Draw the mean over the only axis, with its band."""
    ax.axhline(0, color=_style.INK, linewidth=0.8)
    ax.fill_between(rows["x"], rows["low"], rows["high"], color=_style.PALETTE[0], alpha=0.2)
    ax.plot(rows["x"], rows["mean"], color=_style.PALETTE[0], linewidth=2)
    if rows["of_full"].iloc[0]:
        ax.axhline(-rows["margin"].iloc[0], color=_style.INK, linewidth=1.2, linestyle="--")
    if rows["x_log"].iloc[0]:
        ax.set_xscale("log", base=2)
        ax.xaxis.set_major_formatter("{x:g}")


def caption(frame: pd.DataFrame) -> str:
    """Say what the surface is, how sure it is, and what the lines are."""
    level, margin = frame["level"].max(), frame["margin"].max()
    line = ""
    if frame["of_full"].any():
        line = (
            f" Against the full set, the dark line is where the one-sided {level:g} % bound is "
            f"{margin:g} points below it: on its better side less is shown to be as good as full "
            f"within {margin:g} points. Dashed: where the mean is there."
        )
    sure = (
        f"Hatched: the {level:g} % band contains 0."
        if frame["y_axis"].fillna("").iloc[0]
        else f"Band: {level:g} %."
    )
    return (
        "Mean of a Gaussian process through the differences of each pair, in points (blue: the "
        f"first is better, orange: worse). {sure}{line} The cells' errors are their own, and "
        "correlated as far as cells share questions, runs and references; sizes and lengths of the "
        "process are taken for known, so the band is a little narrow. It borrows strength from "
        "neighbours and assumes that nothing jumps between them: what a cell itself shows is in "
        "the map."
    )

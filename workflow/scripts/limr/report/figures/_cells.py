"""What the figures of a map have in common: which axes are drawn, and in which colours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
from pydantic import Field

from limr.analysis import cells, results
from limr.analysis import map as mapping
from limr.analysis.map import STEP, Difference
from limr.analysis.results import Inputs
from limr.core.errors import InputError, nearest
from limr.core.validation import Keys, key
from limr.report.figures import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

_PANELS = 4  # in a line, at most
# Worse, none, better: the two ends of Okabe and Ito's palette, apart for colour-blind readers too.
ENDS = (_style.PALETTE[1], "#F7F6F3", _style.PALETTE[0])
MOST = 24  # panels; with more, only the last step is drawn
_Axis = Annotated[
    str | None,
    Field(description="An axis of the sweep, or `step`; null: the last or first that varies."),
]


class Options(Keys):
    """Keys of the figures of a map."""

    pairs: mapping.Pairs = None
    margin: mapping.Margin = None
    x: _Axis = None
    y: _Axis = None
    steps: list[int] | None = key(
        None,
        f"Training steps to draw; null: all, or the last where there would be over {MOST} panels.",
    )


def chosen(inputs: Inputs, options: Mapping[str, Any], name: str) -> list[Difference]:
    """Return the differences to draw.

    Raises:
        InputError: unknown pairs or steps, or nothing is evaluated.
    """
    found = [
        one
        for pair in mapping.pairs(inputs, options["pairs"])
        for one in mapping.differences(inputs, pair)
    ]
    there = sorted({one.step for one in found if one.estimate is not None})
    if not there:
        raise InputError(f"figure '{name}': no two arms of one cell are evaluated at one step.")
    wanted = options["steps"]
    if wanted is None:
        wanted = there if _panels(inputs, found, options) <= MOST else there[-1:]
    for step in wanted:
        if step not in {one.step for one in found}:
            raise InputError(f"figure '{name}': step {step} is not evaluated; {there} are.")
    return [one for one in found if one.step in wanted]


def _panels(inputs: Inputs, found: Sequence[Difference], options: Mapping[str, Any]) -> int:
    drawn = drawn_axes(inputs, found, options)
    return len({(one.pair, _rest(one, drawn)) for one in found})


def drawn_axes(
    inputs: Inputs, found: Sequence[Difference], options: Mapping[str, Any]
) -> tuple[str, str | None]:
    """Return the axes across and up: by default the last and the first that vary.

    Raises:
        InputError: an axis that the study does not have.
    """
    known = [*cells.axes(inputs), STEP]
    for wanted in (options["x"], options["y"]):
        if wanted is not None and wanted not in known:
            raise InputError(f"figure: there is no axis '{wanted}'.{nearest(wanted, known)}")
    vary = [axis for axis in known if len({one.place.get(axis) for one in found} - {None}) > 1]
    free = [axis for axis in vary if axis not in (options["x"], options["y"])]
    swept = [axis for axis in free if axis != STEP] or free
    x = options["x"] or (swept[-1] if swept else STEP)
    free = [axis for axis in free if axis != x]
    return x, options["y"] or (free[0] if free else None)


def _rest(one: Difference, drawn: tuple[str, str | None]) -> str:
    """Return the values that a panel has, for people."""
    named = [
        f"{axis} {cells.value_text(value)}"
        for axis, value in one.place.items()
        if axis not in drawn
    ]
    return ", ".join(named)


def frame(inputs: Inputs, found: Sequence[Difference], options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per difference.

    Returns:
        comparison, panel (values of the axes that are not drawn), x, y (texts), x_axis, y_axis,
        x_place, y_place (from 0), difference, low, high (points; NaN: not evaluated), mark (`*`:
        the interval excludes 0, `**`: after Holm too), as_good, of_full (whether the second arm
        trains on everything), margin, level.
    """
    x, y = drawn_axes(inputs, found, options)
    values: dict[str, Sequence[Any]] = {
        **cells.axes(inputs),
        STEP: sorted({one.step for one in found}),
    }
    within, level = mapping.margin(inputs, options["margin"]), results.declared(inputs).level
    rows = []
    for one in found:
        interval = one.interval
        rows.append(
            {
                "comparison": " − ".join(cells.title(inputs, name) for name in one.pair),
                "panel": _rest(one, (x, y)),
                **_placed("x", x, one, values),
                **_placed("y", y, one, values),
                **(interval.percent("difference") if interval else
                   dict.fromkeys(("difference", "low", "high"), float("nan"))),
                "mark": mapping.mark(inputs, one),
                "as_good": mapping.as_good(inputs, one, within),
                "of_full": mapping.kind(inputs, one.pair[1]) == "full",
                "margin": 100 * within,
                "level": 100 * level,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _placed(
    side: str, axis: str | None, one: Difference, values: Mapping[str, Sequence[Any]]
) -> dict[str, Any]:
    has = axis is not None and axis in one.place
    return {
        f"{side}_axis": axis or "",
        side: cells.value_text(one.place[axis]) if has and axis else "all",
        f"{side}_place": list(values[axis]).index(one.place[axis]) if has and axis else 0,
    }


def panels(
    frame: pd.DataFrame, sizes: Callable[[int, int], tuple[float, float]]
) -> tuple[Figure, Any, Iterator[tuple[Axes, pd.DataFrame, bool]]]:
    """Lay out a panel for each pair and each value of the axes that are not drawn.

    Args:
        frame: with `comparison` and `panel`.
        sizes: width and height in inches of so many panels across and so many lines of them.

    Returns:
        The figure, all its axes, and those of each panel, titled, with its rows and whether it is
        the first of its line.
    """
    pairs = list(frame.groupby("comparison", sort=False))
    across = min(_PANELS, max(own["panel"].nunique() for _, own in pairs))
    lines = [-(-own["panel"].nunique() // across) for _, own in pairs]
    drawn = _style.figure(*sizes(across, sum(lines)))
    axes = drawn.subplots(sum(lines), across, squeeze=False)
    for ax in axes.ravel():
        ax.set_visible(False)

    def each() -> Iterator[tuple[Axes, pd.DataFrame, bool]]:
        for number, (comparison, own) in enumerate(pairs):
            for place, (panel, rows) in enumerate(own.groupby("panel", sort=False)):
                ax = axes[sum(lines[:number]) + place // across, place % across]
                ax.set_visible(True)
                names = [str(comparison) if place == 0 else " ", str(panel)]
                ax.set_title("\n".join(name for name in names if name))
                yield ax, rows, place % across == 0

    return drawn, axes, each()


def colours() -> LinearSegmentedColormap:
    """Return the map's colours, from worse to better."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("map", list(ENDS))


def largest(values: pd.Series[float]) -> float:
    """Return the end of a scale that is as long on both sides of 0."""
    return max(1.0, float(values.abs().max())) if values.notna().any() else 1.0


def bar(drawn: Figure, axes: Any, end: float) -> None:
    """Draw the scale of colours, which all panels share."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    scale = ScalarMappable(Normalize(-end, end), colours())
    bar = drawn.colorbar(scale, ax=axes, shrink=min(1.0, 2.2 / drawn.get_figheight()), pad=0.02)
    bar.set_label("points")
    bar.outline.set_visible(False)


def name_axes(ax: Axes, rows: pd.DataFrame, outer: bool) -> None:
    """Write the values of both axes; `outer`: whether the upright one is named."""
    for side, named in (("x", True), ("y", outer)):
        ticks = rows.drop_duplicates(f"{side}_place").sort_values(f"{side}_place")
        places, texts = list(ticks[f"{side}_place"]), list(ticks[side])
        axis = ax.xaxis if side == "x" else ax.yaxis
        alone = not rows[f"{side}_axis"].iloc[0]
        axis.set_ticks([] if alone else places, labels=[] if alone else texts)
        axis.set_label_text(rows[f"{side}_axis"].iloc[0] if named else "")

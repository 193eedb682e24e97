"""The page's map: a table of cells for each pair and step, each cell with all that it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from limr.analysis import cells, map_text, results
from limr.analysis import map as mapping
from limr.analysis.map import STEP, Difference
from limr.analysis.number_text import p_equation, p_text, points
from limr.analysis.results import Inputs
from limr.report.figures import _cells

Json = dict[str, Any]
_SHADES = 5  # of colour, on each side of 0


def section(inputs: Inputs) -> Json | None:
    """Return the page's map; None without a sweep, or where nothing of it is evaluated yet."""
    pairs = map_text.evaluated(inputs) if cells.axes(inputs) else []
    if not pairs:
        return None
    every = [one for pair in pairs for one in mapping.differences(inputs, pair)]
    x, y = _cells.drawn_axes(inputs, every, {"x": None, "y": None})
    end = max(abs(one.estimate.mean) for one in every if one.estimate is not None)
    steps = [] if STEP in (x, y) else sorted({one.step for one in every})
    last = max(one.step for one in every if one.estimate is not None)
    sheets = []
    for number, pair in enumerate(pairs):
        for step in steps or [last]:
            own = [
                one for one in mapping.differences(inputs, pair) if not steps or one.step == step
            ]
            sheets.append(
                {
                    "pair": number,
                    "step": step,
                    "shown": number == 0 and step == last,
                    "panels": _panels(inputs, own, (x, y), end),
                }
            )
    declared = results.declared(inputs)
    return {
        "pairs": [" − ".join(cells.title(inputs, name) for name in pair) for pair in pairs],
        "steps": steps,
        "last": last,
        "x": x,
        "y": y or "",
        "sheets": sheets,
        "end": f"{100 * end:.0f}",
        "margin": f"{100 * mapping.margin(inputs):g}",
        "level": declared.percent,
        "cell": cells.text(cells.shown(inputs)),
    }


def _panels(
    inputs: Inputs, own: Sequence[Difference], drawn: tuple[str, str | None], end: float
) -> list[Json]:
    """Return a table for each combination of the axes that are not drawn."""
    parts: dict[str, list[Difference]] = {}
    for one in own:
        rest = tuple((a, v) for a, v in one.match.cell if a not in drawn)
        parts.setdefault(cells.text(rest), []).append(one)
    return [{"name": name, **_panel(inputs, part, drawn, end)} for name, part in parts.items()]


def _panel(
    inputs: Inputs, own: Sequence[Difference], drawn: tuple[str, str | None], end: float
) -> Json:
    columns, rows = (_values(inputs, own, axis) for axis in drawn)
    known = {(one.place.get(drawn[0]), _at(one, drawn[1])): one for one in own}
    return {
        "columns": [_text(value) for value in columns],
        "rows": [
            (_text(row), [_cell(inputs, known.get((column, row)), end) for column in columns])
            for row in reversed(rows)
        ],
    }


def _values(inputs: Inputs, own: Sequence[Difference], axis: str | None) -> list[Any]:
    """Return the values of an axis that these cells have, in the study's order."""
    found = {_at(one, axis) for one in own}
    order = [*cells.axes(inputs).get(axis or "", []), None] if axis != STEP else sorted(found)
    return [value for value in order if value in found]


def _at(one: Difference, axis: str | None) -> Any:
    return one.place.get(axis) if axis else None


def _text(value: Any) -> str:
    return "all" if value is None else cells.value_text(value)


def _cell(inputs: Inputs, one: Difference | None, end: float) -> Mapping[str, Any]:
    if one is None:
        return {"text": "", "shade": "none", "good": False, "detail": "no such cell"}
    names = " − ".join(cells.title(inputs, name) for name in one.pair)
    where = f"{names}, {mapping.place_text(one)}"
    if one.interval is None or one.estimate is None:
        detail = f"{where}: not evaluated ({one.seeds[0]} and {one.seeds[1]} seeds are there)"
        return {"text": "–", "shade": "none", "good": False, "detail": detail}
    shade = round(_SHADES * one.estimate.mean / end) if end else 0
    called = one.holm < 1 - results.declared(inputs).level
    mark = "**" if called else "*" if one.interval.excludes_zero else ""
    good = mapping.kind(inputs, one.pair[1]) == "full" and mapping.as_good(
        inputs, one, mapping.margin(inputs)
    )
    within = f"; no more than {100 * mapping.margin(inputs):g} points worse" if good else ""
    return {
        "text": f"{100 * one.estimate.mean:+.1f}".replace("-", "−") + mark,
        "shade": f"{'m' if shade < 0 else 'p'}{abs(shade)}",
        "good": good,
        "detail": (
            f"{where}: {points(one.interval)}, {p_equation(one.p)}, after Holm {p_text(one.holm)}; "
            f"{one.estimate.n_questions:,} questions, {one.seeds[0]} and {one.seeds[1]} seeds; "
            f"would find {100 * mapping.least(inputs, one):.1f} points{within}"
        ),
    }

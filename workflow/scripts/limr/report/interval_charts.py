"""Charts of means and differences with intervals; places are percent of the chart's width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from limr.analysis import findings, number_text, tested
from limr.analysis.number_text import p_text
from limr.analysis.results import Inputs
from limr.analysis.sensitivity import Answer
from limr.analysis.tested import Tested
from limr.report.figures import _style

Json = dict[str, Any]
NEUTRAL, OTHER, MAIN = "#6b7480", "#c24e00", "#1b6ca8"
_NICE = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


class _Scale:
    """Maps values to percent of the chart's width, with room at both ends."""

    def __init__(self, low: float, high: float) -> None:
        span = max(high - low, 0.01)
        self.start, self.width = low - 0.05 * span, 1.1 * span

    def place(self, value: float) -> float:
        return round(100 * (value - self.start) / self.width, 2)

    def grid(self, sign: str = "") -> list[tuple[float, str]]:
        """Return place and name, in percent or points, of up to eight round values."""
        step = next((s for s in _NICE if self.width / s <= 8), _NICE[-1])
        first = int(np.ceil(self.start / step))
        last = int(np.floor((self.start + self.width) / step))
        return [
            (
                self.place(step * k),
                f"{100 * step * k:{sign}.0f}".replace("-", "−").replace("+0", "0"),
            )
            for k in range(first, last + 1)
        ]


def forest(inputs: Inputs) -> Json:
    """Return the chart of every arm's mean accuracy; no rows without evaluations."""
    arms = findings.arm_results(inputs)
    if not arms:
        return {"rows": [], "zero": None, "grid": []}
    scale = _Scale(min(a.interval.low for a in arms), max(a.interval.high for a in arms))
    colours = _style.colours(inputs)
    rows = []
    for arm in arms:
        runs = arm.interval.n_runs
        size = f"{arm.problems:,} problems" if arm.problems else "untrained"
        rows.append(
            {
                "title": arm.group.title,
                "detail": f"{size}, {runs} run{'s' if runs > 1 else ''}",
                "text": number_text.percent(arm.interval),
                "colour": colours[arm.group.name],
                "strong": True,
                **_places(scale, arm.interval),
            }
        )
    return {"rows": [_row(row) for row in rows], "zero": None, "grid": scale.grid()}


def differences(inputs: Inputs) -> Json:
    """Return the chart of every arm's difference from the base, full and random sets."""
    found = tested.tests(inputs, benchmarks=False)
    if not found:
        return {"rows": [], "zero": None, "grid": []}
    every = [test.interval for test in found]
    scale = _Scale(min(0.0, *(i.low for i in every)), max(0.0, *(i.high for i in every)))
    colours = _style.colours(inputs)
    main = findings.main_group(inputs)
    rows: list[Json] = []
    for name in dict.fromkeys([*_untrained(found), *(test.second.name for test in found)]):
        own = [test for test in found if test.second.name == name]
        for place, test in enumerate(own):
            rows.append(
                {
                    "title": f"{test.first.title} − {test.second.title}",
                    "detail": f"p {p_text(test.p)}, after Holm {p_text(test.holm)}",
                    "text": number_text.points(test.interval),
                    "colour": colours[test.first.name],
                    "strong": main is not None and test.first.name == main.name,
                    "head": place == 0 and bool(rows),
                    **_places(scale, test.interval),
                }
            )
    return {"rows": [_row(row) for row in rows], "zero": scale.place(0.0), "grid": scale.grid("+")}


def _untrained(found: Sequence[Tested]) -> list[str]:
    return [test.second.name for test in found if test.second.train == "none"]


def answers(inputs: Inputs, found: Sequence[Answer]) -> Json:
    """Return the chart of the main differences and of their variants, on one scale."""
    every = [answer.interval for answer in found]
    every += [variant.interval for answer in found for variant in answer.variants]
    if not every:
        return {"rows": [], "zero": None, "grid": []}
    scale = _Scale(min(0.0, *(i.low for i in every)), max(0.0, *(i.high for i in every)))
    colours = _style.colours(inputs)
    rows: list[Json] = []
    for answer in found:
        rows.append(
            {
                "title": f"{answer.first.title} − {answer.second.title}",
                "detail": "as reported",
                "text": number_text.points(answer.interval),
                "colour": colours[answer.first.name],
                "strong": True,
                "head": bool(rows),
                **_places(scale, answer.interval),
            }
        )
        for variant in answer.variants:
            word = "" if variant.same else f", {variant.interval.verdict}"
            rows.append(
                {
                    "title": variant.name,
                    "text": f"{number_text.points(variant.interval)}{word}",
                    "colour": NEUTRAL if variant.same else OTHER,
                    "other": not variant.same,
                    **_places(scale, variant.interval),
                }
            )
    return {"rows": [_row(row) for row in rows], "zero": scale.place(0.0), "grid": scale.grid("+")}


def shares(found: Sequence[Json]) -> Json:
    """Return the chart of shares with intervals, all of one colour, on a scale from 0 to 1.

    Args:
        found: `title`, `detail`, `text`, and `low`, `mean` and `high` in [0, 1].
    """
    scale = _Scale(0.0, 1.0)
    places = ({end: scale.place(row[end]) for end in ("low", "mean", "high")} for row in found)
    rows = [
        _row({**row, "colour": MAIN, "strong": True, **place})
        for row, place in zip(found, places, strict=True)
    ]
    return {"rows": rows, "zero": None, "grid": scale.grid()}


def _row(row: Json) -> Json:
    return {"detail": "", "strong": False, "head": False, "other": False, **row}


def _places(scale: _Scale, interval: Any) -> Json:
    return {end: scale.place(getattr(interval, end)) for end in ("low", "mean", "high")}

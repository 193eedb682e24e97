"""The page's chart of held-out accuracy over training steps; places are percent of its size."""

from __future__ import annotations

from typing import Any

from limr.analysis import answers, contrasts, findings, overfitting, results
from limr.analysis.number_text import percent
from limr.analysis.results import Group, Inputs
from limr.report.figures import _style
from limr.statistics.intervals import Interval

Json = dict[str, Any]
Points = list[tuple[int, Interval]]
_APART = 0.6  # percent of the width between the intervals of two arms at one step
_NAMED = 8  # evaluated steps that all have a name under the chart
_STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000)


def chart(inputs: Inputs) -> Json | None:
    """Return every trained arm's accuracy by step; None where none has two evaluated steps.

    `on` are the arms that are shown at first: those that the primary arm is compared with. An arm
    without the base begins at its first evaluated step.
    """
    if inputs.evaluations is None:
        return None
    trained = [g for g in results.evaluated_groups(inputs) if g.train != "none"]
    base = contrasts.base(inputs)
    start = [(0, contrasts.group_interval(inputs, base.name))] if base else []
    points = {group.name: start + _points(inputs, group) for group in trained}
    if not any(len(own) > 1 for own in points.values()):
        return None
    every = [interval for own in points.values() for _, interval in own]
    low, high = min(i.low for i in every), max(i.high for i in every)
    x = _Axis(0, max(step for own in points.values() for step, _ in own), _STEPS)
    y = _Axis(max(0.0, low - 0.02), min(1.0, high + 0.02), (0.01, 0.02, 0.05, 0.1, 0.2))
    steps = sorted({step for own in points.values() for step, _ in own})
    named = steps if len(steps) <= _NAMED else x.ticks()
    on, colours = _first_shown(inputs, trained), _style.colours(inputs)
    lines = [
        {
            "name": group.name,
            "title": group.title,
            "colour": colours[group.name],
            "dashes": _style.dashes(colours[group.name]),
            "on": group.name in on,
            **_drawn(points[group.name], x, y, (place - (len(trained) - 1) / 2) * _APART),
        }
        for place, group in enumerate(trained)
    ]
    return {
        "xs": [(x.at(v), f"{v:,.0f}") for v in named],
        "ys": [(100 - y.at(v), f"{100 * v:.0f} %") for v in y.ticks()],
        "base": None if base is None else {"y": 100 - y.at(start[0][1].mean), "title": base.title},
        "lines": lines,
        "rows": [_row(group, points[group.name]) for group in trained],
        "steps": steps,
    }


class _Axis:
    """Maps values to percent of a length, with round values to name."""

    def __init__(self, low: float, high: float, nice: tuple[float, ...]) -> None:
        self.low, self.high = low, max(high, low + 1e-9)
        span = self.high - self.low
        self.step = next((step for step in nice if span / step <= 7), nice[-1])

    def at(self, value: float) -> float:
        return round(100 * (value - self.low) / (self.high - self.low), 2)

    def ticks(self) -> list[float]:
        first = int(-(-self.low // self.step))
        return [self.step * k for k in range(first, int(self.high / self.step + 1e-9) + 1)]


def _points(inputs: Inputs, group: Group) -> Points:
    steps = overfitting.evaluated_steps(inputs, group)
    return [(step, overfitting.accuracy(inputs, group, step)) for step in steps]


def _first_shown(inputs: Inputs, trained: list[Group]) -> set[str]:
    main = findings.main_group(inputs)
    shown = {group.name for test in answers.of_main(inputs) for group in (test.first, test.second)}
    return shown if main and main.name in shown else {group.name for group in trained}


def _drawn(points: Points, x: _Axis, y: _Axis, shift: float) -> Json:
    """Return a line, and its points with their intervals and what they say."""
    marks = [
        {
            "x": round(x.at(step) + (shift if step else 0), 2),
            "y": round(100 - y.at(interval.mean), 2),
            "low": round(100 - y.at(interval.low), 2),
            "high": round(100 - y.at(interval.high), 2),
            "text": f"step {step:,}: {percent(interval)}; {interval.n_runs} "
            f"run{'s' if interval.n_runs > 1 else ''}, {interval.n_questions:,} questions",
        }
        for step, interval in points
    ]
    return {"d": "M" + "L".join(f"{m['x']} {m['y']}" for m in marks), "marks": marks}


def _row(group: Group, points: Points) -> Json:
    return {"title": group.title, "cells": {step: percent(interval) for step, interval in points}}

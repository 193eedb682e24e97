"""Where overfitting sets in: in every cell, from when on training improves and held-out falls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import cells, overfitting, results, subset_records
from limr.analysis.overfitting import Course
from limr.analysis.results import Inputs

TITLE = "Onset of overfitting"
REQUIRES = ("evaluations", "metrics", "subsets")
DECIMALS = 1
NUMBERS = ("problems", "seeds", "signal, first", "signal, last", "best step", "accuracy",
           "last step", "at last step", "fall", "low", "high", "level")  # fmt: skip


def build(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per trained group that is evaluated."""
    rows = [_row(inputs, course) for course in overfitting.courses(inputs)]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=["arm", "onset"])


def _row(inputs: Inputs, course: Course) -> dict[str, Any]:
    group, signal = course.group, course.signal
    own = dict(cells.cell_of(inputs, group.name))
    record = subset_records.group_record(inputs, group) or {}
    found = overfitting.onset(inputs, group)
    fall = course.fall.percent("fall") if course.fall else {}
    onset = f"not seen by step {course.last}"
    if found is not None:
        onset = f"after step {found.peak}, seen at {found.seen}"
    elif signal is None or not signal.improved:
        onset = "training did not improve in every run" if signal else "no training signal"
    return {
        "arm": cells.without_cell(inputs, group),
        **{a: cells.value_text(own[a]) if a in own else "all" for a in cells.axes(inputs)},
        "problems": record.get("n_selected", pd.NA),
        "seeds": results.n_seeds(inputs, group.name),
        "signal": signal.name if signal else "",
        "signal, first": signal.first if signal else float("nan"),
        "signal, last": signal.last if signal else float("nan"),
        "best step": pd.NA if course.best is None else course.best,
        "accuracy": 100 * course.accuracy[0],
        "last step": course.last,
        "at last step": 100 * course.accuracy[1],
        **{name: fall.get(name, float("nan")) for name in ("fall", "low", "high")},
        "onset": onset,
        "level": 100 * results.declared(inputs).level,
    }


def caption(frame: pd.DataFrame) -> str:
    """Say what counts as overfitting, and between which steps its onset lies."""
    if frame.empty:
        return "No trained arm has been evaluated yet."
    return (
        "How the training signal (the mean of its first and of its last tenth of steps) and "
        "held-out accuracy went, in percent: at the best evaluated step before the last, and at "
        "the last. Fall: last less best, with an interval that allows for every earlier step, "
        f"level {frame['level'].max():g} %. Onset: the training signal improved in every run, and "
        "held-out accuracy fell, by intervals that allow for all pairs of evaluated steps, between "
        "the two steps. Not seen does not say that there is none: steps between evaluated ones are "
        "not looked at, and small falls not found."
    )

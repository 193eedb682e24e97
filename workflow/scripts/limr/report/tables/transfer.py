"""Does a choice that helps inside of what the pool has help outside of it?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import cells, results, transfer
from limr.analysis import map as mapping
from limr.analysis.results import Inputs
from limr.core.validation import Keys, key
from limr.report.tables import _map
from limr.statistics import power

TITLE = "Inside and outside"
REQUIRES = ("evaluations", "subsets")
DECIMALS = 3
NUMBERS = ("difference", "low", "high", "p", "MDE", "questions", "level")


class Options(Keys):
    """Keys of `tables.transfer`."""

    axis: str = key(..., "The axis of the sweep whose values are pools.")
    inside: dict[str, list[str]] = key(
        ..., "For each value of the axis, the benchmarks that ask what the pool has."
    )
    pairs: mapping.Pairs = None
    decodings: list[str] | None = key(
        None, "Decodings to show beside each other; null: the first of each benchmark."
    )


def build(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per decoding, pair and side.

    Raises:
        InputError: an axis, a value, a benchmark, a decoding or an arm that the study lacks.
    """
    transfer.check(inputs, options["axis"], options["inside"])
    rows = []
    for decoding in options["decodings"] or ["first"]:
        own = inputs if decoding == "first" else mapping.by_decoding(inputs, decoding)
        for pair in mapping.pairs(own, options["pairs"]):
            rows += [{**row, "decoding": decoding} for row in _rows(own, pair, options)]
    return pd.DataFrame(rows)


def _rows(inputs: Inputs, pair: cells.Pair, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    level = results.declared(inputs).level
    first, second = (cells.title(inputs, name) for name in pair)
    rows = []
    for side in transfer.SIDES:
        found = transfer.difference(inputs, pair, options["axis"], options["inside"], side)
        row: dict[str, Any] = {"arm": first, "against": second, "side": side}
        if found is None:
            missing = dict.fromkeys((*NUMBERS[:-1],), float("nan"))
            rows.append({**row, **missing, "shows": _map.MISSING, "level": 100 * level})
            continue
        interval = found.interval(level)
        several = found.n_runs > 1
        rows.append(
            {
                **row,
                **interval.percent("difference"),
                "p": found.p_value() if several else float("nan"),
                "MDE": 100 * power.detectable(found, level) if several else float("nan"),
                "questions": found.n_questions,
                "shows": _map.SHOWS[interval.verdict] if several else _map.ALONE,
                "level": 100 * level,
            }
        )
    return rows


def caption(frame: pd.DataFrame) -> str:
    """Say which questions and runs are on which side."""
    if frame.empty:
        return "The study has no two arms to compare."
    return (
        "Difference arm − against in points on the benchmarks that are inside of one pool and "
        "outside of another, each arm at its reported step: of the runs whose pool has what is "
        "asked (inside), of those whose pool lacks it (outside), and how much larger the first is. "
        f"The same questions are on both sides. {frame['level'].max():g} % interval over runs and "
        "questions, p not corrected; one run of an arm is shown and not called."
    )

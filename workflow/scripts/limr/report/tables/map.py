"""Where choosing pays: differences in every cell of a sweep and at every evaluated step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import map as mapping
from limr.analysis import results, surface
from limr.analysis.map import Difference
from limr.analysis.results import Inputs
from limr.core.validation import Keys, key
from limr.report.tables import _map
from limr.statistics.intervals import two_sided

TITLE = "The map"
REQUIRES = ("evaluations", "subsets")
DECIMALS = 3
NUMBERS = ("step", "difference", "low", "high", "p", "Holm p", "MDE", "smooth", "smooth low",
           "smooth high", "questions", "margin", "level")  # fmt: skip


class Options(Keys):
    """Keys of `tables.map`."""

    pairs: mapping.Pairs = None
    margin: mapping.Margin = None
    smooth: bool = key(True, "Whether to lay a smooth surface through the cells.")


def build(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per pair, cell and step, those that are not evaluated yet included."""
    within = mapping.margin(inputs, options["margin"])
    level = results.declared(inputs).level
    far = two_sided(level, float("inf"))
    rows = []
    for pair in mapping.pairs(inputs, options["pairs"]):
        found = mapping.differences(inputs, pair)
        smooth = surface.at_cells(inputs, found) if options["smooth"] else []
        for place, one in enumerate(found):
            mean, error = smooth[place] if smooth else (float("nan"), float("nan"))
            rows.append(
                {
                    **_map.where(inputs, pair, one.match.cell),
                    "step": one.step,
                    **_row(inputs, one, within),
                    "smooth": mean,
                    "smooth low": mean - far * error,
                    "smooth high": mean + far * error,
                    "seeds": f"{one.seeds[0]}, {one.seeds[1]}",
                    "margin": 100 * within,
                    "level": 100 * level,
                }
            )
    return pd.DataFrame(rows)


def _row(inputs: Inputs, one: Difference, within: float) -> dict[str, Any]:
    if one.estimate is None or one.interval is None:
        names = ("difference", "low", "high", "p", "Holm p")
        empty = {"as good": "", "MDE": pd.NA, "questions": pd.NA}
        return {**dict.fromkeys(names, pd.NA), "shows": _map.MISSING, "after Holm": "", **empty}
    word = one.interval.verdict
    called = word if one.holm < 1 - results.declared(inputs).level else "level"
    return {
        **one.interval.percent("difference"),
        "p": one.p,
        "Holm p": one.holm,
        "shows": _map.SHOWS[word],
        "after Holm": _map.SHOWS[called],
        "as good": "yes" if mapping.as_good(inputs, one, within) else "not shown",
        "MDE": 100 * mapping.least(inputs, one),
        "questions": one.estimate.n_questions,
    }


def caption(frame: pd.DataFrame) -> str:
    """Say what every column is, and how cells hang together."""
    if frame.empty:
        return "The study has no two arms to compare."
    missing = int((frame["shows"] == _map.MISSING).sum())
    gone = f" {missing} of {len(frame)} are not evaluated (yet)." if missing else ""
    smooth = ""
    if frame["smooth"].notna().any():
        smooth = (
            " Smooth: a Gaussian process through the cells of a pair, whose errors are the cells' "
            "own and correlated as far as cells share questions, runs and references; low to high "
            "is its band at the level, a little narrow, since its lengths are taken for known."
        )
    return (
        "Differences arm − against in points, paired by question, in every cell of the sweep "
        "(all: the axis reaches neither arm) and at every evaluated step, with the "
        f"{frame['level'].max():g} % interval over runs and questions and its p value.{gone} Holm "
        "p is corrected for all cells and steps of the pair, however they hang together, from the "
        "larger of p and the p that takes the variance between runs from all groups. As good: "
        "whether the arm is shown, one-sided, to be no more than "
        f"{frame['margin'].max():g} points worse. MDE: true difference that such a cell finds in "
        "80 % of studies. Seeds are those of both arms. Steps of one run are not independent, nor "
        f"are cells with the same reference: for means over cells see map-regions.{smooth}"
    )

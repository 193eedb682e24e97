"""The paper's own claims, tested as far as its tables allow: differences with unpaired z."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

import pandas as pd

from limr.analysis import paper
from limr.analysis.results import Inputs
from limr.statistics import hypothesis_tests

TITLE = "The paper's claims and how sure they are"
REQUIRES = ("paper",)
DECIMALS = 2
CLAIMANT = "limr"
COLUMNS = ["claim", "benchmark", "questions", "difference", "standard error", "z", "p", "Holm p",
           "MDE"]  # fmt: skip


def build(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per claim (LIMR against each other row of Tables 2 and 3) and benchmark.

    z is the difference over its standard error, were every question one independent response:
    sqrt(p1 (1 - p1) / n + p2 (1 - p2) / n). Four samples of one question are not independent, and
    how much they vary is not published; one response a question is the largest that the standard
    error can be for these percentages, when arms are not paired. Pairing would make it smaller,
    seeds would make it larger, and neither can be known from the tables.
    """
    known = paper.of(inputs)
    ours = next(row for row in known["results"] if row["arm"] == CLAIMANT)
    rows = []
    for other in known["results"]:
        if other is ours:
            continue
        for name, benchmark in known["benchmarks"].items():
            if name in ours and name in other:
                rows.append(_row(ours, other, name, benchmark))
        rows.append(_average(ours, other, known["benchmarks"]))
    found = pd.DataFrame(rows, columns=COLUMNS)
    found["Holm p"] = hypothesis_tests.holm(list(found["p"]))
    return found


def _variance(row: Mapping[str, Any], name: str, questions: int) -> float:
    share = float(row[name]) / 100
    return share * (1 - share) / questions


def _row(
    ours: Mapping[str, Any], other: Mapping[str, Any], name: str, benchmark: Mapping[str, Any]
) -> dict[str, Any]:
    n = int(benchmark["questions"])
    error = math.sqrt(_variance(ours, name, n) + _variance(other, name, n))
    return _tested(ours, other, str(benchmark["title"]), n, ours[name] - other[name], error)


def _average(
    ours: Mapping[str, Any], other: Mapping[str, Any], benchmarks: Mapping[str, Any]
) -> dict[str, Any]:
    questions = {name: int(benchmark["questions"]) for name, benchmark in benchmarks.items()}
    variance = sum(_variance(row, k, n) for row in (ours, other) for k, n in questions.items())
    gap = sum(ours[name] - other[name] for name in benchmarks) / len(benchmarks)
    error = math.sqrt(variance) / len(benchmarks)
    return _tested(ours, other, "average", sum(questions.values()), gap, error)


def _tested(
    ours: Mapping[str, Any],
    other: Mapping[str, Any],
    title: str,
    questions: int,
    gap: float,
    error: float,
) -> dict[str, Any]:
    z = gap / (100 * error)
    normal = NormalDist()
    return {
        "claim": f"{ours['name']} - {other['name']}",
        "benchmark": title,
        "questions": questions,
        "difference": float(gap),
        "standard error": 100 * error,
        "z": z,
        "p": 2 * normal.cdf(-abs(z)),
        "MDE": 100 * error * (normal.inv_cdf(0.975) + normal.inv_cdf(0.8)),
    }


def caption(frame: pd.DataFrame) -> str:
    """Say how z was computed and what it leaves out."""
    return (
        f"{int((frame['Holm p'] < 0.05).sum())} of {len(frame)} differences of the paper's Tables "
        "2 and 3 (arXiv 2502.11886) would be significant after Holm's correction over all rows, "
        "at 0.05. Unpaired binomial z, each question as one response; MDE: difference found in "
        "80 % of such evaluations. Caveats: one run each, so that nothing is known of seeds; the "
        "samples of AIME24 and AMC23 (four a question) and pairing by question would make the "
        "standard errors smaller, other seeds larger; the reported step is not said, and a best "
        "step is optimistic."
    )

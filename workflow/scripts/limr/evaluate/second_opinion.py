"""A second opinion on an evaluation's verdicts: the same responses, judged by another rule.

Accuracy counts only whether a response is correct, so two rules disagree where one says so and the
other does not. Evaluations keep their responses: nothing is generated again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from limr.core import files
from limr.core.errors import InputError
from limr.core.job_log import note
from limr.core.tables import EVALUATIONS, OPINIONS
from limr.grading.pool import GradingPool
from limr.statistics.estimates import Arm, of_mean
from limr.statistics.intervals import Interval

if TYPE_CHECKING:  # a job's start does not wait for it
    import pandas as pd

_COLUMNS = ("problem_id", "verdict", "format", "answer", "truncated", "response")


def opinions(
    entries: Sequence[tuple[str, Path]],
    golds: Mapping[str, Mapping[str, str]],
    pool: GradingPool,
    rule: str,
) -> pa.Table:
    """Judge the responses of evaluations again and count what both rules say.

    Args:
        entries: (benchmark, evaluation file: `limr.core.tables.EVALUATIONS`).
        golds: benchmark -> problem_id -> gold answer.
        pool: grades by the second rule; it judges each pair of answers once for all files.
        rule: the second rule's name.

    Returns:
        `limr.core.tables.OPINIONS`, ordered by benchmark, problem, then by the other columns.

    Raises:
        InputError: no entries, a file that is not one, or a problem that the benchmark lacks.
    """
    if not entries:
        raise InputError("there are no evaluations for a second opinion.")
    counts: Counter[tuple[str | None, ...]] = Counter()
    for number, (benchmark, path) in enumerate(entries, start=1):
        counts.update(_of_file(benchmark, path, golds[benchmark], pool))
        note(f"{number} of {len(entries)} evaluations regraded")
    rows = sorted(counts, key=lambda row: tuple((value is not None, value or "") for value in row))
    columns = [list(column) for column in zip(*rows, strict=True)]
    found = [[rule] * len(rows), *columns, [counts[row] for row in rows]]
    return pa.table(dict(zip(OPINIONS.names, found, strict=True)), schema=OPINIONS)


def _of_file(
    benchmark: str, path: Path, golds: Mapping[str, str], pool: GradingPool
) -> Counter[tuple[str | None, ...]]:
    # Many samples of a problem are the same to the letter: each is judged once.
    alike = files.read_parquet(path, EVALUATIONS, _COLUMNS).group_by([*_COLUMNS], use_threads=False)
    rows = alike.aggregate([([], "count_all")]).to_pylist()
    lost = next((row["problem_id"] for row in rows if row["problem_id"] not in golds), None)
    if lost is not None:
        raise InputError(
            f"{path}: problem '{lost}' is not in '{benchmark}'. Evaluate again: the benchmark has "
            "changed."
        )
    items = [(golds[row["problem_id"]], row["response"], row["truncated"]) for row in rows]
    found: Counter[tuple[str | None, ...]] = Counter()
    for row, grade in zip(rows, pool.grade_many(items), strict=True):
        key = [benchmark, row["problem_id"], row["verdict"], grade.verdict]
        differs = (row["verdict"] == "correct") != (grade.verdict == "correct")
        ours = [golds[row["problem_id"]], row["format"], row["answer"]]
        shown = [*ours, grade.answer, grade.reason]
        found[(*key, *(shown if differs else [None] * len(shown)))] += row["count_all"]
    return found


def differ(frame: pd.DataFrame) -> pd.Series:
    """Return which rows of `OPINIONS` are disagreements."""
    return (frame["verdict"].astype(str) == "correct") != (
        frame["opinion"].astype(str) == "correct"
    )


def rate(frame: pd.DataFrame) -> Interval:
    """Return the share of responses judged differently: the mean over problems of their shares.

    Args:
        frame: `OPINIONS`, of one benchmark.
    """
    weights = frame.assign(differ=frame["n"] * differ(frame))
    sums = weights.groupby("problem_id", sort=True)[["n", "differ"]].sum()
    shares = np.asarray(sums["differ"] / sums["n"], dtype=np.float64)
    return of_mean(Arm({"": shares[np.newaxis, :]})).interval()

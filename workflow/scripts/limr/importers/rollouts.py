"""Our rollouts.parquet to a table of trajectories: accuracy by problem and epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from limr import importing, io
from limr.records import ROLLOUTS, TRAJECTORIES, VERDICTS, Problem

PROVIDES = "trajectories"
OPTIONS: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}

_COLUMNS = ("problem_id", "step", "epoch", "sample", "reward", "verdict")


def read(
    path: Path, problems: Sequence[Problem], options: Mapping[str, Any]
) -> tuple[pa.Table, list[str]]:
    """Return the trajectories of a run and notes on what was found.

    Correctness comes from the verdict, never from the reward. All samples of a problem within an
    epoch count together, as in the paper's code.

    Args:
        path: a file as in `limr.records.ROLLOUTS`; the responses are not read.
        problems: the problems that were trained on.
        options: none.

    Raises:
        InputError: not such a file, a missing value, a negative epoch, an unknown verdict, a
            (problem, step, sample) that stands twice, or a problem that is not in `problems`.
    """
    table = io.read_parquet(path, ROLLOUTS, _COLUMNS)
    table = table.set_column(5, "verdict", table["verdict"].cast(pa.string()))
    importing.refuse_empty(table, path)
    for column in ("problem_id", "step", "epoch", "sample", "verdict"):
        importing.refuse(table, pc.is_null(table[column]), path, f"{column} is missing")
    importing.refuse(table, pc.less(table["epoch"], 0), path, "a negative epoch")
    known = pc.is_in(table["verdict"], pa.array(VERDICTS))
    importing.refuse(table, pc.invert(known), path, f"a verdict that is none of {VERDICTS}")
    importing.refuse_doubled(table, ("problem_id", "step", "sample"), path)
    correct = pc.equal(table["verdict"], "correct").cast(pa.int32())
    # One thread: the order in which rewards are added must not depend on the machine.
    grouped = (
        table.append_column("correct", correct)
        .group_by(["problem_id", "epoch"], use_threads=False)
        .aggregate([([], "count_all"), ("correct", "sum"), ("reward", "mean")])
    )
    result = pa.table(
        {
            "problem_id": grouped["problem_id"],
            "epoch": grouped["epoch"],
            "n": grouped["count_all"].cast(pa.int32()),
            "n_correct": grouped["correct_sum"].cast(pa.int32()),
            "mean_reward": grouped["reward_mean"],
        },
        schema=TRAJECTORIES,
    )
    return importing.in_problem_order(result, problems, path)

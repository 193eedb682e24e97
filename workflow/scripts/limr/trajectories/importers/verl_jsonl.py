"""verl's rollout dump: JSON lines with input, output, score and step, one file per step.

verl writes `{step}.jsonl` into `trainer.rollout_data_dir`: `input` is the decoded prompt with its
chat template, `score` the reward, then whatever else the reward function returns, such as `acc`.
There is no prompt id: prompts are joined by text, without the template (see
`limr.trajectories.prompt_index`). Where every row says itself whether it is correct (`correct_key`,
by default `acc`), that counts, as the score may hold penalties; else the score tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from limr.core import own_files, progress
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.core.validation import key
from limr.trajectories import json_rows, step_log, step_log_options
from limr.trajectories.reading import Imported

PROVIDES = "trajectories"
FILES = "*.jsonl"


class Options(step_log_options.StepLog):
    """Keys of an entry of `trajectories`."""

    correct_key: str | None = key(
        "acc",
        "Key that says whether a response is correct (true or false, 1 or 0), where the rows have "
        "it; null: the score tells.",
    )


check = step_log_options.check

_MOST_ROWS = 65536  # rows in memory at a time


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of a rollout dump.

    Raises:
        InputError: rows with and without `correct_key`, or see `limr.trajectories.step_log.read`.
    """
    where = str(paths[0].parent if len(paths) > 1 else paths[0])
    return step_log.read(_parts(paths, options), problems, options, where)


def _row_type(correct_key: str | None) -> Any:
    """Return the type of a row; whatever else the line holds is skipped."""
    fields: list[Any] = [("input", str), ("score", float), ("step", int | None, None)]
    key = msgspec.field(name=correct_key or "", default=None)
    return msgspec.defstruct("Row", [*fields, ("correct", bool | float | None, key)], gc=False)


def _parts(
    paths: Sequence[Path], options: Mapping[str, Any]
) -> Iterator[step_log.Rows | tuple[str, int, str]]:
    key = options["correct_key"]
    decoder = msgspec.json.Decoder(_row_type(key), strict=False)
    says: bool | None = None  # whether rows say themselves that they are correct
    for path in progress.over(sorted(paths, key=own_files.by_number), len(paths), "files"):
        step_of_file, _ = own_files.by_number(path)
        lines = json_rows.lines(path)
        while some := list(islice(lines, _MOST_ROWS)):
            by_step: dict[int, list[tuple[int, Any]]] = {}
            for number, line in some:
                try:
                    row = decoder.decode(line)
                except json_rows.NOT_DECODED as error:
                    what = f"it is not a rollout ({json_rows.fault(error)})"
                    yield what, 1, f"{path}:{number}"
                    continue
                says = _check_correct(row.correct, key, says, f"{path}:{number}")
                step = step_of_file if row.step is None else row.step
                by_step.setdefault(step, []).append((number, row))
            for step, rows in sorted(by_step.items()):
                yield _rows(step, path, rows)


def _check_correct(value: bool | float | None, key: str, says: bool | None, where: str) -> bool:
    """Return whether a row says itself that it is correct.

    Raises:
        InputError: it does and earlier rows do not, or the other way round; or it says neither
            true nor false.
    """
    if says is not None and says != (value is not None):
        raise InputError(
            f"{where}: {'lacks' if says else 'has'} the key '{key}', unlike the rows before it, so "
            "that correct cannot mean one thing. Set `correct_key: null` to go by the score."
        )
    if value not in (None, 0, 1):
        raise InputError(
            f"{where}: '{key}', the key that says whether a response is correct, is {value}; "
            "expected true or false, 1 or 0. Name another key, or null."
        )
    return value is not None


def _rows(step: int, path: Path, rows: list[tuple[int, Any]]) -> step_log.Rows:
    says = rows[0][1].correct is not None
    return step_log.Rows(
        step,
        *step_log.distinct([row.input for _, row in rows]),
        np.array([row.score for _, row in rows], np.float64),
        lambda place: f"{path}:{rows[place][0]}",
        np.array([row.correct for _, row in rows], bool) if says else None,
    )

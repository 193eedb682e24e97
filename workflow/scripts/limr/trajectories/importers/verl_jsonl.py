"""verl's rollout dump: JSON lines with input, output, score and step, one file a step.

verl writes `{step}.jsonl` into `trainer.rollout_data_dir`: `input` is the decoded prompt with its
chat template, `score` the reward; what the reward function returns beside it, such as `acc`,
follows. There is no prompt id: prompts are joined by text, the template taken off (see
`limr.trajectories.prompt_index`). Where every row says by itself whether it is correct
(`correct_key`, by default `acc`), that is believed: the score may hold penalties; else the score
tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from limr.core import own_files, progress
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.trajectories import json_rows, step_log, step_log_options
from limr.trajectories.reading import Imported

PROVIDES = "trajectories"
FILES = "*.jsonl"
OPTIONS: dict[str, Any] = {
    "type": "object",
    "properties": {
        **step_log_options.options(correct=[1.0], others=[0.0, -0.5, -1.0]),
        "correct_key": {
            "type": ["string", "null"],
            "default": "acc",
            "description": (
                "Key that says whether a response is correct (true or false, 1 or 0), where the "
                "rows have it; null: the score tells."
            ),
        },
    },
    "additionalProperties": False,
}
check = step_log_options.check

_MOST_ROWS = 65536  # rows in memory at a time
_KEYS = ("input", "score", "step")


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of a rollout dump.

    Args:
        paths: the files; a row's step is its `step`, else the number in the file's name.
        problems: the problems that were trained on; None: every text is a problem.
        options: see `OPTIONS`.

    Raises:
        InputError: rows with and without `correct_key`, or see `limr.trajectories.step_log.read`.
    """
    where = str(paths[0].parent if len(paths) > 1 else paths[0])
    return step_log.read(_parts(paths, options), problems, options, where)


def _row_type(correct_key: str | None) -> Any:
    """Return the type of a row: everything else on the line is passed over."""
    fields: list[Any] = [
        ("input", str),
        ("score", float),
        ("step", int | None, None),
    ]
    if correct_key is not None:
        field = msgspec.field(name=correct_key, default=None)
        fields.append(("correct", bool | float | None, field))
    return msgspec.defstruct("Row", fields, gc=False)


def _parts(
    paths: Sequence[Path], options: Mapping[str, Any]
) -> Iterator[step_log.Rows | tuple[str, int, str]]:
    key = options["correct_key"]
    decoder = msgspec.json.Decoder(_row_type(key), strict=False)
    said: bool | None = None
    for path in progress.over(sorted(paths, key=own_files.by_number), "files"):
        step_of_file, _ = own_files.by_number(path)
        for batch, broken in _batches(path, decoder):
            yield from ((f"it is not a rollout ({what})", 1, place) for place, what in broken)
            by_step: dict[int, list[tuple[int, Any]]] = {}
            for number, row in batch:
                step = step_of_file if row.step is None else row.step
                by_step.setdefault(step, []).append((number, row))
            for step, rows in sorted(by_step.items()):
                part = _rows(step, path, rows, key is not None)
                if said is not None and said != (part.correct is not None):
                    raise InputError(
                        f"{part.place(0)}: some rows have '{key}' and some have not, so that "
                        "correct cannot mean one thing. Set `correct_key: null` to go by the score."
                    )
                said = part.correct is not None
                yield part


def _batches(
    path: Path, decoder: Any
) -> Iterator[tuple[list[tuple[int, Any]], list[tuple[str, str]]]]:
    batch: list[tuple[int, Any]] = []
    broken: list[tuple[str, str]] = []
    for number, line in json_rows.lines(path):
        try:
            batch.append((number, decoder.decode(line)))
        except msgspec.ValidationError as error:
            broken.append((f"{path}:{number}", json_rows.shape(error)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            broken.append((f"{path}:{number}", json_rows.syntax(error)))
        if len(batch) + len(broken) >= _MOST_ROWS:
            yield batch, broken
            batch, broken = [], []
    yield batch, broken


def _rows(step: int, path: Path, rows: list[tuple[int, Any]], may_say: bool) -> step_log.Rows:
    said = [row.correct for _, row in rows] if may_say else []
    correct = None
    if said and all(value is not None for value in said):
        values = np.array(said, np.float64)
        odd = ~np.isin(values, (0.0, 1.0))
        if odd.any():
            number, row = rows[int(np.argmax(odd))]
            raise InputError(
                f"{path}:{number}: the key that says whether a response is correct is "
                f"{row.correct}; expected true or false, 1 or 0. Name another key, or null."
            )
        correct = values == 1.0
    elif any(value is not None for value in said):
        number = next(n for (n, _), value in zip(rows, said, strict=True) if value is None)
        raise InputError(
            f"{path}:{number}: lacks the key that says whether a response is correct, which other "
            "rows have. Set `correct_key: null` to go by the score."
        )
    return step_log.Rows(
        step,
        *step_log.distinct([row.input for _, row in rows]),
        np.array([row.score for _, row in rows], np.float64),
        lambda place: f"{path}:{rows[place][0]}",
        correct,
    )

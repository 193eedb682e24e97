"""TRL's completions: parquet files with step, prompt, completion and a column for each reward.

TRL writes `completions/completions_{step}.parquet` where `log_completions` is set: `prompt` with
its chat template, one column per reward function, and `advantage`. There is no prompt id: prompts
are joined by text, without the template (see `limr.trajectories.prompt_index`). With
`logging_steps` above 1 TRL gives all rows since the last logging one step number: log every step,
or set `missing_steps: allow`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from limr.core import own_files, progress
from limr.core.errors import InputError, nearest
from limr.core.tables import Problem
from limr.core.validation import key
from limr.trajectories import step_log, step_log_options
from limr.trajectories.curves import Ints
from limr.trajectories.reading import Imported

PROVIDES = "trajectories"
FILES = "*.parquet"


class Options(step_log_options.StepLog):
    """Keys of an entry of `trajectories`."""

    reward: str | None = key(
        None,
        "The column whose value tells whether a response is correct; null: the one column of "
        "numbers beside step and advantage, where there is only one.",
    )


check = step_log_options.check

_NOT_REWARDS = ("step", "prompt", "completion", "advantage", "mode", "image", "images")
_BATCH = 65536


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of logged completions.

    Raises:
        InputError: not such a file, several columns that may be the reward and none named, or see
            `limr.trajectories.step_log.read`.
    """
    where = str(paths[0].parent if len(paths) > 1 else paths[0])
    return step_log.read(_parts(paths, options["reward"]), problems, options, where)


def _parts(paths: Sequence[Path], reward: str | None) -> Iterator[step_log.Rows]:
    for path in progress.over(sorted(paths, key=own_files.by_number), len(paths), "files"):
        try:
            file = pq.ParquetFile(path)
            column = _reward_column(path, file.schema_arrow, reward)
            first = 0
            for batch in file.iter_batches(_BATCH, columns=["step", "prompt", column]):
                yield from _by_step(path, batch, column, first)
                first += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{path}: not a readable parquet file ({error}).") from None


def _reward_column(path: Path, found: pa.Schema, named: str | None) -> str:
    lacking = [name for name in ("step", "prompt") if name not in found.names]
    if lacking:
        raise InputError(
            f"{path}: column '{lacking[0]}' is missing; found {found.names}. TRL writes such files "
            "with `log_completions`."
        )
    numbers: list[str] = [
        field.name
        for field in found
        if field.name not in _NOT_REWARDS
        and (pa.types.is_floating(field.type) or pa.types.is_integer(field.type))
    ]
    if named is not None:
        if named not in numbers:
            raise InputError(f"{path}: reward: no column '{named}'.{nearest(named, numbers)}")
        return named
    if len(numbers) != 1:
        raise InputError(
            f"{path}: {len(numbers)} columns may be the reward ({', '.join(numbers) or 'none'}). "
            "Name the one that says whether a response is correct: `reward: NAME`."
        )
    return numbers[0]


def _by_step(path: Path, batch: pa.RecordBatch, column: str, first: int) -> Iterator[step_log.Rows]:
    """Yield the rows of a batch, a step at a time; `first` is the number of its first row."""
    for name in ("step", "prompt"):
        if batch[name].null_count:
            row = first + pc.index(pc.is_null(batch[name]), True).as_py() + 1
            raise InputError(f"{path}: row {row}: {name} is missing.")
    # TRL has written the step as a number and as a text.
    steps = batch["step"].cast(pa.int64()).to_numpy(zero_copy_only=False)
    prompts = batch["prompt"].cast(pa.string()).to_pylist()
    rewards = batch[column].cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
    for step in np.unique(steps):
        of = np.flatnonzero(steps == step)
        yield step_log.Rows(
            int(step),
            *step_log.distinct([prompts[row] for row in of]),
            rewards[of],
            partial(_place, path, of + first),
        )


def _place(path: Path, rows: Ints, row: int) -> str:
    return f"{path}: row {int(rows[row]) + 1}"

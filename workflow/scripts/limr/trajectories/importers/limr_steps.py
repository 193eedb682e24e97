"""The LIMR code's own log: a folder of step_N.json, each a list of {prompt, response, reward}.

Steps count from 1. A response is correct where its reward is 1 (the paper's rule rewards 1, -0.5
and -1). Prompts have no ids: they are joined to the problems by text (see
`limr.trajectories.prompt_index`). One file is in memory at a time (one in each of two processes
where there are many), and only the prompt and reward of its entries are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from limr.core import own_files, progress
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.core.validation import key
from limr.trajectories import json_rows, step_log
from limr.trajectories.reading import Imported

PROVIDES = "trajectories"
FILES = "step_*.json"


class Options(step_log.Options):
    """Keys of an entry of `trajectories`."""

    other_rewards: step_log.OtherRewards = key([-0.5, -1.0])


check = step_log.check


class _Entry(msgspec.Struct, gc=False):
    prompt: str
    reward: float


_LIST = msgspec.json.Decoder(list[_Entry])
_ENTRY = msgspec.json.Decoder(_Entry)


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of a log of steps.

    Raises:
        InputError: a file that is not such a list, two files of one step, or see
            `limr.trajectories.step_log.read`.
    """
    return step_log.read(_parts(paths), problems, options, str(paths[0].parent))


def _parts(paths: Sequence[Path]) -> Iterator[step_log.Rows | tuple[str, int, str]]:
    by_step: dict[int, Path] = {}
    for path in sorted(paths, key=own_files.by_number):
        step, _ = own_files.by_number(path)
        if step < 0:
            raise InputError(f"{path}: expected a name such as step_12.json: it tells the step.")
        if step in by_step:
            raise InputError(f"{path}: step {step} is already in {by_step[step].name}. Keep one.")
        by_step[step] = path
    read = progress.mapped(_read, by_step.values(), "step files")
    for path, (rows, broken) in zip(by_step.values(), read, strict=True):
        for number, what in broken:
            yield f"it is not a rollout ({what})", 1, f"{path}: entry {number}"
        yield rows


def _read(path: Path) -> tuple[step_log.Rows, list[tuple[int, str]]]:
    """Return the entries of a step file, and (number, what is wrong) of broken ones."""
    entries, numbers, broken = json_rows.decode_list(path, _LIST, _ENTRY)
    rows = step_log.Rows(
        own_files.by_number(path)[0],
        *step_log.distinct([entry.prompt for entry in entries]),
        np.array([entry.reward for entry in entries], np.float64),
        partial(_place, path, numbers),
    )
    return rows, broken


def _place(path: Path, numbers: Sequence[int], row: int) -> str:
    return f"{path}: entry {numbers[row]}"

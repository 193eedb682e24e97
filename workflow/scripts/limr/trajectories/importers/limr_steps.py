"""The LIMR code's own log: a folder of step_N.json, each a list of {prompt, response, reward}.

Steps count from 1. A response is correct where its reward is 1 (the paper's rule rewards 1, -0.5
and -1). Prompts have no ids: they are joined to the problems by text (see
`limr.trajectories.prompt_index`). One file is in memory at a time (one in each of two processes
where there are many), and only the prompt and reward of its entries are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from limr.core import own_files, progress
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.core.validation import key
from limr.trajectories import json_rows, step_log, step_log_options
from limr.trajectories.curves import Floats, Ints
from limr.trajectories.reading import Imported

PROVIDES = "trajectories"
FILES = "step_*.json"


class Options(step_log_options.StepLog):
    """Keys of an entry of `trajectories`."""

    other_rewards: step_log_options.OtherRewards = key([-0.5, -1.0])


check = step_log_options.check


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
    for step, file in zip(
        by_step, progress.mapped(_read, by_step.values(), "step files"), strict=True
    ):
        path = by_step[step]
        for number, what in file.broken:
            yield f"it is not a rollout ({what})", 1, f"{path}: entry {number}"
        place = partial(_place, path, file.numbers)
        yield step_log.Rows(step, file.prompts, file.which, file.rewards, place)


@dataclass(frozen=True)
class _File:
    """What is kept of a step file: `numbers` are those of the entries that are not broken."""

    prompts: list[str]
    which: Ints
    rewards: Floats
    numbers: list[int]
    broken: list[tuple[int, str]]


def _read(path: Path) -> _File:
    entries, numbers, broken = json_rows.decode_list(path, _LIST, _ENTRY)
    prompts, which = step_log.distinct([entry.prompt for entry in entries])
    rewards = np.array([entry.reward for entry in entries], np.float64)
    return _File(prompts, which, rewards, numbers, broken)


def _place(path: Path, numbers: Sequence[int], row: int) -> str:
    return f"{path}: entry {numbers[row]}"

"""TRL's completions, as `log_completions` writes them: `completions_{step}.parquet`.

Columns: step, prompt, completion, one column per reward function, advantage, and what the user
logs beside. A file holds the last generation only, also where it is written every few steps
(`logging_steps`); a generation that serves several updates is written again at each; an evaluation
at the same step takes the place of the training file. Prompts are texts or chat messages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from limr.core.tables import Problem
from limr.trajectories import reader, reward_columns
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "trajectories"
FILES = "*.parquet"
check = reader.check
Options = reader.Options

_NOT_REWARDS = {"step", "prompt", "completion", "advantage", "mode", "image", "images"}


def columns(sample: Sample, options: Mapping[str, Any]) -> dict[str, str] | None:
    """Return canonical name -> column; None where these are no completions of TRL.

    Raises:
        InputError: no column, or several, may say whether a response is correct.
    """
    if not sample.has("step", "prompt", "completion"):
        return None
    found = {"prompt": "prompt", "response": "completion", "step": "step"}
    numbers = [name for name in _ordered(sample) if _is_number(sample, name)]
    found["reward"] = reward_columns.chosen(sample.file.name, numbers, options["reward"])
    return found


def _ordered(sample: Sample) -> list[str]:
    return [name for row in sample.rows[:1] for name in row if name not in _NOT_REWARDS]


def _is_number(sample: Sample, name: str) -> bool:
    value = sample.value(name)
    return value is None or isinstance(value, (int, float))


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of logged completions; see `limr.trajectories.reader.read`."""
    return reader.read_files(paths, problems, options, "trl-parquet")

"""TRL's completions, as `log_completions` writes them: `completions_{step}.parquet`.

Columns: step, prompt, completion, one column per reward function, advantage, and what the user
logs beside. A file holds the last generation only, also where it is written every few steps
(`logging_steps`); a generation that serves several updates is written again at each; an evaluation
at the same step takes the place of the training file. Prompts are texts or chat messages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from limr.core.errors import InputError, nearest
from limr.core.tables import Problem
from limr.trajectories import reader
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "trajectories"
FILES = "*.parquet"
check = reader.check
Options = reader.Options

_NOT_REWARDS = {"step", "prompt", "completion", "advantage", "mode", "image", "images"}
_CORRECT = re.compile(r"(^|_)(acc|accuracy|correct|correctness|is_correct)(_|$)")
# What a reward of form, length or style is called: never whether a response is correct.
_FORM = re.compile(
    r"format|think|tag|xml|length|len(_|$)|penalt|language|repetit|style|cosine|token"
)


def columns(sample: Sample, options: Mapping[str, Any]) -> dict[str, str] | None:
    """Return canonical name -> column; None where these are no completions of TRL.

    Raises:
        InputError: no column, or several, may say whether a response is correct.
    """
    if not sample.has("step", "prompt", "completion"):
        return None
    found = {"prompt": "prompt", "response": "completion", "step": "step"}
    numbers = [name for name in _ordered(sample) if _is_number(sample, name)]
    found["reward"] = _reward(sample.file.name, numbers, options["reward"])
    return found


def _ordered(sample: Sample) -> list[str]:
    return [name for row in sample.rows[:1] for name in row if name not in _NOT_REWARDS]


def _is_number(sample: Sample, name: str) -> bool:
    value = sample.value(name)
    return value is None or isinstance(value, (int, float))


def _reward(where: str, numbers: Sequence[str], named: str | None) -> str:
    if named is not None:
        if named not in numbers:
            raise InputError(f"{where}: reward: no column '{named}'.{nearest(named, numbers)}")
        return named
    correct = [name for name in numbers if _CORRECT.search(name) and not _FORM.search(name)]
    others = [name for name in numbers if not _FORM.search(name)]
    chosen = correct or others
    if len(chosen) == 1:
        return chosen[0]
    if numbers and not others:
        raise InputError(
            f"{where}: the only rewards are {', '.join(numbers)}, which by name reward the form of "
            "a response, not a correct answer. If one tells whether a response is correct, name "
            "it: `reward: NAME`."
        )
    raise InputError(
        f"{where}: {len(chosen)} columns may be the reward ({', '.join(chosen) or 'none'}). Name "
        "the one that says whether a response is correct: `reward: NAME`."
    )


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of logged completions; see `limr.trajectories.reader.read`."""
    return reader.read_files(paths, problems, options, "trl-parquet")

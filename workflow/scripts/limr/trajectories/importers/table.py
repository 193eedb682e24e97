"""Rollouts of any trainer as a table: JSON lines, JSON, CSV or parquet, one row a rollout.

Columns are found by their usual names, or named in `map`, which goes before. A column by the name
of a reward of form or length is never taken for correctness, and of several rewards none is taken:
the user names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from limr.core.errors import InputError, nearest
from limr.core.tables import Problem
from limr.core.validation import key
from limr.trajectories import reader, reward_columns
from limr.trajectories.batch import walk
from limr.trajectories.numbers import MISSING, NUMBER, number_of
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "trajectories"
FILES = "*.[cjnp]*"
PRIORITY = -3  # where nothing else fits
check = reader.check

# Canonical name -> what columns are called, the first that is there is taken.
NAMES = {
    "prompt": ("prompt", "problem", "question", "query", "input", "instruction", "input_prompt"),
    "response": (
        "response", "completion", "output", "generation", "model_output", "output_response",
        "prediction",
    ),
    "gold": ("gold", "gold_answer", "ground_truth", "gts", "reference_answer", "target", "label",
             "answer", "solution"),
    "step": ("step", "global_step", "training_step", "train_step", "iteration", "iter",
             "rollout_id", "epoch"),
    "group": ("group_id", "group", "group_index", "group_uid"),
    "uid": ("uid",),
    "id": ("problem_id", "prompt_id", "question_id", "task_id", "example_id", "id"),
}  # fmt: skip
# Names that may be of something else: taken where they go with the prompt.
_DOUBTFUL = {"gold": ("label", "answer", "solution", "target"), "id": NAMES["id"]}
CANONICAL = (*NAMES, "reward", "correct", "rollout")
_INSIDE = ("reward", "rewards", "score", "scores", "metrics")  # objects that hold rewards by name


class Options(reader.Options):
    """Keys of an entry of `trajectories`."""

    map: dict[str, str] = key(
        {},
        "Which column is what: " + ", ".join(f"`{name}`" for name in CANONICAL) + ", each with a "
        "column's name or a dotted path (`extra_info.index`). Columns that are not named here are "
        "found by their usual names.",
    )


def columns(sample: Sample, options: Mapping[str, Any]) -> dict[str, str] | None:
    """Return canonical name -> column; None where no rows of rollouts are recognised.

    Raises:
        InputError: `map` names what is no canonical name or no column, or several columns may be
            the reward.
    """
    given = dict(options.get("map") or {})
    _refuse_unknown(sample, given)
    found = found_by_name(sample, given)
    if not {"prompt", "id"} & set(found):
        return None
    if not {"reward", "correct"} & set(given):
        told = outcome(sample, numbers(sample, set(found.values())), options["reward"])
        if not told:
            return None
        found |= told
    return found


def found_by_name(sample: Sample, given: Mapping[str, str]) -> dict[str, str]:
    """Return canonical name -> column, but for what says how good a response is."""
    found = dict(given)
    for name, candidates in NAMES.items():
        taken = set(found.values())
        for column in () if name in found else candidates:
            doubtful = column in _DOUBTFUL.get(name, ())
            if column in sample.names - taken and (
                not doubtful or _goes_with(sample, found.get("prompt"), column, name == "id")
            ):
                found[name] = column
                break
    return found


def _goes_with(sample: Sample, prompt: str | None, column: str, only: bool) -> bool:
    """Tell whether a column is the same wherever a prompt is (`only`: and differs elsewhere)."""
    pairs = {
        (repr(walk(row, prompt)) if prompt else "", repr(row.get(column))) for row in sample.rows
    }
    prompts, values = {p for p, _ in pairs}, {v for _, v in pairs}
    if prompt is None:
        return len(values) < len(sample.rows)
    once = len(sample.rows) == len(prompts)  # then this says nothing, and the name must do
    same = len(pairs) == len(prompts) and (not only or len(pairs) == len(values))
    return same and (not once or column not in ("id", "label", "answer", "solution"))


def _refuse_unknown(sample: Sample, given: Mapping[str, str]) -> None:
    where = sample.file.name
    for name, path in given.items():
        if name not in CANONICAL:
            raise InputError(
                f"map: '{name}' is none of {', '.join(CANONICAL)}.{nearest(name, CANONICAL)}"
            )
        if not any(_has(row, path) for row in sample.rows) and path not in sample.names:
            known = sorted(sample.names)
            raise InputError(
                f"{where}: map: {name}: there is no column '{path}'; found {', '.join(known)}."
                f"{nearest(path, known)}"
            )


def _has(row: Any, path: str) -> bool:
    if path in row:
        return True
    *parents, last = path.split(".")
    inside = walk(row, ".".join(parents)) if parents else row
    return isinstance(inside, Mapping) and last in inside


def numbers(sample: Sample, taken: set[str]) -> list[str]:
    """Return the columns of numbers or verdicts, also within objects of rewards, in order."""
    found = []
    for name in dict.fromkeys(name for row in sample.rows for name in row):
        value = sample.value(name)
        if isinstance(value, Mapping) and name in _INSIDE:
            found += [f"{name}.{inner}" for inner in value if _is_number(value[inner])]
        elif name not in taken and _is_number(value):
            found.append(name)
    return found


def _is_number(value: Any) -> bool:
    return not isinstance(value, list) and number_of(value)[1] in (NUMBER, MISSING)


def outcome(sample: Sample, names: Sequence[str], named: str | None) -> dict[str, str]:
    """Return which columns are the reward and the verdict; empty where no name says so.

    Raises:
        InputError: several may be, or only rewards of form are there.
    """
    where = sample.file.name
    if named is not None:
        return {"reward": reward_columns.chosen(where, names, named)}
    rewards = [name for name in names if reward_columns.is_reward(name)]
    if not rewards:
        return {}
    told = reward_columns.chosen(where, rewards, None)
    if not reward_columns.says_correct(told):
        return {"reward": told}
    others = [name for name in rewards if not reward_columns.says_correct(name)]
    whole = [name for name in others if name in ("reward", "score")]
    return {"correct": told} | ({"reward": whole[0]} if len(whole) == 1 else {})


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of a table of rollouts; see `limr.trajectories.reader.read`."""
    return reader.read_files(paths, problems, options, "table")

"""verl's rollout dump: JSON lines with input, output, score and step, one file per step.

verl writes `{step}.jsonl` into `trainer.rollout_data_dir`: `input` is the decoded prompt with its
chat template, `score` the reward (or an object with it), then whatever else the reward function
returns, such as `acc`. Where a row says itself whether it is correct, that counts, since the score
may hold penalties. In the v1 trainer `uid` is `{group}_{rollout}_{turn}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from limr.core.tables import Problem
from limr.core.validation import key
from limr.trajectories import reader
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "trajectories"
FILES = "*.jsonl"
check = reader.check
_CORRECT = ("acc", "correct", "is_correct")


class Options(reader.Options):
    """Keys of an entry of `trajectories`."""

    correct_key: str | None = key(
        "acc",
        "Key that says whether a response is correct (true or false, 1 or 0), where the rows have "
        "it; null: the score tells.",
    )


def columns(sample: Sample, options: Mapping[str, Any]) -> dict[str, str] | None:
    """Return canonical name -> key; None where this is no such dump."""
    if not sample.has("input", "output", "score"):
        return None
    found = {"prompt": "input", "response": "output", "gold": "gts", "step": "step", "uid": "uid"}
    found = {name: path for name, path in found.items() if path in sample.names}
    inside = sample.value("score")
    prefix = "score." if isinstance(inside, Mapping) else ""
    names = set(inside) if isinstance(inside, Mapping) else sample.names
    found["reward"] = options["reward"] or f"{prefix}score"
    named = options["correct_key"]
    if named is not None and options["reward"] is None:
        known = [key for key in dict.fromkeys((named, *_CORRECT)) if key in names]
        if known:
            found["correct"] = prefix + known[0]
    return found


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of a rollout dump; see `limr.trajectories.reader.read`."""
    return reader.read_files(paths, problems, options, "verl-jsonl")

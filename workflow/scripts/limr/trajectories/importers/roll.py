"""ROLL's rollout dump: `rollout_dump_data.step_{N}.jsonl`, one line, one object of columns.

ROLL (alibaba/ROLL, `roll/pipeline/rlvr/utils.py`) writes it into `rollout_dump_dir`: every column
is a list with an entry for each rollout. Which columns there are depends on the data set; scores,
responses and global_step are always there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from limr.core.tables import Problem
from limr.trajectories import reader
from limr.trajectories.json_records import Expand
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "trajectories"
FILES = "rollout_dump_data.step_*.jsonl*"
check = reader.check
Options = reader.Options


def columns(sample: Sample, options: Mapping[str, Any]) -> dict[str, str] | None:
    """Return canonical name -> column; None where this is no such dump."""
    needed = ("responses", "scores", "global_step")
    if not sample.has(*needed) or not all(isinstance(sample.value(c), list) for c in needed):
        return None
    prompt = "prompt" if sample.has("prompt") else "messages"
    if not sample.has(prompt):
        return None
    found = {"prompt": prompt, "response": "responses", "step": "global_step"}
    found["reward"] = options["reward"] or "scores"
    return found | {
        name: column
        for name, column in (("id", "id"), ("gold", "ground_truth"))
        if sample.has(column)
    }


def expander(sample: Sample, options: Mapping[str, Any]) -> Expand:
    """Return what makes rollouts of a line."""
    return rollouts


def rollouts(line: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rollouts of a line.

    Raises:
        ValueError: its columns differ in length.
    """
    lists = {name: values for name, values in line.items() if isinstance(values, list)}
    lengths = {len(values) for values in lists.values()}
    if len(lengths) != 1:
        raise ValueError(f"its columns hold {' or '.join(map(str, sorted(lengths)))} values")
    for values in zip(*lists.values(), strict=True):
        row = dict(zip(lists, values, strict=True))
        messages = row.get("messages")
        if isinstance(messages, str):  # ROLL declares them as a text
            with suppress(ValueError):
                row["messages"] = json.loads(messages)
        yield row


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of a rollout dump; see `limr.trajectories.reader.read`."""
    return reader.read_files(paths, problems, options, "roll")

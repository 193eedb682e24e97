"""Tables with one row a prompt, whose responses and rewards are lists.

Data sets of rollouts on the Hugging Face hub are often so: `problem`, `generations`, `correctness`.
Columns are found by name as those of the format `table`; the column of rewards is a list, and lists
of its length have an entry for each rollout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from limr.core.tables import Problem
from limr.trajectories import reader
from limr.trajectories.importers import table
from limr.trajectories.json_records import Expand
from limr.trajectories.numbers import MISSING, NUMBER, number_of
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "trajectories"
FILES = "*.[cjnp]*"
PRIORITY = -1
check = reader.check
Options = table.Options
_RESPONSES = ("responses", "completions", "generations", "outputs", "rollouts", "solutions",
              "response", "completion", "output")  # fmt: skip


def columns(sample: Sample, options: Mapping[str, Any]) -> dict[str, str] | None:
    """Return canonical name -> column; None where no lists of rewards are recognised.

    Raises:
        InputError: several columns may be the reward, or `map` is wrong.
    """
    lists = [name for name in sorted(sample.names) if _holds_numbers(sample.value(name))]
    found = table.found_by_name(sample, options["map"])
    if not lists or "prompt" not in found or _is_texts(sample.value(found["prompt"])):
        return None
    if not {"reward", "correct"} & set(found):
        told = table.outcome(sample, lists, options["reward"])
        if not told:
            return None
        found |= told
    responses = next((name for name in _RESPONSES if _is_texts(sample.value(name))), None)
    if "response" not in options["map"]:
        found.pop("response", None)
        found |= {} if responses is None else {"response": responses}
    return found


def _holds_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(number_of(v)[1] in (NUMBER, MISSING) for v in value)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(v, str) for v in value)


def expander(sample: Sample, options: Mapping[str, Any]) -> Expand:
    """Return what makes rollouts of a row."""
    found = columns(sample, options) or {}
    reward = found.get("reward", found.get("correct", ""))
    prompt = found.get("prompt")

    def rollouts(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        values = row.get(reward)
        if not isinstance(values, list):
            raise ValueError(f"'{reward}' is no list")
        several = [
            name for name, value in row.items()
            if name != prompt and isinstance(value, list) and len(value) == len(values)
        ]  # fmt: skip
        for place in range(len(values)):
            yield {**row, **{name: row[name][place] for name in several}}

    return rollouts


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of lists; see `limr.trajectories.reader.read`."""
    return reader.read_files(paths, problems, options, "list-columns")

"""The LIMR code's own log: a folder of step_N.json, each a list of {prompt, response, reward}.

Steps count from 1. A response is correct where its reward is 1 (the paper's rule rewards 1, -0.5
and -1). Its authors count epochs by steps: `steps_per_epoch: 8`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from limr.core.tables import Problem
from limr.core.validation import Number, key
from limr.trajectories import reader
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "trajectories"
FILES = "step_*.json"
check = reader.check
_NAME = re.compile(r"step_?\d+\.json")
_REWARDS = {"1", "1.0", "-0.5", "-1", "-1.0"}


class Options(reader.Options):
    """Keys of an entry of `trajectories`."""

    other_rewards: list[Number] | None = key(
        [-0.5, -1.0],
        "Rewards that mean a response that is not correct; any further reward is refused. null: "
        "every other number.",
    )


def columns(sample: Sample, options: Mapping[str, Any]) -> dict[str, str] | None:
    """Return canonical name -> key; None where this is no such log."""
    if sample.file.kind != "json" or not sample.has("prompt", "reward"):
        return None
    rewards = {repr(row.get("reward")) for row in sample.rows}
    if not _NAME.search(sample.file.name) and not rewards <= _REWARDS:
        return None
    return {"prompt": "prompt", "reward": options["reward"] or "reward", "response": "response"}


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of a log of steps; see `limr.trajectories.reader.read`."""
    return reader.read_files(paths, problems, options, "limr-steps")

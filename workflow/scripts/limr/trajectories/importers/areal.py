"""AReaL's trajectories: `rollout/{version}/{task_id}.jsonl`, one line a sample.

AReaL (inclusionAI/AReaL, `areal/infra/workflow_executor.py`, `_dump_trajectory`) trains while it
samples: a sample says the versions of the policy that wrote its first and its last tokens. The last
one (`tail_version`, which all samples of a group share) is taken for the step. Prompts are decoded
with their special tokens. In a rollout of several turns all that stands before the trained tokens,
counted from the end, is taken for the prompt by AReaL itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from limr.core.tables import Problem
from limr.trajectories import reader
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "trajectories"
FILES = "**/*.jsonl*"
check = reader.check
Options = reader.Options


def columns(sample: Sample, options: Mapping[str, Any]) -> dict[str, str] | None:
    """Return canonical name -> key; None where this is no such dump."""
    if not sample.has("task_id", "sample_idx", "tail_version", "prompt", "completion", "reward"):
        return None
    return {
        "prompt": "prompt",
        "response": "completion",
        "reward": options["reward"] or "reward",
        "step": "tail_version",
    }


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of a dump; see `limr.trajectories.reader.read`."""
    return reader.read_files(paths, problems, options, "areal")

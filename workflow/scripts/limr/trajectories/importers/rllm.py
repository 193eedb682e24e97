"""rLLM's episodes: `train_step_{N}_epoch_{E}/episode_hash….json`, one file an episode.

rLLM (rllm-org/rllm, `rllm/utils/episode_logger.py`) writes them with `log_episodes: true`. An
episode says itself whether it is correct; one that ended with an error counts as rLLM counts it, as
not correct. The problem is in `task`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from limr.core.tables import Problem
from limr.trajectories import reader
from limr.trajectories.json_records import Expand
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "trajectories"
FILES = "train_step_*/episode_*.json*"
check = reader.check
Options = reader.Options
_PROMPTS = ("question", "problem", "prompt", "instruction", "query")
_GOLDS = ("ground_truth", "answer", "solution")


def columns(sample: Sample, options: Mapping[str, Any]) -> dict[str, str] | None:
    """Return canonical name -> key of an expanded row; None where this is no episode."""
    if not sample.has("training_step", "episode_id", "task", "is_correct", "trajectories"):
        return None
    found = {"prompt": "prompt", "response": "response", "gold": "gold", "step": "training_step"}
    named = options["reward"]
    return found | {"reward": named or "reward"} | ({} if named else {"correct": "is_correct"})


def expander(sample: Sample, options: Mapping[str, Any]) -> Expand:
    """Return what makes a rollout of an episode."""
    return rollout


def rollout(episode: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rollout of an episode.

    Raises:
        ValueError: no problem is in its task.
    """
    task = episode["task"]
    inside = task if isinstance(task, Mapping) else {"question": task}
    prompt = next((inside[name] for name in _PROMPTS if inside.get(name)), None)
    if prompt is None:
        raise ValueError(f"no problem in task, whose keys are {', '.join(map(str, inside))}")
    trajectories = episode["trajectories"]
    steps = [step for trajectory in trajectories for step in trajectory.get("steps") or []]
    yield {
        **episode,
        "prompt": prompt,
        "gold": next((inside[name] for name in _GOLDS if inside.get(name) is not None), None),
        "response": steps[-1].get("model_response") if steps else None,
        "reward": trajectories[0].get("reward") if len(trajectories) == 1 else None,
    }


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of episodes; see `limr.trajectories.reader.read`."""
    return reader.read_files(paths, problems, options, "rllm")

"""One attempt of a run, as the file that launcher, Ray's workers and the agent read."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from limr.core import files
from limr.grading import rewards
from limr.train.embedded.order import Order

VARIABLE = "LIMR_OPENRLHF_TASK"


@dataclass(frozen=True)
class Task:
    """One attempt: plain values only, as it goes through a file."""

    module: str  # the trainer, e.g. openrlhf.cli.train_ppo_ray
    arguments: list[str]
    folder: str  # the working folder
    attempt: int
    start: int  # step of the checkpoint that it goes on from, 0 for none
    steps: int  # of the whole run
    policies: list[int]  # steps whose policies are kept
    save_every: int  # steps between checkpoints
    kept_checkpoints: int
    nodes: int = 1
    gpus: int = 1
    ray_start_seconds: float = 600.0
    data: str = ""  # prompts, one JSON object per line: prompt, label
    order: dict[str, Any] = field(default_factory=dict)  # `Order`'s fields
    grader: dict[str, Any] = field(default_factory=dict)
    reward: dict[str, Any] = field(default_factory=dict)  # see `limr.grading.rewards`
    stops: list[str] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)  # token ids that end a response
    tries: int | None = None  # batches that a step may drop (`filtering`); None: none
    states: list[int] = field(default_factory=list)  # steps that other runs start from
    fresh: bool = False  # begin with new optimizers: the checkpoint is another run's
    drawn: list[int] = field(default_factory=list)  # problems that each step done has drawn

    @property
    def path(self) -> Path:
        """Return the working folder."""
        return Path(self.folder)

    def rollouts(self) -> Path:
        """Return the folder of this attempt's rollouts."""
        return rollout_folder(self.path, self.attempt, self.start)

    def metrics(self) -> Path:
        """Return the file of this attempt's metrics."""
        return metrics_file(self.path, self.attempt, self.start)

    def make_order(self) -> Order:
        """Return which problems each step takes."""
        return Order(**self.order)

    def pay(self, problem_id: str, step: int, sample: int, verdict: str) -> float:
        """Return the reward of a response."""
        seed, arm = int(self.order["seed"]), str(self.order["arm"])
        return rewards.reward_function(self.reward, seed, arm, step)(problem_id, sample, verdict)

    def write(self) -> Path:
        """Write the file beside the run's state and return its path."""
        path = self.path / f"attempt-{self.attempt:03}.json"
        files.write_json(path, asdict(self))
        return path


def rollout_folder(folder: Path, attempt: int, start: int) -> Path:
    """Return the folder of an attempt's rollouts; its name has the attempt and its start."""
    return folder / "rollouts" / f"attempt-{attempt:03}-after-{start}"


def metrics_file(folder: Path, attempt: int, start: int) -> Path:
    """Return the file of an attempt's metrics."""
    return folder / "metrics" / f"attempt-{attempt:03}-after-{start}.jsonl"


@cache
def read(path: str | None = None) -> Task:
    """Read a task: the named one, or the one that this process was started for."""
    return Task(**json.loads(Path(path or os.environ[VARIABLE]).read_text(encoding="utf-8")))

"""What reward a rollout gets: one file per rule. A rollout's verdict is recorded beside its reward.

A rule's module has these names:

- `TITLE`: its name for people;
- `Options`: its keys under `reward` and `arms.*.reward` (`limr.core.validation.Keys`);
- `reward(rollout: Rollout, options) -> float`: a pure function; randomness comes from
  `Rollout.uniform` alone, so that a resumed or verified run gives the same rewards;
- `values(options) -> list[float]`: every reward that the rule can give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from limr.core import plugins
from limr.core.random_streams import stream_seed

Settings = Mapping[str, Any]  # `rule` and the rule's own options


@dataclass(frozen=True)
class Rollout:
    """What a rule may know of a response: its run, step (from 1), sample (from 0) and verdict.

    `verdict` is one of `limr.core.tables.VERDICTS`, by the run's grader.
    """

    seed: int
    arm: str
    step: int
    problem_id: str
    sample: int
    verdict: str

    @property
    def uniform(self) -> float:
        """A number in [0, 1) from the stream (seed, reward, arm, step, problem, sample)."""
        names = (self.arm, self.step, self.problem_id, self.sample)
        return stream_seed(self.seed, "reward", *names) / 2**63


def reward_function(
    settings: Settings, seed: int, arm: str, step: int
) -> Callable[[str, int, str], float]:
    """Return a function (problem_id, sample, verdict) -> reward for the rollouts of a step.

    `settings` are `rule` and its options, defaults filled in; steps count from 1.
    """
    rule = plugins.load("rewards", settings["rule"])

    def pay(problem_id: str, sample: int, verdict: str) -> float:
        rollout = Rollout(seed, arm, step, problem_id, sample, verdict)
        return float(rule.reward(rollout, settings))

    return pay


def values(settings: Settings) -> list[float]:
    """Return every reward that may be given, sorted."""
    found = plugins.load("rewards", settings["rule"]).values(settings)
    return sorted({float(value) for value in found})

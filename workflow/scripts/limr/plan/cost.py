"""The throughput model behind an estimate; docs/plan.md explains it and its uncertainty.

Floating-point operations per token, for N parameters: 2 N to generate or to score it, 6 N to train
on it, 2 N more where activations are computed twice. Which share of its peak a GPU reaches is known
least: every estimate is a range. `given` is the mean length of a response in tokens as the user
says it, or None: assumed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from limr.models.interface import Settings
from limr.plan.engines import Layout
from limr.plan.hardware import Gpu

FORWARD, TRAINING, RECOMPUTING = 2.0, 6.0, 2.0  # FLOPs per parameter and token


@dataclass(frozen=True)
class Range:
    """A quantity that is known roughly; `low` is the cheap end."""

    low: float
    central: float
    high: float

    def __add__(self, other: Range) -> Range:
        """Add end by end: both quantities are cheap, or dear, at the same time."""
        return Range(self.low + other.low, self.central + other.central, self.high + other.high)

    def times(self, factor: float) -> Range:
        """Return a multiple."""
        return Range(self.low * factor, self.central * factor, self.high * factor)

    def rounded(self) -> dict[str, float]:
        """Return it for JSON, with three digits."""
        ends = (("low", self.low), ("central", self.central), ("high", self.high))
        return {name: float(f"{value:.3g}") for name, value in ends}


@dataclass(frozen=True)
class Case:
    """One end of the assumptions; see `CASES` and docs/plan.md."""

    response: float  # mean response, share of the longest
    generating: float  # share of peak while thousands of responses grow
    evaluating: float  # share of peak while hundreds do
    training: float  # share of peak
    scoring: float  # share of peak, forward only
    between: float  # seconds per PPO step: weights to the generators, grading, waking and sleeping
    loading: float  # seconds to load a model


CASES = (
    Case(0.20, 0.20, 0.12, 0.40, 0.45, 15.0, 30.0),
    Case(0.35, 0.10, 0.05, 0.30, 0.35, 30.0, 60.0),
    Case(0.60, 0.05, 0.02, 0.20, 0.25, 60.0, 180.0),
)
PROMPT_TOKENS = 200.0  # mean of a problem in its template
SOLUTION_SHARE = 0.5  # mean solution as a share of the longest
BYTES_PER_TOKEN = 1.5  # of text in a compressed table


LARGE = 7.0e9  # parameters from which a GPU is kept busy


def reached(parameters: int) -> float:
    """Return which part of `CASES`' shares of the peak a model of this size reaches.

    Small models leave a GPU waiting for memory and for the processor: by the cube root of the size.
    """
    return float(min(1.0, (parameters / LARGE) ** (1 / 3)))


def over(formula: Callable[[Case], float]) -> Range:
    """Return a formula's value in each case."""
    return Range(*(formula(case) for case in CASES))


def response_tokens(case: Case, longest: int, given: float | None) -> float:
    """Return the mean length of a response, given by the user or assumed."""
    return min(given, longest) if given is not None else case.response * longest


def ppo_seconds(
    ppo: Settings, problems: int, parameters: int, layout: Layout, gpu: Gpu, given: float | None
) -> Range:
    """Return how long a PPO run takes; `parameters` are those of the policy, and of the critic.

    The phases of a step follow each other: generation, scoring (old and reference policy, critic),
    training. Roles that share GPUs take turns; others work at the same time.
    """
    rollouts = min(problems, ppo["prompts_per_step"]) * ppo["samples_per_prompt"]
    per_token = TRAINING + (RECOMPUTING if layout.recomputing else 0.0)
    turns = 3 if layout.reference else 2  # models that score

    def seconds(case: Case) -> float:
        response = response_tokens(case, ppo["max_response_tokens"], given)
        tokens = rollouts * (response + PROMPT_TOKENS)
        work = parameters / (gpu.peak * reached(parameters))
        generate = FORWARD * rollouts * response * work / (layout.generating * case.generating)
        score = FORWARD * tokens * work / (layout.training * case.scoring)
        train = per_token * tokens * ppo["epochs_per_batch"] * work
        train /= layout.training * case.training
        if layout.shared:
            score, train = score * turns, train * 2
        return float(ppo["steps"] * (generate + score + train + case.between) + case.loading)

    return over(seconds)


def sft_seconds(sft: Settings, longest: int, parameters: int, layout: Layout, gpu: Gpu) -> Range:
    """Return how long a fine-tuning run takes; `longest` is the longest solution in tokens."""
    per_token = TRAINING + (RECOMPUTING if layout.recomputing else 0.0)
    tokens = sft["steps"] * sft["batch_size"] * SOLUTION_SHARE * longest

    def seconds(case: Case) -> float:
        work = per_token * tokens * parameters / (gpu.peak * reached(parameters))
        return float(work / (layout.training * case.training) + case.loading)

    return over(seconds)


def evaluation_seconds(
    responses: dict[int, int], policies: int, parameters: int, layout: Layout, gpu: Gpu,
    given: float | None,
) -> Range:  # fmt: skip
    """Return how long it takes to evaluate so many policies, one after the other.

    `responses`: longest response in tokens -> how many are drawn from each policy.
    """

    def seconds(case: Case) -> float:
        tokens = sum(
            n * (response_tokens(case, longest, given) + PROMPT_TOKENS)
            for longest, n in responses.items()
        )
        work = FORWARD * tokens * parameters / (gpu.peak * reached(parameters))
        return policies * (work / (layout.generating * case.evaluating) + case.loading)

    return over(seconds)


def rollout_bytes(ppo: Settings, problems: int, given: float | None) -> Range:
    """Return the size of a run's rollouts on disk."""
    rollouts = min(problems, ppo["prompts_per_step"]) * ppo["samples_per_prompt"] * ppo["steps"]
    longest = ppo["max_response_tokens"]
    return over(lambda case: rollouts * response_tokens(case, longest, given) * BYTES_PER_TOKEN)

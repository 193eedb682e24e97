"""A small run of training as plain rows and its truth, for logs that tests write as trainers do."""

from __future__ import annotations

from dataclasses import dataclass

from limr.core.random_streams import stream
from limr.core.tables import Problem
from limr.trajectories.reading import Imported

PROBLEMS = [
    Problem(f"p{i}", f"A crate holds {i + 3} boxes of {2 * i + 7} pens. How many?", str(i), "t")
    for i in range(8)
]
EPOCHS, SAMPLES, PER_STEP = 3, 4, 2


@dataclass(frozen=True)
class Rollout:
    """One response: steps count from 1, samples and problems from 0."""

    problem: int
    epoch: int
    step: int
    sample: int
    correct: bool

    @property
    def prompt(self) -> str:
        return PROBLEMS[self.problem].prompt

    @property
    def gold(self) -> str:
        return PROBLEMS[self.problem].answer

    @property
    def response(self) -> str:
        return f"Thinking {self.step}.{self.sample}: {self.gold if self.correct else 'no'}"


def run(seed: int = 1) -> list[Rollout]:
    """Every epoch in another order; problem 0 is never solved, the last one always."""
    draws, found = stream(seed, "test"), []
    for epoch in range(EPOCHS):
        order = draws.permutation(len(PROBLEMS)).tolist()
        for place, problem in enumerate(order):
            step = 1 + (epoch * len(PROBLEMS) + place) // PER_STEP
            rate = problem / (len(PROBLEMS) - 1)
            found += [
                Rollout(problem, epoch, step, sample, bool(draws.random() < rate))
                for sample in range(SAMPLES)
            ]
    return found


def steps(rows: list[Rollout]) -> dict[int, list[Rollout]]:
    return {step: [row for row in rows if row.step == step] for step in
            sorted({row.step for row in rows})}  # fmt: skip


Counts = list[list[tuple[int, int]]]


def truth(rows: list[Rollout]) -> Counts:
    """Per problem and epoch: samples and correct ones."""
    return [
        [
            (
                sum(r.problem == problem and r.epoch == epoch for r in rows),
                sum(r.correct for r in rows if r.problem == problem and r.epoch == epoch),
            )
            for epoch in range(EPOCHS)
        ]
        for problem in range(len(PROBLEMS))
    ]


def counts(found: Imported) -> Counts:
    samples = found.samples
    return [
        list(zip(n, k, strict=True))
        for n, k in zip(samples.n.tolist(), samples.n_correct.tolist(), strict=True)
    ]


def codes(found: Imported) -> set[str]:
    return {finding.code for finding in found.findings}

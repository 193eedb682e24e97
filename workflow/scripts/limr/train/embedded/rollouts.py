"""Rollouts: graded samples, the table that records them, and a step's summary."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from limr.core.tables import Problem, broken_rules
from limr.grading.pool import GradingPool
from limr.train.embedded.sampling import Samples
from limr.train.embedded.vocabulary import Vocabulary

Columns = dict[str, list[Any]]  # of limr.core.tables.ROLLOUTS, and `format`, the broken format rule


@dataclass
class Drawn:
    """What a step has drawn: the problems, samples and columns of each draw, in order."""

    parts: list[tuple[Sequence[int], Samples, Columns]] = field(default_factory=list)

    def add(
        self, chosen: Sequence[int], samples: Samples, columns: Columns
    ) -> tuple[list[int], int]:
        """Keep a draw; return how many samples of each problem are right, and how many it has."""
        self.parts.append((chosen, samples, columns))
        each = len(columns["verdict"]) // len(chosen)
        right = [verdict == "correct" for verdict in columns["verdict"]]
        return [sum(right[first : first + each]) for first in range(0, len(right), each)], each

    def joined(self) -> tuple[list[int], Samples, Columns]:
        """Return the problems, samples and columns of all draws."""
        chosen = [place for part, _, _ in self.parts for place in part]
        names = self.parts[0][2]
        columns = {
            name: [value for _, _, part in self.parts for value in part[name]] for name in names
        }
        return chosen, Samples.joined([samples for _, samples, _ in self.parts]), columns

    def of(self, kept: Sequence[int]) -> tuple[list[int], Samples, list[float]]:
        """Return the problems, samples and rewards of the groups at these places, in order."""
        chosen, samples, columns = self.joined()
        if list(kept) == list(range(len(chosen))):
            return chosen, samples, columns["reward"]
        each = len(columns["reward"]) // len(chosen)
        rows = [group * each + sample for group in kept for sample in range(each)]
        rewards = [columns["reward"][row] for row in rows]
        return [chosen[group] for group in kept], samples.rows(rows), rewards


def graded(
    problems: Sequence[Problem],
    samples: Samples,
    words: Vocabulary,
    pool: GradingPool,
    pay: Callable[[str, int, str], float],
) -> Columns:
    """Grade a step's samples; return the columns of `ROLLOUTS` without step and epoch.

    `problems` are the step's, each with equally many rows of `samples`, which follow each other;
    `pay`: (problem_id, sample, verdict) -> reward.
    """
    each = len(samples.lengths) // len(problems)
    of_row = [problem for problem in problems for _ in range(each)]
    texts = [words.decode(response) for response in samples.responses()]
    truncated = samples.truncated()
    golds, prompts = zip(*((problem.answer, problem.prompt) for problem in of_row), strict=True)
    grades = pool.grade_many(list(zip(golds, texts, truncated, prompts, strict=True)))
    verdicts = [grade.verdict for grade in grades]
    ids = [problem.problem_id for problem in of_row]
    numbers = list(range(each)) * len(problems)
    return {
        "problem_id": ids,
        "sample": numbers,
        "reward": list(map(pay, ids, numbers, verdicts)),
        "verdict": verdicts,
        "format": [grade.format for grade in grades],
        "response_tokens": samples.lengths.tolist(),
        "truncated": truncated,
        "response": texts,
    }


def summary(columns: Columns, samples: Samples, prompt_tokens: int) -> dict[str, float]:
    """Return a step's means over samples, broken format rules, entropy per token, and tokens.

    `prompt_tokens` counts those of all samples together.
    """
    rows = len(columns["reward"])
    return {
        "mean_reward": sum(columns["reward"]) / rows,
        "accuracy": columns["verdict"].count("correct") / rows,
        "malformed": columns["verdict"].count("malformed") / rows,
        "truncated": sum(columns["truncated"]) / rows,
        **broken_rules(columns["format"]),
        "response_tokens": sum(columns["response_tokens"]) / rows,
        "entropy": float(samples.entropies[samples.mask].mean()),
        "tokens": prompt_tokens + sum(columns["response_tokens"]),
    }

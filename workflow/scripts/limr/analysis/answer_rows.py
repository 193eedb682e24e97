"""Answers of runs to questions, laid out as matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from limr.statistics.intervals import Floats

Run = tuple[str, int]  # arm and seed


@dataclass(frozen=True)
class AnswerRows:
    """Collected evaluations; arrays have an entry per row.

    Attributes:
        runs: (arm, seed), sorted; some may have no row.
        run: place in `runs`.
        problems: the questions; some may have no row.
        problem: place in `problems`.
        steps: training steps.
        accuracy: in [0, 1].
    """

    runs: pd.MultiIndex
    run: npt.NDArray[np.int64]
    problems: pd.Index[Any]
    problem: npt.NDArray[np.int64]
    steps: npt.NDArray[np.int64]
    accuracy: Floats

    @staticmethod
    def of(frame: pd.DataFrame) -> AnswerRows:
        """Return the rows of `limr.evaluate.collect.COLLECTED_EVALUATIONS`."""
        (arm, arms), (seed, seeds) = (pd.factorize(frame[n], sort=True) for n in ("arm", "seed"))
        pairs, run = np.unique(arm * len(seeds) + seed, return_inverse=True)
        of_pairs = [arms[pairs // max(1, len(seeds))], seeds[pairs % max(1, len(seeds))]]
        problem, problems = pd.factorize(frame["problem_id"])
        return AnswerRows(
            pd.MultiIndex.from_arrays(of_pairs, names=["arm", "seed"]),
            run,
            pd.Index(problems, name="problem_id"),
            problem,
            frame["step"].to_numpy(np.int64),
            (frame["n_correct"] / frame["n"]).to_numpy(np.float64),
        )

    def some(self, rows: npt.NDArray[np.int64]) -> AnswerRows:
        """Return some rows, named by their places."""
        return AnswerRows(
            self.runs,
            self.run[rows],
            self.problems,
            self.problem[rows],
            self.steps[rows],
            self.accuracy[rows],
        )

    def at(self, step: int | dict[Run, int]) -> pd.DataFrame:
        """Return the accuracy at a step, which may differ by run: one row per run there, sorted.

        The rows must be those of one group, benchmark and decoding.
        Columns are questions, in the order in which their rows come; what is missing is NaN.

        Raises:
            ValueError: a run has two results for a question.
        """
        wanted: Any = step
        if isinstance(step, dict):
            found = [step.get((str(arm), int(seed)), -1) for arm, seed in self.runs]
            wanted = np.array(found, np.int64)[self.run]
        kept = self.steps == wanted
        run, row = np.unique(self.run[kept], return_inverse=True)
        column, problem = pd.factorize(self.problem[kept])
        values = np.full((len(run), len(problem)), np.nan)
        values[row, column] = self.accuracy[kept]
        if len(np.unique(row * len(problem) + column)) < len(row):
            raise ValueError("a run has two results for a question at one step")
        index, columns = self.runs.take(run), self.problems.take(problem)
        return pd.DataFrame(values, index, columns, copy=False)  # row by row in memory

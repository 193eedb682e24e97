"""Answers laid out as matrices, against pandas' own pivot."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from limr.analysis.answer_rows import AnswerRows

STEPS = [4, 0, {("b", 2): 4, ("a", 1): 0}, {("b", 1): 0}, 9]


@pytest.fixture
def rows() -> pd.DataFrame:
    """Return rows in no order, with gaps: runs of two arms, not every question at every step."""
    keys = [
        (arm, seed, step, f"p{n}")
        for arm, seed in (("b", 2), ("a", 1), ("b", 1))
        for step in (0, 4)
        for n in range(5)
    ]
    frame = pd.DataFrame(keys, columns=["arm", "seed", "step", "problem_id"])
    counts = np.arange(len(frame)) % 7
    frame = frame.assign(n_correct=counts, n=7).astype({"seed": "int64"})
    return frame.sample(frac=0.8, random_state=1)


def pivoted(rows: pd.DataFrame, step: int | dict[tuple[str, int], int]) -> pd.DataFrame:
    """Return the same by pandas."""
    wanted = [
        step.get(run, -1) if isinstance(step, dict) else step
        for run in zip(rows["arm"], rows["seed"], strict=True)
    ]
    kept = rows[rows["step"] == wanted]
    kept = kept.assign(accuracy=kept["n_correct"] / kept["n"])
    wide = kept.pivot(index=["arm", "seed"], columns="problem_id", values="accuracy")
    return wide[list(kept["problem_id"].unique())]


@pytest.mark.parametrize("step", STEPS)
def test_answers_are_those_of_a_pivot(rows, step):
    found = AnswerRows.of(rows).at(step)
    pd.testing.assert_frame_equal(found, pivoted(rows, step), check_exact=True)


@pytest.mark.parametrize("step", STEPS)
def test_some_rows_are_those_rows_alone(rows, step):
    places = np.array([1, 2, 5, 8, 13])
    found = AnswerRows.of(rows).some(places).at(step)
    pd.testing.assert_frame_equal(found, pivoted(rows.iloc[places], step), check_exact=True)


def test_two_results_of_one_question_are_refused(rows):
    twice = pd.concat([rows, rows.iloc[:1]])
    with pytest.raises(ValueError, match="two results"):
        AnswerRows.of(twice).at(int(rows["step"].iloc[0]))

"""Whether training helped on what was trained on only, and every arm against the untrained base."""

from __future__ import annotations

import dataclasses

import pytest

import synthetic_study
from limr.analysis import answers, contrasts, findings, overfitting, results, tested
from limr.analysis.results import Inputs
from limr.core.random_streams import stream
from limr.report.tables import differences


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return synthetic_study.inputs()


def falling(inputs: Inputs, falls: dict[int, float], reward: float = 1.0) -> Inputs:
    """Return the study with LIMR's held-out answers taken away by step, and its reward turned."""
    frame = inputs.evaluations.copy()  # type: ignore[union-attr]
    rng = stream(3, "falling")
    for step, fall in falls.items():
        rows = (frame["group"] == "limr") & (frame["step"] == step)
        lost = rng.binomial(frame.loc[rows, "n_correct"], -fall)
        frame.loc[rows, "n_correct"] -= lost
    metrics = inputs.metrics.copy()  # type: ignore[union-attr]
    metrics.loc[metrics["group"] == "limr", "mean_reward"] *= reward
    return dataclasses.replace(inputs, evaluations=frame, metrics=metrics)


def limr(inputs: Inputs) -> overfitting.Course:
    return overfitting.course(inputs, inputs.groups[2])


@pytest.mark.slow
def test_overfitting_takes_a_better_signal_and_worse_held_out_accuracy(inputs: Inputs) -> None:
    assert not limr(inputs).overfitted
    found = falling(inputs, {12: 0, 24: -0.1, 36: -0.25, 48: -0.5})
    course = limr(found)
    assert (course.best, course.last, course.overfitted) == (12, 48, True)
    said = answers.answer(found)
    assert said.startswith("Training on LIMR’s 176 problems overfitted: the training reward rose ")
    # Two runs are too few for an interval of the fall; that it ends below the base is sure.
    assert not course.fell
    assert "while held-out accuracy fell, below the untrained base; it ended below FULL" in said
    worse = limr(falling(inputs, {48: -0.5}, reward=-1.0))
    assert worse.against_base is not None
    assert worse.against_base.high < 0
    assert not worse.overfitted
    unknown = limr(dataclasses.replace(found, metrics=None))
    assert unknown.signal is None
    assert not unknown.overfitted


@pytest.mark.slow
def test_a_fall_is_the_mean_of_each_runs_own_fall(inputs: Inputs) -> None:
    found = falling(inputs, {36: -0.1, 48: -0.3})
    frame = found.evaluations[found.evaluations["decoding"] == "sampled"]  # type: ignore[index]
    own = frame[frame["group"] == "limr"].assign(accuracy=lambda f: f["n_correct"] / f["n"])
    each = own.groupby(["benchmark", "seed", "step"])["accuracy"].mean().unstack("step")
    course = limr(found)
    expected = (each[48] - each[course.best]).groupby("benchmark").mean().mean()
    assert course.fall is not None
    assert course.fall.mean == pytest.approx(expected)
    # Three earlier steps: the interval is that of the level 1 - .05 / 3.
    plain = contrasts.change(found, "limr", int(course.best or 0), 48)
    assert course.fall.high == pytest.approx(plain.interval(1 - 0.05 / 3).high)


@pytest.mark.slow
def test_every_arm_is_compared_with_the_base_and_other_tests_stay(inputs: Inputs) -> None:
    base = [test for test in tested.tests(inputs) if test.family.startswith("against the base")]
    trained = [g.name for g in results.evaluated_groups(inputs) if g.train != "none"]
    assert [test.first.name for test in base if test.benchmark is None] == trained
    assert len(base) == 4 * len(trained)
    without = dataclasses.replace(
        inputs,
        evaluations=inputs.evaluations[inputs.evaluations["group"] != "base"],  # type: ignore[index]
    )
    others = [test for test in tested.tests(inputs) if test not in base]
    assert [(t.family, t.holm) for t in tested.tests(without)] == [
        (t.family, t.holm) for t in others
    ]
    rows = differences.build(inputs, {})
    assert list(rows.loc[rows["against"] == "Base", "arm"]) == [
        "FULL",
        "LIMR",
        "RAND",
        "LINEAR",
        "SFT",
    ]
    [said] = [text for text in findings.sentences(inputs) if text.startswith("Against the")]
    assert all(f"{title} " in said for title in rows.loc[rows["against"] == "Base", "arm"])
    assert "ended at" in answers.answer(without)

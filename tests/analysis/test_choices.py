"""What a study that trains nothing says first: how sure its choice is, and what it amounts to."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

import synthetic_study
from limr.analysis import answers, choices
from limr.analysis.results import Inputs


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    made = dataclasses.replace(synthetic_study.inputs(), evaluations=None)
    made.subsets["limr"]["not_scored"] = {"no curve": 7}
    return made


def facts(inputs: Inputs) -> dict[str, choices.Fact]:
    return {fact.name.split()[0]: fact for fact in choices.facts(inputs)}


def test_it_says_how_sure_the_choice_is_and_how_many_epochs_would_do(inputs: Inputs) -> None:
    found = facts(inputs)
    problems = inputs.diagnostics["lim"].problems
    again = problems.loc[problems["selected"], "probability"].mean()
    assert found["How"].name == "How many epochs would have done?"
    assert f"{100 * again:.0f} % of them would be chosen again" in answers.answer(inputs)
    rows = inputs.diagnostics["lim"].epochs
    first = rows[(rows["kind"] == "first")].sort_values("epochs")
    k = int(found["How"].value.split()[2])
    assert (first.loc[first["epochs"] >= k, "overlap"] >= 0.8).all()
    before = first.loc[first["epochs"] < k, "overlap"]
    assert before.empty or before.iloc[-1] < 0.8


def test_its_order_is_compared_with_closeness_to_the_mean_rate(inputs: Inputs) -> None:
    curves = inputs.trajectories["full"].to_pandas()
    sums = curves.groupby("problem_id")[["n_correct", "n"]].sum()
    rate = sums["n_correct"] / sums["n"]
    scores = inputs.scores["lim"].set_index("problem_id")["score"].dropna()
    rate = rate.loc[scores.index]
    rho = stats.spearmanr(scores, -np.abs(rate - rate.mean())).statistic
    [found] = [fact for fact in choices.facts(inputs) if fact.name == "What does LIM prefer?"]
    assert found.value == f"ρ = {rho:.2f}".replace("-", "−")


def test_dead_and_unusable_problems_and_the_threshold_are_counted(inputs: Inputs) -> None:
    record, found = inputs.subsets["limr"], choices.facts(inputs)
    by_name = {fact.name: fact for fact in found}
    never = record["never_solved"]["n"]
    assert by_name["Dead problems"].value.startswith(f"{never:,} never")
    assert "7: no curve" in by_name["Unusable problems"].detail
    exact = int((inputs.scores["lim"]["score"] == record["rule"]["threshold"]).sum())
    assert by_name["What hangs on the threshold?"].value.startswith(f"{exact} exactly on ")
    assert all(fact.value and fact.detail for fact in found)


def test_no_choice_is_no_answer(inputs: Inputs) -> None:
    bare = dataclasses.replace(inputs, subsets={"full": inputs.subsets["full"]})
    assert choices.answer(bare) is None
    assert choices.facts(bare) == []

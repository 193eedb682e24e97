"""What a rollout is paid, by each rule; and that an arm's run is paid by its own."""

from __future__ import annotations

import numpy as np
import pytest

from limr.core import plugins, validation
from limr.core.errors import InputError
from limr.core.tables import VERDICTS
from limr.grading import rewards
from limr.study import schema
from limr.train.openrlhf.task import Task

RULES = plugins.names("rewards")


def settings(rule: str, **options: float) -> dict[str, object]:
    found = validation.complete(options, plugins.load("rewards", rule).Options, rule)
    return {"rule": rule, **found}


def paid(rule: str, **options: float) -> dict[str, float]:
    pay = rewards.reward_function(settings(rule, **options), 1, "full", 3)
    return {verdict: pay("p", 0, verdict) for verdict in VERDICTS}


def coins(seed: int, arm: str, step: int, n: int = 4000, **options: float) -> np.ndarray:
    pay = rewards.reward_function(settings("random", **options), seed, arm, step)
    return np.array([pay(f"p{i // 8}", i % 8, "correct") for i in range(n)])


def test_the_verdict_rule_is_the_papers() -> None:
    assert paid("verdict") == {"correct": 1.0, "incorrect": -0.5, "malformed": -1.0}


def test_format_only_does_not_know_the_answer() -> None:
    assert paid("format-only") == {"correct": 1.0, "incorrect": 1.0, "malformed": -1.0}


def test_incorrect_label_pays_for_error() -> None:
    assert paid("incorrect-label") == {"correct": -0.5, "incorrect": 1.0, "malformed": -1.0}


def test_random_does_not_know_the_response() -> None:
    for sample in range(20):
        pay = rewards.reward_function(settings("random"), 1, "full", 3)
        assert len({pay("p", sample, verdict) for verdict in VERDICTS}) == 1


@pytest.mark.parametrize("probability", [0.5, 0.1])
def test_random_rewards_the_asked_share(probability: float) -> None:
    drawn = coins(1, "full", 1, probability=probability)
    error = np.sqrt(probability * (1 - probability) / len(drawn))
    assert abs((drawn == 1.0).mean() - probability) < 4 * error
    assert set(drawn) == {1.0, -0.5}


def test_the_ends_of_probability_are_never_and_always() -> None:
    assert set(coins(1, "full", 1, probability=0)) == {-0.5}
    assert set(coins(1, "full", 1, probability=1)) == {1.0}


def test_a_coin_is_the_same_again_and_another_for_everything_that_names_it() -> None:
    first = coins(1, "full", 1)
    assert (first == coins(1, "full", 1)).all()
    for other in (coins(2, "full", 1), coins(1, "rand", 1), coins(1, "full", 2)):
        assert 0.4 < (first == other).mean() < 0.6  # independent: half of them agree
    samples = first.reshape(-1, 8)
    assert 0.4 < (samples[:, 0] == samples[:, 1]).mean() < 0.6
    assert 0.4 < (samples[:-1, 0] == samples[1:, 0]).mean() < 0.6


@pytest.mark.parametrize("rule", RULES)
def test_values_are_all_that_a_rule_gives(rule: str) -> None:
    given = settings(rule)
    pay = rewards.reward_function(given, 1, "full", 1)
    found = {pay(f"p{i}", 0, verdict) for i in range(50) for verdict in VERDICTS}
    assert sorted(found) == rewards.values(given)


@pytest.mark.parametrize("rule", RULES)
def test_openrlhf_pays_as_the_embedded_engine_does(rule: str) -> None:
    given = settings(rule)
    order = {"problems": 4, "size": 2, "drop_last": True, "seed": 7, "arm": "limr"}
    task = Task("m", [], "f", 1, 0, 4, [], 2, 2, order=order, reward=given)
    for step in (1, 2):
        pay = rewards.reward_function(given, 7, "limr", step)
        for sample in range(10):
            for verdict in VERDICTS:
                ours = pay("p", sample, verdict)
                assert task.pay("p", step, sample, verdict) == ours


def test_an_unknown_option_of_a_rule_is_refused() -> None:
    schema_ = schema.Reward
    with pytest.raises(InputError, match="'propability' is not a key"):
        validation.complete({"rule": "random", "propability": 0.5}, schema_, "study.yaml")
    with pytest.raises(InputError, match=r"there is no 'radnom'\. Did you mean 'random'"):
        validation.complete({"rule": "radnom"}, schema_, "study.yaml")

"""What a study declares before it runs: checked before any job, and kept."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from limr.core.errors import InputError
from limr.study import preregistration
from limr.study.load import load as load_study
from limr.study.preregistration import Declaration
from limr.study.study import Study


@pytest.fixture
def demo(root: Path) -> dict[str, Any]:
    return copy.deepcopy(yaml.safe_load((root / "config/demo.yaml").read_text()))


def load(config: dict[str, Any], root: Path) -> Study:
    return load_study(config, "study.yaml", root / "config/benchmarks")


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"arm": "lmir"}, "declared.arm: there is no arm 'lmir'. Did you mean 'limr'?"),
        ({"arm": "limr", "against": "ful"}, "declared.against: there is no arm 'ful'."),
        ({"arm": "limr", "against": "limr"}, "declared.against: 'limr' cannot be compared"),
        ({"against": "full"}, "declared.arm: 'against' is given without"),
        ({"claim": "equivalence"}, "declared.margin: 'claim: equivalence' needs it"),
        ({"margin": 0}, "'declared.margin'"),
        ({"level": 1.5}, "'declared.level'"),
        ({"weights": {"arithmetic-easy": 0}}, "'declared.weights.arithmetic-easy'"),
        ({"weights": {"arithmetic-easy": -1}}, "'declared.weights.arithmetic-easy'"),
        ({"weights": {"arithmetic-esy": 1}}, "weights: there is no benchmark 'arithmetic-esy'"),
        ({"weights": {"arithmetic-easy": 1}}, "weights: 'arithmetic-medium' has none"),
        ({"checkpoint": "best"}, "'declared.checkpoint'"),
        ({"checkpoint": "validation"}, "declared.validation: 'checkpoint: validation' needs"),
        ({"validation": "arithmetic"}, "validation: 'arithmetic' is not under evaluate.bench"),
        (
            {"validation": "arithmetic-easy", "weights": {"arithmetic-easy": 1}},
            "validation: 'arithmetic-easy' has a weight",
        ),
        ({"primary": "limr"}, "'declared.primary' is not a key"),
    ],
)
def test_a_declaration_that_cannot_be_kept_is_refused(
    declared: dict[str, Any], message: str, demo: dict[str, Any], root: Path
) -> None:
    demo["declared"] = declared
    with pytest.raises(InputError) as caught:
        load(demo, root)
    assert message in str(caught.value)


def test_the_only_benchmark_cannot_be_held_out(demo: dict[str, Any], root: Path) -> None:
    demo["evaluate"]["benchmarks"] = {"arithmetic-easy": {}}
    demo["declared"] = {"validation": "arithmetic-easy"}
    with pytest.raises(InputError, match="nothing would be reported"):
        load(demo, root)


def test_a_study_that_declares_nothing_does_as_before(demo: dict[str, Any], root: Path) -> None:
    assert preregistration.of(load(demo, root).overview()) == Declaration(weights={})
    assert preregistration.of({}) == Declaration()


def test_a_whole_declaration_is_kept(demo: dict[str, Any], root: Path) -> None:
    demo["declared"] = {
        "arm": "limr", "against": "full", "claim": "equivalence", "margin": 2.5, "level": 0.9,
        "weights": {"arithmetic-easy": 1, "arithmetic-medium": 3},
        "validation": "arithmetic-hard", "checkpoint": "validation",
    }  # fmt: skip
    found = preregistration.of(load(demo, root).overview())
    assert (found.arm, found.against, found.claim) == ("limr", "full", "equivalence")
    assert found.margin == pytest.approx(0.025)
    assert found.percent == "90 %"
    assert found.weight(["arithmetic-easy", "arithmetic-medium"]) == {
        "arithmetic-easy": 0.25,
        "arithmetic-medium": 0.75,
    }


def test_weights_of_some_benchmarks_sum_to_one() -> None:
    found = Declaration(weights={"a": 1.0, "b": 2.0, "c": 1.0})
    assert found.weight(["a", "c"]) == {"a": 0.5, "c": 0.5}
    assert Declaration().weight(["a", "b"]) == {"a": 0.5, "b": 0.5}

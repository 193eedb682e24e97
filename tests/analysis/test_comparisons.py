"""What a study declared is what is reported, and what else is shown says so."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import synthetic_study
from limr.analysis import answers, contrasts, findings, results, sensitivity
from limr.analysis.contrasts import Choice
from limr.analysis.results import Inputs
from limr.core import plugins
from limr.core.errors import InputError
from limr.plan import detectable
from limr.plan.counts import Counts
from limr.report import page
from limr.report.figures import accuracy, benchmarks, one_benchmark
from limr.statistics import power
from limr.study.load import load as load_study


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return synthetic_study.inputs()


def declaring(inputs: Inputs, **declared: Any) -> Inputs:
    return dataclasses.replace(inputs, study={**inputs.study, "declared": declared})


def test_each_run_reports_its_step_that_is_best_on_the_held_out_benchmark(inputs: Inputs) -> None:
    said = declaring(inputs, validation="hard", checkpoint="validation")
    frame = inputs.evaluations
    own = frame[(frame["group"] == "full") & (frame["decoding"] == "sampled")]
    for (arm, seed), step in results.reported_steps(said, "full").items():
        run = own[(own["arm"] == arm) & (own["seed"] == seed) & (own["benchmark"] == "hard")]
        assert step == int(run.groupby("step")["n_correct"].sum().idxmax())
    assert list(results.benchmarks(said)) == ["easy", "medium"]
    assert results.reported_steps(inputs, "full") == {("full", 1): 48, ("full", 2): 48}


def test_the_benchmark_that_chooses_steps_is_never_shown(inputs: Inputs) -> None:
    said = declaring(inputs, validation="hard", checkpoint="validation")
    shown = accuracy.data(said, {})
    assert set(shown.loc[shown["benchmarks"].notna(), "benchmarks"]) == {2}
    assert list(benchmarks.data(said, {})["benchmark"].unique()) == ["easy", "medium"]
    with pytest.raises(InputError, match="'hard'"):
        one_benchmark.data(said, {"benchmark": "hard", "arms": None})


def test_the_reported_numbers_are_of_these_steps_and_weights(inputs: Inputs) -> None:
    said = declaring(
        inputs, validation="hard", checkpoint="validation", weights={"easy": 3.0, "medium": 1.0}
    )
    frame = results.evaluated(said)
    steps = results.reported_steps(said, "limr")
    shares = {}
    for name in ("easy", "medium"):
        runs = [
            frame[
                (frame["arm"] == arm) & (frame["seed"] == seed) & (frame["step"] == step)
                & (frame["benchmark"] == name) & (frame["decoding"] == "sampled")
            ]
            for (arm, seed), step in steps.items()
        ]  # fmt: skip
        shares[name] = sum((r["n_correct"] / r["n"]).mean() for r in runs) / len(runs)
    expected = 0.75 * shares["easy"] + 0.25 * shares["medium"]
    assert contrasts.group_interval(said, "limr").mean == pytest.approx(expected)


@pytest.mark.slow
def test_other_choices_say_what_they_are(inputs: Inputs) -> None:
    plain = {v.name for a in sensitivity.answers(inputs) for v in a.variants}
    assert "each arm's best step (optimistic)" in plain
    assert "all benchmarks alike (not as declared)" not in plain
    said = declaring(
        inputs, validation="hard", checkpoint="validation", weights={"easy": 3.0, "medium": 1.0}
    )
    names = {v.name for a in sensitivity.answers(said) for v in a.variants}
    assert {"last step (not as declared)", "all benchmarks alike (not as declared)"} <= names
    best = contrasts.difference(inputs, "limr", "full", Choice(step="best"))
    last = contrasts.difference(inputs, "limr", "full", Choice(step="last"))
    assert last.mean == contrasts.difference(inputs, "limr", "full").mean
    assert contrasts.best_step(inputs, "full") in synthetic_study.STEPS
    assert best != last or contrasts.best_step(inputs, "limr") == 48


@pytest.mark.slow
def test_the_primary_comparison_is_the_declared_one(inputs: Inputs) -> None:
    by_default = findings.primary(inputs)
    assert by_default is not None
    assert (by_default.first.name, by_default.second.name) == ("limr", "full")
    assert "not declared" in str(findings.primary_sentence(inputs))
    said = declaring(inputs, arm="linear", against="limr", level=0.9)
    found = findings.primary(said)
    assert found is not None
    assert (found.first.name, found.second.name) == ("linear", "limr")
    assert "declared before the run" in str(findings.primary_sentence(said))
    assert "90 % intervals)." in answers.answer(said)
    wide = contrasts.group_difference(inputs, "linear", "limr")
    assert found.interval.high - found.interval.low < wide.high - wide.low


def test_equivalence_needs_a_margin_and_a_narrow_interval(inputs: Inputs) -> None:
    pair = contrasts.difference(inputs, "limr", "full")
    same = dataclasses.replace(pair, mean=0.0)
    assert "no difference detectable (MDE" in findings.verdict(inputs, same)
    half = 100 * same.half_width(0.9)
    assert "equivalent" in findings.verdict(declaring(inputs, margin=1.01 * half), same)
    assert "equivalent" not in findings.verdict(declaring(inputs, margin=0.99 * half), same)
    far = dataclasses.replace(pair, mean=1.0)
    assert findings.verdict(inputs, far) == "better"
    assert findings.verdict(inputs, dataclasses.replace(pair, mean=-1.0)) == "worse"


@pytest.mark.slow
def test_comparisons_correct_within_their_families(inputs: Inputs) -> None:
    module = plugins.load("tables", "comparisons")
    two = {name: inputs.study[name] for name in inputs.study}
    two["arms"] = [
        a for a in inputs.study["arms"] if a["group"] in ("base", "full", "limr", "rand")
    ]
    few = dataclasses.replace(
        inputs,
        study=two,
        evaluations=inputs.evaluations[  # type: ignore[index]
            inputs.evaluations["group"].isin(["base", "full", "limr", "rand"])  # type: ignore[index]
        ],
    )
    frame: pd.DataFrame = module.build(few, {"resamples": 500})
    primary = frame[frame["kind"] == "primary"]
    assert list(primary["arm"]) == ["LIMR"]
    assert list(primary["Holm p"]) == list(primary["p"])
    for _, family in frame.groupby("family"):
        assert (family["Holm p"] >= family["p"]).all()
    smallest = frame[frame["family"] == "secondary, benchmarks"].sort_values("p").iloc[0]
    n = (frame["family"] == "secondary, benchmarks").sum()
    assert smallest["Holm p"] == pytest.approx(min(1, n * smallest["p"]))
    found = contrasts.difference(inputs, "limr", "full")
    assert primary["MDE"].iloc[0] == pytest.approx(100 * power.detectable(found))
    single = frame[frame["measure"] != "mean"]
    assert single["McNemar p"].notna().all()
    assert frame.loc[frame["measure"] == "mean", "bootstrap low"].notna().all()


def test_the_papers_claims_have_the_z_that_its_tables_allow(inputs: Inputs) -> None:
    module = plugins.load("tables", "paper-claims")
    frame = module.build(inputs, {}).set_index(["claim", "benchmark"])
    assert frame.loc[("LIMR - RAND", "AIME24"), "z"] == pytest.approx(0.57, abs=0.005)
    assert frame.loc[("LIMR - RAND", "MATH500"), "z"] == pytest.approx(4.26, abs=0.005)
    assert frame.loc[("LIMR - FULL", "MATH500"), "z"] == pytest.approx(0.53, abs=0.005)
    assert len(frame) == 6 * 4
    assert (frame["Holm p"] >= frame["p"]).all()


def test_the_report_shows_what_was_declared(inputs: Inputs) -> None:
    text = page.declared_text(inputs, {"declared": {"arm": "limr", "margin": 2, "level": 0.9}})
    assert "limr against the full set (claim: difference, margin 2 points)" in text
    assert "level 90 %" in text
    other = page.declared_text(inputs, {"declared": {"arm": "limr", "margin": 3, "level": 0.9}})
    assert text.split()[-1] != other.split()[-1]  # the digest of the configuration


def test_a_plan_says_what_could_be_found(root: Path, tmp_path: Path) -> None:
    config = yaml.safe_load((root / "config/demo.yaml").read_text())
    demo = load_study(config, "demo.yaml", root / "config/benchmarks")
    found = detectable.plan(demo, Counts(demo, tmp_path, {}, {}), 0.5)
    assert found is not None
    assert found["points"] == found["by_seeds"][3] > found["by_seeds"][5] > found["by_seeds"][10]
    assert "3 seeds" in found["lines"][0]
    assert "accuracy 50 % (given)" in found["lines"][1]
    assumed = detectable.plan(demo, Counts(demo, tmp_path, {}, {}), None)
    assert assumed is not None
    assert "(assumed)" in assumed["lines"][1]

"""The ledger's charges, the cost of an accuracy, the break-even: counted by hand."""

from __future__ import annotations

import copy
import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import synthetic_study
from limr.analysis import break_even, cost_curves, costs, run_costs
from limr.analysis.results import Inputs
from limr.core.errors import InputError
from limr.report import caveats
from limr.report.figures import accuracy_by_cost
from limr.report.tables import break_even as table
from limr.report.tables import compute, cost_to_accuracy, samplers, shared_costs

PPO = {"prompts_per_step": 10, "samples_per_prompt": 4, "train_batch_size": 20,
       "epochs_per_batch": 1}  # fmt: skip
N_QUESTIONS = 20


def study(
    ends: dict[str, list[float]], *, epochs: int | None = None, source: str = "full", seeds: int = 1
) -> Inputs:
    """A study with one benchmark of 20 questions, steps 2 and 4, 100 tokens a step.

    Args:
        ends: group -> accuracies at steps 0 (the base's), 2 and 4.
        epochs: that the score of `lim` was made from; an epoch has two steps.
        source: name of the curves that it was made from; `full` is the run of the arm.
        seeds: runs of each arm.
    """
    titles = {"base": "Base", "full": "FULL", "lim": "LIM", "rand": "RAND"}
    arms = [
        {"name": name, "group": name, "train": "none" if name == "base" else "ppo",
         "title": titles[name]}
        for name in ("base", *ends)
    ]  # fmt: skip
    start = next(iter(ends.values()))[0]
    rows = [(arm, 0, start) for arm in ("base",)]
    rows += [
        (arm, step, value)
        for arm, (_, *v) in ends.items()
        for step, value in zip((2, 4), v, strict=True)
    ]
    evaluations = pd.DataFrame(
        [
            {"arm": arm, "group": arm, "train": "none" if arm == "base" else "ppo", "seed": seed,
             "step": step, "benchmark": "easy", "decoding": "greedy", "problem_id": f"q{i}",
             "n": 1, "n_correct": int(i < round(N_QUESTIONS * share)), "response_tokens": 5.0,
             "truncated": 0.0, "malformed": 0.0}
            for arm, step, share in rows
            for seed in range(1, seeds + 1)
            for i in range(N_QUESTIONS)
        ]
    )  # fmt: skip
    metrics = pd.DataFrame(
        [
            {"arm": arm, "group": arm, "train": "ppo", "seed": seed, "step": step,
             "epoch": (step - 1) // 2, "tokens": 100, "seconds": 1.0 if step < 4 else 7.0}
            for arm in ends
            for seed in range(1, seeds + 1)
            for step in range(1, 5)
        ]
    )  # fmt: skip
    record = {"n_problems": 40, "n_selected": 20, "score": "s", "options": {}, "rule": {"size": 20}}
    subsets = {
        "full": record | {"n_selected": 40, "selector": "full"},
        "lim": record
        | {
            "selector": "lim",
            "trajectories": source,
            "options": {"epochs": epochs} if epochs else {},
        },
        "rand": record | {"selector": "random"},
    }
    runs = [
        {"arm": arm, "seed": seed, "settings": {"ppo": PPO}, "durations": {"steps_seconds": 3600.0},
         "hardware": {"device": "cuda:0", "gpus": 8}}
        for arm in ends
        for seed in range(1, seeds + 1)
    ]  # fmt: skip
    about = {
        "study": "s", "seeds": list(range(1, seeds + 1)), "arms": arms,
        "benchmarks": [{"name": "easy", "title": "Easy"}],
        "scored_from": {"full": {"arm": "full", "seed": 1}},
    }  # fmt: skip
    kept = {name: subsets[name] for name in ends}
    return Inputs(about, evaluations, metrics, subsets=kept, runs=runs)


# --- charges


def test_costs_add_up_step_by_step():
    frame = run_costs.by_step(study({"full": [0.2, 0.4, 0.6]}))
    assert frame["step"].tolist() == [1, 2, 3, 4]
    assert frame["rollouts"].tolist() == [40, 80, 120, 160]
    assert frame["updates"].tolist() == [2, 4, 6, 8]
    assert frame["tokens"].tolist() == [100, 200, 300, 400]
    # One hour on 8 GPUs, spread as the steps' seconds are: 1, 1, 1 and 7 of 10.
    assert frame["hours"].tolist() == pytest.approx([0.8, 1.6, 2.4, 8.0])
    assert set(frame["device"]) == {"GPU"}


def continued(*, last: int = 2, of_seed: int = 1) -> Inputs:
    """`lim` went on from FULL after step 2, on problems scored by FULL's first `last` steps."""
    ends = {"full": [0.2, 0.4, 0.6], "lim": [0.2, 0.4, 0.8]}
    inputs = study(ends, source="early")
    about = copy.deepcopy(inputs.study)
    about["arms"][2]["way"] = [["full", 2]]
    about["scored_from"]["early"] = {"arm": "full", "seed": of_seed, "last_step": last}
    runs = [copy.deepcopy(run) for run in inputs.runs]
    runs[1]["durations"] = {"steps_seconds": 1000.0}  # its own two steps
    metrics = inputs.metrics.copy()
    metrics.loc[(metrics["arm"] == "lim") & (metrics["step"] > 2), "tokens"] = 70
    return dataclasses.replace(inputs, study=about, metrics=metrics, runs=runs)


def test_a_continued_run_costs_its_way_and_its_own_steps():
    frame = run_costs.by_step(continued())
    rows = frame[frame["arm"] == "lim"]
    assert rows["step"].tolist() == [1, 2, 3, 4]
    assert rows["tokens"].tolist() == [100, 200, 270, 340]
    assert rows["rollouts"].tolist() == [40, 80, 120, 160]
    assert rows["updates"].tolist() == [2, 4, 6, 8]
    # FULL's hour on 8 GPUs: 1 and 1 of its 10 seconds; then 1000 s, by 1 and 7 of 8.
    own = 8 * 1000 / 3600
    assert rows["hours"].tolist() == pytest.approx([0.8, 1.6, 1.6 + own / 8, 1.6 + own])


def test_a_score_of_the_way_is_not_charged_again():
    found = costs.scoring(continued(), "lim")
    assert (found.text, found.cost.tokens, found.cost.rollouts) == ("its own first 2 steps", 0, 0)
    bill = {entry.group.name: entry for entry in costs.entries(continued())}
    assert bill["lim"].total == bill["lim"].own
    assert bill["lim"].own.tokens == 340
    assert bill["full"].own.tokens == 400
    rows = break_even.compare(continued(), "tokens")
    assert {row.uses for row in rows if row.against.group.name == "full"} == {1}
    assert caveats.bill(continued()) == []


def test_a_score_beyond_the_way_is_charged_for_the_rest():
    found = costs.scoring(continued(last=4), "lim")
    assert found.text == "FULL, seed 1, steps 1 to 4, after its own first 2 steps"
    assert (found.cost.steps, found.cost.tokens, found.cost.updates) == (2, 200, 4)


def test_a_score_of_another_seed_is_charged_whole():
    found = costs.scoring(continued(of_seed=2), "lim")
    assert (found.text, found.cost) == ("FULL, seed 2, steps 1 to 2", None)  # not run here


def test_early_scoring_is_charged_by_its_epochs():
    ends = {"full": [0.2, 0.4, 0.6], "lim": [0.2, 0.5, 0.6]}
    whole = costs.scoring(study(ends), "lim")
    early = costs.scoring(study(ends, epochs=1), "lim")
    assert whole.text == "FULL, seed 1"
    assert (whole.cost.steps, whole.cost.tokens, whole.cost.rollouts) == (4, 400, 160)
    assert early.text == "FULL, seed 1, 1 epochs"
    assert (early.cost.steps, early.cost.tokens, early.cost.rollouts) == (2, 200, 80)
    assert early.cost.hours == pytest.approx(1.6)
    assert costs.scoring(study(ends), "full") is None
    entry = {e.group.name: e for e in costs.entries(study(ends, epochs=1))}["lim"]
    assert entry.total.tokens == 600
    assert entry.ratio == pytest.approx(1.5)


def test_a_chain_of_scoring_runs_is_charged_whole():
    inputs = study({"full": [0.2, 0.4, 0.6], "lim": [0.2, 0.5, 0.6], "rand": [0.2, 0.2, 0.2]})
    about = {**inputs.study, "scored_from": {**inputs.study["scored_from"],
                                             "second": {"arm": "lim", "seed": 1}}}  # fmt: skip
    again = inputs.subsets["lim"] | {"trajectories": "second"}
    chained = dataclasses.replace(inputs, study=about, subsets={**inputs.subsets, "rand": again})
    found = costs.scoring(chained, "rand")
    assert found.text == "LIM, seed 1, after FULL, seed 1"
    assert found.cost.tokens == 800


def test_a_score_from_a_file_is_not_known_and_not_free():
    inputs = study({"full": [0.2, 0.4, 0.6], "lim": [0.2, 0.5, 0.6]}, source="elsewhere")
    found = costs.scoring(inputs, "lim")
    assert found.cost is None
    assert "from a file: not counted" in found.text
    frame = compute.build(inputs, {}).set_index("arm")
    assert frame.loc["LIM", "in all, million tokens"] is pd.NA
    assert frame.loc["LIM", "million tokens"] == pytest.approx(0.0004)
    assert all(np.isnan(row.uses) for row in break_even.compare(inputs, "tokens", 50))
    assert "is not known: 'elsewhere', from a file" in break_even.sentences(inputs)[0]
    said = accuracy_by_cost.caption(accuracy_by_cost.data(inputs, {"unit": "tokens"}))
    assert "What the scores of LIM cost is not known" in said


def test_responses_of_the_base_are_charged():
    inputs = study({"full": [0.2, 0.4, 0.6], "lim": [0.2, 0.5, 0.6]}, source="offline")
    drawn = {"n_responses": 50, "mean_response_tokens": 4.0}
    record = {"settings": {"decodings": [{"name": "base"}]}, "base": drawn}
    inputs = dataclasses.replace(inputs, samples={"offline": record})
    found = costs.scoring(inputs, "lim")
    assert found.text == "50 responses of the base"
    assert (found.cost.rollouts, found.cost.tokens, found.cost.updates) == (50, 200, 0)
    frame = compute.build(inputs, {}).set_index("arm")
    assert frame.loc["LIM", "scoring, million tokens"] == pytest.approx(0.0002)
    assert frame.loc["LIM", "in all, million tokens"] == pytest.approx(0.0006)
    assert not any(np.isnan(row.uses) for row in break_even.compare(inputs, "tokens", 50))


# --- break-even


@pytest.mark.parametrize(
    ("scoring", "each", "against", "expected"),
    [
        (168, 84, 168, 2),  # S + n a = 336 = n r at n = 2
        (168, 100, 168, 3),  # 168 / 68 = 2.47
        (168, 168, 168, math.inf),  # equal steps
        (168, 200, 168, math.inf),
        (10, 5, 100, 1),  # pays at once
        (168, math.nan, 168, math.inf),  # the arm never gets there
        (168, 168, math.nan, 1),  # the reference never does
        (0, 168, 168, 1),  # nothing to pay back
        (0, 169, 168, math.inf),
        (0.3, 0.2, 0.3, 3),  # 0.3 / 0.1 is a rounding error above 3
        (math.nan, 1, 2, math.nan),
    ],
)
def test_uses_until_it_pays(scoring, each, against, expected):
    found = float(break_even.uses(scoring, np.array(each), np.array(against)))
    assert found == expected or (math.isnan(found) and math.isnan(expected))
    if math.isfinite(found) and not math.isnan(against):
        assert scoring + found * each <= found * against + 1e-9
        if found > 1:
            assert scoring + (found - 1) * each > (found - 1) * against


def rows(inputs: Inputs, unit: str = "steps", **changes: Any) -> dict[tuple[str, str], Any]:
    found = break_even.compare(inputs, unit, **changes)
    return {(row.against.group.name, row.question): row for row in found}


def test_an_arm_that_gets_there_sooner_pays_after_as_many_uses():
    """LIM has at step 2 what FULL ends with at step 4: each use saves 2 of 4 steps; S = 4."""
    inputs = study({"full": [0.2, 0.4, 0.6], "lim": [0.2, 0.6, 0.6]})
    found = rows(inputs)["full", break_even.AT_END]
    assert (found.target, found.each, found.each_against) == (pytest.approx(0.6), 2, 4)
    assert found.uses == 2
    half = rows(study({"full": [0.2, 0.4, 0.6], "lim": [0.2, 0.6, 0.6]}, epochs=1))
    assert half["full", break_even.AT_END].uses == 1
    assert half["full", break_even.AT_STEPS].uses == math.inf
    assert half["full", break_even.AT_STEPS].gap.mean == pytest.approx(0)
    by_tokens = rows(inputs, "tokens")["full", break_even.AT_END]
    assert by_tokens.each == pytest.approx(0.0002)
    assert by_tokens.uses == 2


def test_an_arm_that_never_gets_there_never_pays_and_the_other_way_at_once():
    inputs = study({"full": [0.2, 0.4, 0.8], "lim": [0.2, 0.5, 0.5], "rand": [0.2, 0.2, 0.3]})
    found = rows(inputs, draws=200)
    never = found["full", break_even.AT_END]
    assert (math.isnan(never.each), never.uses, never.never) == (True, math.inf, 1.0)
    # FULL passes LIM's end, 0.5, at step 4; LIM at step 2: a = 2, r = 4, S = 4.
    assert found["full", break_even.AT_OWN_END].uses == 2
    rand = found["rand", break_even.AT_OWN_END]
    assert (math.isnan(rand.each_against), rand.uses) == (True, 1)
    text = break_even.sentences(inputs)[0]
    assert "LIM never reaches it, so it never pays" in text
    assert "At equal steps LIM − FULL is −30.0 points" in text


def test_its_uncertainty_is_that_of_the_accuracies():
    """20 questions: LIM's lead at step 2 is sometimes not there, and then it never pays."""
    inputs = study({"full": [0.2, 0.4, 0.6], "lim": [0.2, 0.65, 0.65]})
    found = rows(inputs, draws=2000)["full", break_even.AT_END]
    assert found.uses == 2
    # LIM has at least as many right in every draw. But where none of the four questions is drawn
    # that FULL learns after step 2, FULL needs no more steps either: 19 draws, 16 of 20 others.
    assert (found.low, found.high) == (2, 2)
    assert found.never == pytest.approx(0.8**19, abs=0.008)
    even = study({"full": [0.2, 0.4, 0.6], "lim": [0.2, 0.6, 0.6]})
    e = even.evaluations
    hit = (e["arm"] == "lim") & (e["step"] > 0)
    # As many right, but others: the questions from the end.
    right = (e.loc[hit, "problem_id"].str[1:].astype(int) >= 8).astype(int)
    e.loc[hit, "n_correct"] = right
    doubt = rows(even, draws=2000)["full", break_even.AT_END]
    assert doubt.uses == 2
    assert 0.3 < doubt.never < 0.6
    assert (doubt.low, doubt.high) == (2, math.inf)
    again = rows(even, draws=2000)["full", break_even.AT_END]
    assert (again.low, again.high, again.never) == (2, math.inf, doubt.never)


def test_a_cost_that_was_not_recorded_is_not_never():
    inputs = study({"full": [0.2, 0.4, 0.6], "lim": [0.2, 0.6, 0.6]})
    unknown = dataclasses.replace(inputs, runs=[{**run, "durations": {}} for run in inputs.runs])
    assert all(np.isnan(row.uses) for row in break_even.compare(unknown, "hours", 50))
    frame = table.build(unknown, {"unit": "hours"})
    assert set(frame["pays from use"]) == {"not known"}
    with pytest.raises(InputError, match="no run recorded its hours"):
        accuracy_by_cost.data(unknown, {"unit": "hours"})


def test_the_table_says_never_in_words():
    inputs = study({"full": [0.2, 0.4, 0.6], "lim": [0.2, 0.6, 0.6]}, seeds=2)
    frame = table.build(inputs, {"unit": "rollouts"})
    at_end = frame[frame["to reach"] == break_even.AT_END].iloc[0]
    assert (at_end["scoring, once"], at_end["each use, arm"], at_end["saved each use"]) == (
        160, 80, 80,
    )  # fmt: skip
    assert at_end["pays from use"] == "2"
    assert frame[frame["to reach"] == break_even.AT_STEPS]["pays from use"].tolist() == ["never"]
    assert at_end["runs"] == 2
    none = table.build(study({"full": [0.2, 0.4, 0.6]}), {"unit": "tokens"})
    assert none.empty
    assert "nothing has to pay" in table.caption(none)


# --- the cost of an accuracy


def test_each_accuracy_costs_what_the_first_step_that_has_it_did():
    inputs = study({"full": [0.2, 0.4, 0.6], "lim": [0.2, 0.6, 0.5]}, epochs=1)
    options = {"targets": [40.0, 60.0, 65.0], "every": 5}
    frame = cost_to_accuracy.build(inputs, options).set_index(["accuracy %", "arm"])
    assert frame["step"].tolist()[:4] == [2, 2, 4, 2]
    assert frame["reached"].tolist() == ["yes"] * 4 + ["never"] * 2
    lim = frame.loc[(60.0, "LIM")]
    assert (lim["rollouts"], lim["scoring, rollouts"], lim["in all, rollouts"]) == (80, 80, 160)
    assert lim["optimizer steps"] == 4
    assert lim["in all, million tokens"] == pytest.approx(0.0004)
    assert lim["in all, hours"] == pytest.approx(3.2)
    assert lim["low"] < lim["mean %"] < lim["high"]
    full = frame.loc[(60.0, "FULL")]
    assert (full["scoring, rollouts"], full["in all, rollouts"]) == (0, 160)
    assert frame.loc[(65.0, "FULL"), "rollouts"] is pd.NA
    hours = [name for name in frame.columns if "hours" in name]
    assert list(frame.columns)[-5:] == [*hours, "runs"]  # what is not repeated stands last


def test_targets_lie_between_the_start_and_the_best():
    inputs = study({"full": [0.2, 0.4, 0.6], "lim": [0.2, 0.5, 0.35]})
    frame = cost_to_accuracy.build(inputs, {"targets": None, "every": 10})
    assert frame["accuracy %"].unique().tolist() == [30.0, 40.0, 50.0, 60.0]
    assert frame.loc[frame["arm"] == "LIM", "reached"].tolist() == ["yes"] * 3 + ["never"]


# --- figure, shared costs, report


def test_curves_of_chosen_arms_start_where_their_scoring_run_ends():
    inputs = study({"full": [0.2, 0.4, 0.6], "lim": [0.2, 0.6, 0.6]}, epochs=1, seeds=2)
    frame = accuracy_by_cost.data(inputs, {"unit": "rollouts"})
    lim = frame[(frame["arm"] == "lim") & (frame["seed"] == 2)]
    assert lim["cost"].tolist() == [80, 160, 240]
    assert lim["accuracy"].tolist() == pytest.approx([20, 60, 60])
    full = frame[(frame["arm"] == "full") & (frame["seed"] == 1)]
    assert full["cost"].tolist() == [0, 80, 160]
    assert set(frame["unit"]) == {"rollouts"}


@pytest.mark.slow
def test_supervised_arms_have_no_rollouts_and_stay_out_of_that_figure():
    inputs = synthetic_study.inputs()
    assert "sft" not in set(accuracy_by_cost.data(inputs, {"unit": "rollouts"})["group"])
    assert "sft" in set(accuracy_by_cost.data(inputs, {"unit": "optimizer-steps"})["group"])


def test_shared_costs_are_counted_apart():
    inputs = study({"full": [0.2, 0.4, 0.6]})
    about = {**inputs.study, "base_work": {"steps": 600, "examples": 38400}}
    frame = shared_costs.build(dataclasses.replace(inputs, study=about), {}).set_index("what")
    assert frame.loc["base policy", ["optimizer steps", "examples"]].tolist() == [600, 38400]
    assert frame.loc["evaluation of FULL", "responses"] == 40
    assert frame.loc["evaluation of FULL", "million response tokens"] == pytest.approx(0.0002)
    assert "base policy (made elsewhere)" in shared_costs.build(inputs, {})["what"].tolist()


def test_the_caveat_charges_what_the_score_used():
    ends = {"full": [0.2, 0.4, 0.6], "lim": [0.2, 0.5, 0.6]}
    [whole], [early] = caveats.bill(study(ends)), caveats.bill(study(ends, epochs=1))
    assert "in total 2.0 times the scoring run" in whole
    assert "FULL, seed 1, 1 epochs" in early
    assert "in total 3.0 times the scoring run" in early


def test_first_places():
    rising = np.array([[0.1, 0.3, 0.2], [0.1, 0.1, 0.1]])
    assert cost_curves.first_at(rising, 0.2).tolist() == [1, -1]
    assert cost_curves.first_at(rising, np.array([0.1, 0.1])).tolist() == [0, 0]


def drawing_more(ends: dict[str, list[float]], **changes: Any) -> Inputs:
    """A study in which `lim` draws 80 rollouts a step, twice the others' 40, half in vain."""
    found = study(ends, **changes)
    assert found.metrics is not None
    mine = found.metrics["arm"] == "lim"
    counted = {"rollouts": 80, "without_signal": 40, "tries": 2, "problems_drawn": 18,
               "most_drawn": 4}  # fmt: skip
    metrics = found.metrics.assign(
        **{name: np.where(mine, value, np.nan) for name, value in counted.items()}
    )
    runs = [
        {**run, "settings": {**run["settings"], "sampler": {"name": "dapo"}}}
        if run["arm"] == "lim"
        else run
        for run in found.runs
    ]
    return dataclasses.replace(found, metrics=metrics, runs=runs)


def test_rollouts_that_a_sampler_really_drew_are_charged():
    found = drawing_more({"full": [0.2, 0.5, 0.6], "lim": [0.2, 0.3, 0.9]})
    by_arm = {entry.group.name: entry for entry in costs.entries(found)}
    assert (by_arm["full"].own.rollouts, by_arm["lim"].own.rollouts) == (160.0, 320.0)
    assert by_arm["lim"].own.updates == by_arm["full"].own.updates
    steps = run_costs.by_step(found).set_index(["arm", "step"])["rollouts"]
    assert steps["lim"].tolist() == [80, 160, 240, 320]
    assert steps["full"].tolist() == [40, 80, 120, 160]
    assert compute.build(found, {})["rollouts"].tolist() == [160, 320]


def test_samplers_are_compared_where_they_have_drawn_equally_much():
    found = drawing_more({"full": [0.2, 0.5, 0.6], "lim": [0.2, 0.3, 0.9]})
    rows = samplers.build(found, {"rollouts": None, "against": None}).set_index("arm")
    # After 160 rollouts FULL has done its 4 steps, LIM 2: the later 0.9 does not count.
    assert rows["at step"].to_dict() == {"FULL": "4", "LIM": "2"}
    assert rows["at rollouts"].to_dict() == {"FULL": 160, "LIM": 160}
    assert rows["mean %"].to_dict() == {"FULL": pytest.approx(60), "LIM": pytest.approx(30)}
    assert rows["difference"]["LIM"] == pytest.approx(-30)
    assert pd.isna(rows["difference"]["FULL"])
    assert rows["without a signal, %"]["LIM"] == 50
    assert pd.isna(rows["without a signal, %"]["FULL"])  # it did not count
    assert rows["draws a step"]["LIM"] == 2
    assert set(rows["against"]) == {"FULL"}
    early = samplers.build(found, {"rollouts": 100, "against": "lim"}).set_index("arm")
    assert early["at step"].isna().to_dict() == {"FULL": False, "LIM": True}
    with pytest.raises(InputError, match="'lmi' is no PPO arm"):
        samplers.build(found, {"rollouts": None, "against": "lmi"})


def test_difficulties_from_a_run_are_charged_with_it():
    found = study({"full": [0.2, 0.5, 0.6], "rand": [0.2, 0.3, 0.9]})
    arms = [
        {**arm, "difficulty_from": "full", "difficulty_epochs": 1} if arm["name"] == "rand" else arm
        for arm in found.study["arms"]
    ]
    charged = costs.scoring(dataclasses.replace(found, study={**found.study, "arms": arms}), "rand")
    assert charged is not None
    assert charged.text == "FULL, seed 1, 1 epochs"
    assert charged.cost is not None
    assert charged.cost.rollouts == 80
    assert costs.scoring(found, "rand") is None

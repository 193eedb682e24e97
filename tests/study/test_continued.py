"""Arms that start from other arms, choices for each seed, rounds: what follows from a study."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from continued_study import SIZES, changed, continued, new_jobs

from limr.core import plugins
from limr.core.errors import InputError
from limr.models import interface
from limr.study import continued as continued_arms
from limr.study.arms import Start
from limr.study.jobs import plan
from limr.study.jobs.job import Job
from limr.study.load import load as load_study
from limr.study.load import unavailable
from limr.study.study import Study

START = {"arm": "full", "step": 3}


@pytest.fixture
def load(root: Path) -> Any:
    def loaded(config: dict[str, Any]) -> Study:
        return load_study(config, "study.yaml", root / "config/benchmarks")

    return loaded


def test_what_is_for_each_seed_has_files_by_seed(load: Any) -> None:
    study = load(continued())
    assert [name for name in study.trajectories if name.startswith("early")] == [
        "early-seed1",
        "early-seed2",
    ]
    chosen = study.arms["chosen-seed2"]
    assert (chosen.seeds, chosen.group, chosen.draw) == ((2,), "chosen", "chosen")
    assert (chosen.score, chosen.start) == ("decayed-seed2", Start("full", 3, "kept"))
    rand = study.arms["rand-2-seed1"]
    assert (rand.cut, rand.draw) == ({"size": "chosen-seed1"}, "rand-2")
    assert [study.scores[f"random-1-seed{seed}"]["seed"] for seed in (1, 2)] == [1, 2]
    assert study.arms["full-continued"].seeds == (1, 2)
    assert study.kept_states("full") == (2, 3)


def test_rounds_are_a_chain_of_ordinary_arms(load: Any) -> None:
    study = load(continued())
    first, last = study.arms["rounds-round1-seed1"], study.arms["rounds-seed1"]
    assert (first.settings["steps"], first.steps, first.shown) == (4, (3,), False)
    assert (last.settings["steps"], last.steps, last.shown) == (6, (6,), True)
    assert study.way("rounds-seed1") == [("full", 2), ("rounds-round1-seed1", 4)]
    jobs = {path: job for job in plan.jobs(study) for path in job.outputs}
    second = jobs[study.paths.curves("first-rounds-round2-seed1")]
    assert second.input["paths"] == [
        study.paths.rollouts("full", 1),
        study.paths.rollouts("rounds-round1-seed1", 1),
    ]
    assert (second.settings["until"], second.settings["steps"]) == ([2, None], [1, 4])
    run = jobs[study.paths.rollouts("rounds-seed1", 1)]
    assert run.input["start"] == study.paths.kept_state("rounds-round1-seed1", 1, 4)
    assert run.settings["start"] == {
        **{"arm": "rounds-round1-seed1", "step": 4, "optimizer": "kept", "streams": "full"}
    }


def test_what_is_collected_runs_through_the_join(load: Any) -> None:
    study = load(continued())
    jobs = {job.rule: job for job in plan.jobs(study)}
    found = jobs["collect_evaluations"]
    steps: dict[str, list[tuple[int, str]]] = {}
    pairs = zip(found.settings["evaluations"], found.input["evaluations"], strict=True)
    for key, path in pairs:
        if (key["seed"], key["benchmark"]) == (1, "arithmetic-easy"):
            steps.setdefault(key["arm"], []).append((key["step"], path.split("/")[3]))
    assert steps["full-continued"] == [(3, "full"), (6, "full-continued")]
    assert steps["rounds-seed1"] == [(3, "rounds-round1-seed1"), (6, "rounds-seed1")]
    assert "rounds-round1-seed1" not in steps
    metrics = jobs["collect_metrics"].settings["runs"]
    parts = [run.get("until") for run in metrics if run["arm"] == "rounds-seed2"]
    assert parts == [2, 4, None]


def test_every_file_has_one_maker_and_settings_are_plain(load: Any) -> None:
    jobs = plan.jobs(load(continued()))
    made = [path for job in jobs for path in job.outputs]
    assert len(made) == len(set(made))
    for job in jobs:
        assert json.loads(json.dumps(job.settings)) == job.settings, job.rule


def trained(before: list[Job], after: list[Job]) -> set[str]:
    """The runs that a change makes train again, as arm/seed."""
    found = (job for job in new_jobs(before, after) if job.script == "train_ppo")
    return {"/".join(job.wildcards.values()) for job in found}


@pytest.mark.parametrize(("keys", "value", "runs"), SIZES.values(), ids=SIZES)
def test_a_change_reruns_the_continuations_that_it_concerns(
    load: Any, keys: tuple[str, ...], value: Any, runs: set[str]
) -> None:
    config = continued()
    jobs = [plan.jobs(load(one)) for one in (config, changed(config, *keys, value=value))]
    assert trained(*jobs) == runs


def test_one_more_round_keeps_the_rounds_before(load: Any) -> None:
    config = continued()
    config["arms"]["rounds"]["rounds"] = {"every": 1, "times": 3}
    more = changed(config, "arms", "rounds", "rounds", value={"every": 1, "times": 4})
    runs = trained(plan.jobs(load(config)), plan.jobs(load(more)))
    # Round 3 was the last, to the run's end.
    assert runs == {f"rounds{r}-seed{s}/{s}" for r in ("", "-round3") for s in (1, 2)}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no such arm": ({"start": {"arm": "ful", "step": 3}}, "start: no arm 'ful'.*'full'"),
    "after its end": ({"start": {"arm": "full", "step": 9}}, "step 9 is not kept.*steps 1 to 6"),
    "at the own end": ({"start": {"arm": "full", "step": 6}}, "not before the arm's own end"),
    "before its start": (
        {"start": {"arm": "full-continued", "step": 2}},
        "step 2 is not kept: the runs of 'full-continued' have steps 4 to 6",
    ),
    "other batch": (
        {"ppo": {"prompts_per_step": 4}},
        "ppo.prompts_per_step is 4 here and 8 in 'full'",
    ),
    "other optimizer": (
        {"ppo": {"actor_learning_rate": 1.0}},
        "ppo.actor_learning_rate is 1.0 here .* `optimizer: fresh`",
    ),
    "few problems": ({"size": 7}, "size 7 is smaller than a step's 8 problems"),
    "fine-tuning": ({"train": "none"}, "'start' says nothing for train: none"),
    "no policy": ({"evaluate_steps": [3]}, "'arms.x.evaluate_steps' has no step after 3"),
    "rounds beyond": ({"rounds": {"every": 2, "times": 2}}, "end at step 7, beyond the run's end"),
    "rounds of nothing": ({"start": None, "rounds": {"every": 1, "times": 2}}, "give 'start' too"),
    "one round": ({"rounds": {"every": 1, "times": 1}}, "rounds.times.*minimum of 2"),
    "a sampler": ({"sampler": {"name": "dapo"}}, "sampler 'dapo' draws from what its own run"),
    "of the base": ({"start": {"arm": "base", "step": 1}}, "'base' is not an arm with train: ppo"),
}


@pytest.mark.parametrize(("changes", "message"), BAD.values(), ids=BAD)
def test_a_start_that_cannot_be_is_refused_before_any_job(
    load: Any, changes: dict[str, Any], message: str
) -> None:
    arm = {"train": "ppo", "score": "everything", "start": START, **changes}
    arm = {key: value for key, value in arm.items() if value is not None}
    with pytest.raises(InputError, match=message):
        load(continued(x=arm))


def test_an_engine_that_cannot_go_on_is_said_before_the_first_job(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = yaml.safe_load((root / "config/online-single-node.yaml").read_text())
    study = load_study(config, "online.yaml", root / "config/benchmarks")
    assert unavailable(study) is None
    monkeypatch.delattr(plugins.load("engines", "openrlhf"), "STARTS")
    assert "the engine 'openrlhf' cannot go on from another arm's run." in str(unavailable(study))


@pytest.mark.parametrize("every", [10, 15])
def test_states_are_kept_at_checkpoints_or_refused_before_any_job(load: Any, every: int) -> None:
    config = yaml.safe_load(Path("config/online-single-node.yaml").read_text())
    config["engines"]["openrlhf"]["checkpoint_every"] = every
    config["evaluate"]["ppo_steps"] = [60]
    config["arms"]["full"]["evaluate_steps"] = [30]
    if every == 10:
        assert load(config).kept_states("full") == (40,)
        return
    message = "arm 'full': .*checkpoint_every 15 does not divide step 40, which is evaluated or st"
    with pytest.raises(InputError, match=message):
        load(config)


def test_the_declared_study_costs_every_arm_the_same(root: Path) -> None:
    config = yaml.safe_load((root / "config/online.yaml").read_text())
    study = load_study(config, "online.yaml", root / "config/benchmarks")
    assert unavailable(study) is None
    arms = [arm for arm in study.arms.values() if arm.start and arm.shown]
    assert {arm.settings["steps"] for arm in arms} == {48}
    assert {study.way(arm.name)[0][0] for arm in arms} == {"full"}
    sizes = {arm.group: arm.cut.get("size") for arm in arms}
    assert set(sizes.values()) == {96, None}
    assert [group for group, size in sizes.items() if size is None] == [
        "full-continued",
        "full-fresh",
    ]


def test_a_fresh_optimizer_is_a_control_and_may_be_another(load: Any) -> None:
    start = {**START, "optimizer": "fresh"}
    arm = {"train": "ppo", "score": "everything", "start": start}
    arm["ppo"] = {"actor_learning_rate": 1.0}
    study = load(continued(x=arm))
    assert study.arms["x"].changes == ("ppo", "start")
    assert study.arms["full-continued"].changes == ()


def test_the_keys_of_an_optimizer_are_the_same_to_the_study_and_to_the_engines() -> None:
    assert continued_arms.OPTIMIZER_KEYS == interface.OPTIMIZER_KEYS


TRAJECTORIES = {
    "steps beyond": ({"steps": [1, 9]}, r"steps \[1, 9\]: the run of 'full' ends at step 6"),
    "no steps": ({"steps": [4, 3]}, "the first, 4, lies behind the last, 3"),
    "each of a file": ({"arm": None, "path": "x.parquet"}, "'each' goes with 'arm'"),
}


@pytest.mark.parametrize(("changes", "message"), TRAJECTORIES.values(), ids=TRAJECTORIES)
def test_parts_of_runs_that_are_none_are_refused(
    load: Any, changes: dict[str, Any], message: str
) -> None:
    config = continued()
    entry = {**config["trajectories"]["early"], **changes}
    entry = {key: value for key, value in entry.items() if value is not None}
    config["trajectories"]["early"] = entry
    with pytest.raises(InputError, match=message):
        load(config)

"""Arms that differ from the study: what they may change, and who is told."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from limr.core.errors import InputError
from limr.study.jobs import train
from limr.study.load import load as load_study
from limr.study.study import Study


@pytest.fixture
def demo(root: Path) -> dict[str, Any]:
    return copy.deepcopy(yaml.safe_load((root / "config/demo.yaml").read_text()))


def load(config: dict[str, Any], root: Path, **arms: dict[str, Any]) -> Study:
    config["arms"] |= {name.replace("_", "-"): entry for name, entry in arms.items()}
    return load_study(config, "study.yaml", root / "config/benchmarks")


LONG = {
    **{"train": "ppo", "score": "everything", "ppo": {"steps": 96}},
    "evaluate_steps": [96, 48],
}


def test_an_arm_changes_what_it_names_and_nothing_else(demo: dict[str, Any], root: Path) -> None:
    found = load(demo, root, full_long=LONG)
    full, long = found.arms["full"], found.arms["full-long"]
    assert long.settings == {**full.settings, "steps": 96}
    assert (full.settings["steps"], full.steps) == (48, (12, 24, 36, 48))
    assert long.steps == (48, 96)
    assert (full.changes, long.changes) == ((), ("evaluate_steps", "ppo"))
    assert (long.reward, long.grader) == (full.reward, full.grader)


def test_rules_are_shared_by_arms_of_the_same_steps(demo: dict[str, Any], root: Path) -> None:
    other = {**LONG, "reward": {"rule": "random"}}
    found = load(demo, root, full_long=LONG, other=other)
    suffix, (steps, _, arms) = list(found.variants("ppo").items())[1]
    assert (suffix, steps, arms) == ("_full_long", (48, 96), ["full-long", "other"])
    assert found.rule("train", "other") == "train_ppo_full_long"
    assert found.rule("evaluate", "full") == "evaluate"
    assert found.rule("evaluate", "base") == "evaluate_base"
    assert found.rule("train", "sft") == "train_sft"


def test_a_reward_of_an_arm_is_whole(demo: dict[str, Any], root: Path) -> None:
    demo["reward"] = {"incorrect": 0.0}
    found = load(
        demo, root, coin={"train": "ppo", "score": "everything", "reward": {"rule": "random"}}
    )
    assert found.arms["coin"].reward == {
        **{"rule": "random", "probability": 0.5, "rewarded": 1.0, "otherwise": -0.5}
    }
    full = {"rule": "verdict", "correct": 1.0, "incorrect": 0.0, "malformed": -1.0}
    assert found.arms["full"].reward == full


DRAWS = {"train": "ppo", "score": "everything"}
BAD = [
    ({"train": "none", "ppo": {"steps": 9}}, "'ppo' says nothing for train: none"),
    ({"train": "sft", "score": "lim", "reward": {}}, "'reward' says nothing for train: sft"),
    ({"train": "ppo", "score": "lim", "sft": {}}, "'sft' says nothing for train: ppo"),
    ({"train": "none", "dead_problems": "exclude"}, "the arm needs a 'score'"),
    (
        {"train": "none", "score": "lim", "template": "none"},
        "'template' goes with the base: leave 'score' out",
    ),
    (
        {"train": "ppo", "score": "everything", "ppo": {"steps": 40}},
        "'evaluate.ppo_steps': step 48 lies beyond the run's end, arms.x.ppo.steps = 40",
    ),
    (
        {"train": "ppo", "score": "everything", "evaluate_steps": [49]},
        "'arms.x.evaluate_steps': step 49 lies beyond the run's end, ppo.steps = 48",
    ),
    (
        {"train": "ppo", "score": "everything", "ppo": {"train_batch_size": 100}},
        "arms.x.ppo.train_batch_size 100 does not divide",
    ),
    (
        {"train": "ppo", "score": "everything", "ppo": {"stpes": 9}},
        "'arms.x.ppo.stpes' is not a key. Did you mean 'steps'",
    ),
    (
        {"train": "ppo", "score": "everything", "ppo": {"steps": "many"}},
        "'arms.x.ppo.steps' must be a whole number",
    ),
    (
        {"train": "ppo", "score": "everything", "reward": {"rule": "formta-only"}},
        "there is no 'formta-only'. Did you mean 'format-only'",
    ),
    ({"train": "none", "template": "few-shot"}, "engine 'embedded' has no prompt templates"),
    ({"train": "sft", "score": "lim", "sampler": "mopps"}, "'sampler' says nothing for train: sft"),
    ({**DRAWS, "sampler": "mops"}, "samplers: there is no 'mops'. Did you mean 'mopps'?"),
    ({**DRAWS, "sampler": {"name": "dsp"}}, "there is no 'dsp'. Did you mean 'dps'?"),
    ({**DRAWS, "sampler": {"name": "mopps", "dekay": 1}}, "'arms.x.sampler.dekay' is not a key."),
    ({**DRAWS, "sampler": {"name": "mopps", "decay": 2}}, "2 is greater than the maximum of 1"),
    ({**DRAWS, "sampler": {"decay": 0.5}}, "'arms.x.sampler.decay' is not a key. Known: name."),
    ({**DRAWS, "sampler": 3}, "'arms.x.sampler' must be a mapping, found 3."),
    ({**DRAWS, "sampler": "adarft"}, "arm 'x': sampler 'adarft' needs `difficulty`: `level`"),
    (
        {**DRAWS, "sampler": {"name": "adarft", "difficulty": "linaer"}},
        "sampler.difficulty: 'linaer' is neither 'level' nor under scores. Did you mean 'linear'?",
    ),
    (
        {**DRAWS, "sampler": "dapo", "ppo": {"samples_per_prompt": 1, "train_batch_size": 48}},
        "sampler 'dapo' needs ppo.samples_per_prompt of at least 2",
    ),
    (
        {"train": "ppo", "score": "lim", "size": 40, "sampler": "dps"},
        "sampler 'dps' chooses 48 problems a step (ppo.prompts_per_step), and the arm has at most "
        "40.",
    ),
]


@pytest.mark.parametrize(("arm", "message"), BAD)
def test_a_change_that_cannot_be_is_refused(
    demo: dict[str, Any], root: Path, arm: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as error:
        load(demo, root, x=arm)
    assert message in str(error.value)


def test_a_base_may_have_another_template(root: Path) -> None:
    config = yaml.safe_load((root / "config/smollm.yaml").read_text())
    found = load(config, root, plain={"train": "none", "template": "none"})
    assert found.arms["plain"].template == "none"
    with pytest.raises(InputError, match=r"template: there is no 'fewshot'.*'few-shot'"):
        load(config, root, plain={"train": "none", "template": "fewshot"})


def test_the_ready_arms_of_the_papers_study_are_valid(root: Path) -> None:
    """As a user would: take the comment signs away, add the two lines that the comment names."""
    text = (root / "config/config.yaml").read_text()
    begin = text.index("  # Controls (docs/controls.md)")
    end = text.index("evaluate:", begin)
    lines = [
        line[4:] for line in text[begin:end].splitlines() if re.match(r"  # [a-z-]+: \{", line)
    ]
    ready = yaml.safe_load("\n".join(lines))
    assert len(ready) == 11
    config = yaml.safe_load(text)
    for key, kind in (("full-paper", "trajectories"), ("lim-paper", "scores")):
        [line] = re.findall(rf"`({key}: .*)` under\s+(?:# )?{kind}", text)
        config[kind] |= yaml.safe_load(line)
    found = load(config, root, **ready)
    assert set(ready) <= set(found.arms) | {"rand-paper", "rand-alive"}
    assert found.arms["full-long"].settings["steps"] == 2 * found.arms["full"].settings["steps"]
    assert found.arms["rand-alive-1"].dead_problems == "exclude-paper"
    assert found.arms["base-few-shot"].template == "few-shot"


def test_the_grown_up_miniature_has_the_demos_sizes(demo: dict[str, Any], root: Path) -> None:
    full = yaml.safe_load((root / "config/demo-full.yaml").read_text())
    same = ("base", "ppo", "sft", "evaluate")
    assert {key: full[key] for key in same} == {key: demo[key] for key in same}
    # docs/demo-full.md names the sha256 of its study, which is older than the key.
    assert full["engines"]["embedded"] | {"determinism": "portable"} == demo["engines"]["embedded"]
    assert full["datasets"]["arithmetic"] == {**demo["datasets"]["arithmetic"], "ungradable": 0.1}
    assert full["arms"]["limr"]["threshold"] == demo["arms"]["limr"]["threshold"]
    assert len(full["seeds"]) >= 5
    found = load(full, root)
    rules = {arm.reward["rule"] for arm in found.arms.values()}
    assert rules == {"verdict", "random", "format-only", "incorrect-label"}


def test_a_sampler_is_a_name_or_a_mapping_and_its_defaults_are_filled_in(
    demo: dict[str, Any], root: Path
) -> None:
    short = load(demo, root, x={**DRAWS, "sampler": "mopps"}).arms["x"].sampler
    assert short == {"name": "mopps", "target": 0.5, "decay": 0.5, "prior": 1.0}
    own = load(demo, root, x={**DRAWS, "sampler": {"decay": 0.9, "name": "mopps"}}).arms["x"]
    assert own.sampler == {**short, "decay": 0.9}
    assert own.changes == ("sampler",)
    assert load(demo, root).arms["full"].sampler is None
    named = load(demo, root, x={**DRAWS, "sampler": "uniform"}).arms["x"]
    assert (named.sampler, named.changes) == ({"name": "uniform"}, ())  # as a reference, no control


def test_the_jobs_of_a_sampler(demo: dict[str, Any], root: Path) -> None:
    hard = {"name": "adarft", "difficulty": "lim"}
    found = load(demo, root, x={**DRAWS, "sampler": hard}, y={**DRAWS, "sampler": "dapo"})
    jobs = {job.wildcards["arm"]: job for job in train.jobs(found) if "arm" in job.wildcards}
    assert jobs["x"].input["difficulty"] == found.paths.scores("lim")
    assert ("samplers", "adarft") in jobs["x"].plugins
    assert jobs["y"].settings["sampler"] == {"name": "dapo", "tries": 4}
    assert "difficulty" not in jobs["y"].input
    assert "sampler" not in jobs["full"].settings  # and so its finished runs stay
    about = {arm["name"]: arm for arm in found.overview()["arms"]}
    assert about["x"]["difficulty_from"] == "full"
    assert "difficulty_from" not in about["y"]


def test_difficulties_from_ones_own_run_are_a_circle(demo: dict[str, Any], root: Path) -> None:
    demo["arms"]["full"]["sampler"] = {"name": "adarft", "difficulty": "lim"}
    with pytest.raises(InputError, match="arm 'full': its problems depend on its own run"):
        load(demo, root)


def test_another_engine_refuses_samplers(root: Path) -> None:
    config = yaml.safe_load((root / "config/single-node.yaml").read_text())
    config["arms"]["full"]["sampler"] = "mopps"
    with pytest.raises(InputError, match=r"engine 'openrlhf' cannot draw by sampler 'mopps'"):
        load(config, root)

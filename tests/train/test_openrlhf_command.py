"""The commands of every shipped study that OpenRLHF trains, compared with tests/golden.

`python tests/train/test_openrlhf_command.py` writes the golden files.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from limr.study.load import load as load_study
from limr.study.study import Study
from limr.train.embedded.order import Order
from limr.train.openrlhf import command

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests/golden"
PROBLEMS = {"math-full": 8523}  # of an arm that takes all of them
SOLUTIONS = 817


def shipped() -> dict[str, Study]:
    """The shipped studies that OpenRLHF trains, by file name; the template is of a user's files."""
    found = {}
    for path in sorted(set((ROOT / "config").glob("*.yaml")) - {ROOT / "config/template.yaml"}):
        config = yaml.safe_load(path.read_text())
        if isinstance(config, dict) and config.get("engine", {}).get("train") == "openrlhf":
            found[path.stem] = load_study(config, path.name, ROOT / "config/benchmarks")
    return found


def start(step: int = 0) -> command.Start:
    base, state = Path("/results/base"), Path("/results/state/full-seed1")
    return command.Start(base, state / "prompts.jsonl", state, 1 if step == 0 else 2, step, 7)


def commands(one: Study) -> dict[str, list[str]]:
    """The arguments of each kind of training that a study has."""
    options, config = one.config["engines"]["openrlhf"], one.config
    found = {}
    if one.arms_by("ppo"):
        ppo = config["ppo"]
        problems = PROBLEMS.get(config["dataset"], 8523)
        order = Order(problems, ppo["prompts_per_step"], ppo["drop_last"], one.seeds[0], "full")
        found["ppo"] = command.ppo(options, ppo, order, one.steps["ppo"], start())
    if one.arms_by("sft"):
        found["sft"] = command.sft(options, config["sft"], SOLUTIONS, one.steps["sft"], start())
    return found


def without_flash_attention(one: Study) -> Study:
    """The same study where flash-attn is not installed (docs/openrlhf.md)."""
    options = {**one.config["engines"]["openrlhf"], "attention": "sdpa", "packing": False}
    engines = {**one.config["engines"], "openrlhf": options}
    return replace(one, config={**one.config, "engines": engines})


def shown(one: Study) -> str:
    """The commands as a text, a flag on each line."""
    lines = []
    for kind, arguments in commands(one).items():
        lines.append(f"# {kind}")
        for argument in arguments:
            if argument.startswith("--"):
                lines.append(argument)
            else:
                lines[-1] += f" {argument.replace(str(ROOT), '')}"
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", shipped())
def test_commands_are_the_golden_ones(name: str) -> None:
    golden = GOLDEN / f"openrlhf-{name}.txt"
    assert golden.exists(), "write it: python tests/train/test_openrlhf_command.py"
    assert shown(shipped()[name]) == golden.read_text()


def flags_of(arguments: list[str]) -> dict[str, Any]:
    """Return flag -> its values."""
    found: dict[str, list[str]] = {}
    for argument in arguments:
        if argument.startswith("--"):
            assert argument not in found, f"{argument} stands twice"
            found[argument] = []
        else:
            found[list(found)[-1]].append(argument)
    return found


def paper() -> Study:
    return shipped()["config"]


def test_the_papers_numbers_reach_the_trainer() -> None:
    flags = flags_of(commands(paper())["ppo"])
    wanted = {
        "--rollout.batch_size": "1024",
        "--rollout.n_samples_per_prompt": "8",
        "--rollout.temperature": "1.2",
        "--rollout.max_new_tokens": "3072",
        "--data.max_len": "4096",
        "--train.batch_size": "256",
        "--train.num_episodes": "21",
        "--actor.adam.lr": "5e-07",
        "--critic.adam.lr": "9e-06",
        "--algo.advantage.lambd": "0.95",
        "--actor.eps_clip": "0.2",
        "--critic.value_clip": "0.2",
        "--algo.kl.init_coef": "0.01",
        "--ckpt.save_steps": "8",
    }
    assert {flag: " ".join(flags[flag]) for flag in wanted} == wanted
    assert "--ckpt.load_enable" not in flags


def test_ten_warmup_steps_stay_ten() -> None:
    """The trainer rounds ratio x steps up; see OpenRLHF's `prepare`."""
    import math

    for max_steps in (11, 672, 5586, 1_000_003):
        assert math.ceil(max_steps * command.warmup_ratio(10, max_steps)) == 10
    assert command.warmup_ratio(0, 5) == 0.0


def test_after_a_checkpoint_it_is_loaded() -> None:
    one = paper()
    ppo, options = one.config["ppo"], one.config["engines"]["openrlhf"]
    order = Order(8523, 1024, True, 1, "full")
    resumed = command.ppo(options, ppo, order, one.steps["ppo"], start(24))
    assert "--ckpt.load_enable" in resumed
    assert resumed[resumed.index("--logger.wandb.run_name") + 1] == "attempt-002"


def test_fine_tuning_goes_on_for_as_many_epochs_as_its_steps_need() -> None:
    options = paper().config["engines"]["openrlhf"]
    options["sft"]["checkpoint_every"] = None
    sft = {
        "steps": 150, "batch_size": 16, "learning_rate": 1e-5, "warmup_steps": 5,
        "adam_betas": [0.9, 0.95], "max_grad_norm": 1.0,
    }  # fmt: skip
    flags = flags_of(command.sft(options, sft, 817, [75, 150], start()))
    # 102 micro-batches of 8 solutions an epoch, 2 an optimizer step: 51 steps an epoch.
    assert flags["--train.max_epochs"] == ["3"]
    assert flags["--ckpt.save_steps"] == ["75"]
    ratio = float(flags["--lr_warmup_ratio"][0])
    assert ratio == pytest.approx(4.5 / 153)


def test_no_flag_is_written_without_its_value() -> None:
    assert command.spelled({"--a": True, "--b": False, "--c": None, "--d": [1, 0.5], "--e": 0}) == [
        "--a", "--d", "1", "0.5", "--e", "0",
    ]  # fmt: skip


if __name__ == "__main__":
    argparse.ArgumentParser(description="Write the golden commands.").parse_args()
    for stem, found in shipped().items():
        (GOLDEN / f"openrlhf-{stem}.txt").write_text(shown(found))

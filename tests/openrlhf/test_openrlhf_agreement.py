"""OpenRLHF's own functions and parsers: equations agree, and every flag is one of its flags."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import real_trainer
import test_openrlhf_command as golden

from limr.core import validation
from limr.study.load import load as load_study
from limr.train.embedded.order import Order
from limr.train.openrlhf import command
from limr.train.openrlhf import options as options_schema

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def ask(python: Path, script: str, given: Any = None) -> Any:
    """Run a script in the trainers' environment: JSON in, JSON out."""
    project = real_trainer.RealProject(real_trainer.ROOT)
    done = subprocess.run(
        [str(python), str(real_trainer.HERE / script)],
        input=json.dumps(given),
        env=project.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.long
@pytest.mark.parametrize("stage", [2, 3])
def test_deepspeed_keeps_the_weights_and_forgets_the_optimizers(python: Path, stage: int) -> None:
    found = ask(python, "new_optimizers.py", {"stage": stage})
    assert {name for name, good in found.items() if not good} == set()
    assert len(found) == 10


@pytest.fixture(scope="module")
def asked() -> dict[str, dict[str, Any]]:
    """The commands of every shipped study, of a resume, and of the small one."""
    modules = {"ppo": command.PPO_MODULE, "sft": command.SFT_MODULE}
    studies = golden.shipped()
    small = real_trainer.study()
    studies["real"] = load_study(small, "real", golden.ROOT / "config/benchmarks")
    studies["sdpa"] = golden.without_flash_attention(studies["config"])
    found = {
        f"{name} {kind}": {"module": modules[kind], "arguments": arguments}
        for name, one in studies.items()
        for kind, arguments in golden.commands(one).items()
    }
    paper = studies["config"].config
    order = Order(8523, 1024, True, 1, "full")
    options = dict(validation.complete({}, options_schema.Options, "test"))
    found["resumed ppo"] = {
        "module": command.PPO_MODULE,
        "arguments": command.ppo(options, paper["ppo"], order, [24], golden.start(24)),
    }
    return found


@pytest.fixture(scope="module")
def said(python: Path, asked: dict[str, Any]) -> dict[str, Any]:
    return ask(python, "parse_flags.py", asked)


@pytest.fixture(scope="module")
def parsed(said: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return said["parsed"]


def test_the_embedded_equations_are_openrlhfs(said: dict[str, Any]) -> None:
    found = said["differences"]
    assert len(found) == 8
    assert {name: far for name, far in found.items() if not far <= 1e-5} == {}


def test_every_flag_is_accepted_by_the_real_parser(
    asked: dict[str, Any], parsed: dict[str, dict[str, Any]]
) -> None:
    assert set(parsed) == set(asked)
    for name, one in asked.items():
        for flag, values in golden.flags_of(one["arguments"]).items():
            found = parsed[name][flag.removeprefix("--")]
            read = found if isinstance(found, list) else [found]
            wanted = values or ["True"]
            assert len(read) == len(wanted), (name, flag)
            for got, given in zip(read, wanted, strict=True):
                same = str(got) == given
                assert same or float(got) == float(given), (name, flag, got, given)


def test_what_is_left_out_is_off(parsed: dict[str, dict[str, Any]]) -> None:
    paper = parsed["config ppo"]
    for name in (
        "train.async_enable", "train.dynamic_batch_enable", "algo.dynamic_filtering_enable",
        "ckpt.disable_ds", "algo.kl.use_loss", "algo.advantage.no_std_norm", "ckpt.load_enable",
        "train.enable_ema", "data.apply_chat_template",
    ):  # fmt: skip
        assert paper[name] is False, name
    assert parsed["resumed ppo"]["ckpt.load_enable"] is True
    assert paper["algo.advantage.is_correction_level"] == "off"
    assert paper["data.input_template"] is None
    assert parsed["real sft"]["data.input_template"] == "{}"
    for kind in ("ppo", "sft"):
        assert parsed[f"sdpa {kind}"]["ds.attn_implementation"] == "sdpa"
        assert parsed[f"sdpa {kind}"]["ds.packing_samples"] is False

"""Run by the Python of a tried environment: what else must work there without a GPU.

Standard input: {"environment", "settings" of vLLM by study, "sampling" by study}. Prints a JSON
object: check -> {"found", "problem"}; a problem is "" where the check passed.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
from collections.abc import Callable
from typing import Any

STEPS = {"train": ("openrlhf.cli.train_ppo_ray", "openrlhf.cli.train_sft",
                   "openrlhf.trainer.ray.vllm_engine", "openrlhf.trainer.ray.vllm_worker_wrap"),
         "evaluate": ("vllm.v1.engine.llm_engine",)}  # fmt: skip


def torch_build() -> dict[str, Any]:
    """Return which build of PyTorch this is."""
    import torch

    return {
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "sees a GPU": torch.cuda.is_available(),
    }


def own_modules(environment: str) -> dict[str, str]:
    """Import what a run starts by name, without flash-attn as with it."""
    from limr.train.openrlhf import flash_attention, hooks

    hooks.install([flash_attention.IMPORTER])
    return {name: importlib.import_module(name).__name__ for name in STEPS[environment]}


def engine_arguments(asked: dict[str, Any]) -> dict[str, Any]:
    """Give vLLM what limr's worker gives it for each study, and its sampling parameters."""
    import vllm
    from vllm.engine.arg_utils import EngineArgs
    from vllm.platforms import current_platform
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    from limr.models.vllm import worker

    current_platform.device_type = "cuda"  # what it finds where there is a GPU
    vllm.LLMEngine.from_engine_args = lambda arguments: arguments
    found = {}
    for name, settings in asked["settings"].items():
        made = worker.start(settings)
        words = [word for key, value in settings.items() for word in _flag(key, value)]
        parsed = EngineArgs.add_cli_args(FlexibleArgumentParser()).parse_args(words)
        for key, value in settings.items():
            got = (getattr(made, key), getattr(parsed, key))
            if got != (value, value):
                raise ValueError(f"{name}: {key} is {value}, vLLM read {got}")
        found[name] = str(vllm.SamplingParams(**asked["sampling"][name], seed=1))
    return found


def _flag(key: str, value: Any) -> list[str]:
    flag = "--" + key.replace("_", "-")
    if isinstance(value, bool):
        return [flag] if value else []
    return [flag, str(value)]


def model_config() -> dict[str, Any]:
    """Let vLLM read a Qwen2's configuration, as it does first."""
    from transformers import Qwen2Config
    from vllm.engine.arg_utils import EngineArgs

    with tempfile.TemporaryDirectory() as folder:
        config = Qwen2Config(
            vocab_size=64, hidden_size=64, intermediate_size=64, num_hidden_layers=1,
            num_attention_heads=1, num_key_value_heads=1, max_position_embeddings=128,
            architectures=["Qwen2ForCausalLM"],
        )  # fmt: skip
        config.save_pretrained(folder)
        made = EngineArgs(
            model=folder, skip_tokenizer_init=True, dtype="float32"
        ).create_model_config()
    return {"architecture": made.architecture, "max_model_len": made.max_model_len}


def deepspeed_without_ops() -> dict[str, Any]:
    """Read OpenRLHF's DeepSpeed configuration; no kernel is built, as with DS_BUILD_OPS=0."""
    import deepspeed
    from deepspeed.git_version_info import installed_ops
    from deepspeed.runtime.config import DeepSpeedConfig

    utils = importlib.import_module("openrlhf.utils.deepspeed.deepspeed_utils")
    found: dict[str, Any] = {"version": deepspeed.__version__}
    built = sorted(name for name, there in installed_ops.items() if there)
    if built:
        raise ValueError(f"kernels were built: {', '.join(built)}")
    for stage in (2, 3):
        config = utils.get_train_ds_config(offload=False, adam_offload=True, stage=stage)
        config |= {"train_batch_size": 8, "train_micro_batch_size_per_gpu": 8}
        found[f"ZeRO {stage}"] = DeepSpeedConfig(config).zero_optimization_stage
    return found


def tried(check: Callable[[], Any]) -> dict[str, Any]:
    """Return what a check found, and its problem."""
    try:
        return {"found": check(), "problem": ""}
    except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
        return {"found": None, "problem": f"{type(error).__name__}: {error}"[:1000]}


def main() -> None:
    """Try everything that this environment has."""
    asked, shown = json.load(sys.stdin), sys.stdout
    sys.stdout = sys.stderr
    name = asked["environment"]
    found = {
        "PyTorch": tried(torch_build),
        "what a run starts": tried(lambda: own_modules(name)),
        "vLLM's arguments": tried(lambda: engine_arguments(asked)),
        "a model's configuration": tried(model_config),
    }
    if name == "train":
        found["DeepSpeed"] = tried(deepspeed_without_ops)
    json.dump(found, shown)


if __name__ == "__main__":
    main()

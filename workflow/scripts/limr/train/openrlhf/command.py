"""The trainers' command lines, every flag by its full name: OpenRLHF's parser takes prefixes too.

Pure; nothing here imports OpenRLHF. `tests/openrlhf` gives the flags to the real parsers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limr.train.embedded.order import Order
from limr.train.openrlhf import filtering
from limr.train.openrlhf import layout as layouts

Settings = Mapping[str, Any]
PPO_MODULE = "openrlhf.cli.train_ppo_ray"
SFT_MODULE = "openrlhf.cli.train_sft"
AGENT = Path(__file__).with_name("agent.py")
TENSORBOARD = "tensorboard"  # below the working folder

# The study's name under `ppo` -> the trainer's flag; the rest is derived below.
PPO_FLAGS = {
    "prompts_per_step": "--rollout.batch_size",
    "samples_per_prompt": "--rollout.n_samples_per_prompt",
    "temperature": "--rollout.temperature",
    "top_p": "--rollout.top_p",
    "max_response_tokens": "--rollout.max_new_tokens",
    "train_batch_size": "--train.batch_size",
    "epochs_per_batch": "--train.max_epochs",
    "actor_learning_rate": "--actor.adam.lr",
    "critic_learning_rate": "--critic.adam.lr",
    "gamma": "--algo.advantage.gamma",
    "gae_lambda": "--algo.advantage.lambd",
    "clip": "--actor.eps_clip",
    "value_clip": "--critic.value_clip",
    "kl_coefficient": "--algo.kl.init_coef",
}
LOSS_MEANS = {"tokens": "token-mean", "responses": "seq-mean-token-mean"}


@dataclass(frozen=True)
class Start:
    """Where an attempt starts, and with what."""

    model: Path
    data: Path  # prompts or solutions, one JSON object per line
    folder: Path  # the working folder
    attempt: int
    step: int  # the step of the checkpoint that it goes on from, 0 for none
    seed: int  # of this attempt's generators


def warmup_ratio(warmup_steps: int, max_steps: int) -> float:
    """Return a ratio that the trainer turns into `warmup_steps`: it rounds ratio x steps up."""
    return 0.0 if warmup_steps == 0 else (warmup_steps - 0.5) / max_steps


def ppo(
    options: Settings,
    ppo: Settings,
    order: Order,
    kept: list[int],
    start: Start,
    *,
    filtered: bool = False,
) -> list[str]:
    """Return the arguments of `openrlhf.cli.train_ppo_ray` for a study's options and `ppo`.

    `kept` are the steps whose policies or states are kept; `filtered`: whether groups without a
    signal are drawn again.
    """
    layout = layouts.plan(options, ppo)
    episodes = order.epoch(ppo["steps"]) + 1  # the last one's number is counted on from a state's
    max_steps = (
        order.problems * ppo["samples_per_prompt"] // ppo["train_batch_size"]
        * episodes * ppo["epochs_per_batch"]
    )  # fmt: skip
    every = layouts.checkpoint_every(options["checkpoint_every"], kept, ppo["steps"], layouts.AT)
    flags: dict[str, Any] = {
        **{flag: ppo[name] for name, flag in PPO_FLAGS.items()},
        **_placement(layout),
        **_generation(options, layout),
        **_both(ppo, max_steps),
        "--actor.model_name_or_path": start.model,
        "--critic.model_name_or_path": start.model,
        "--actor.loss_agg_mode": LOSS_MEANS[options["loss_mean"]],
        "--algo.advantage.estimator": "gae",
        "--algo.kl.estimator": "k1",
        "--data.prompt_dataset": start.data,
        "--data.input_key": "prompt",
        "--data.label_key": "label",
        "--data.max_len": ppo["max_prompt_tokens"] + ppo["max_response_tokens"],
        "--train.num_episodes": episodes,
        "--train.micro_batch_size": options["micro_train"],
        "--train.agent_func_path": AGENT,
        "--train.seed": start.seed,
        "--rollout.micro_batch_size": options["micro_rollout"],
        **_precision(options),
        "--actor.gradient_checkpointing_enable": options["gradient_checkpointing"],
        "--ds.enable_sleep": options["sleep"] and layout.colocated,
        "--eval.steps": -1,
        **_kept(start, every),
        "--algo.dynamic_filtering_enable": filtered,
        "--algo.dynamic_filtering_range": filtering.SCORES if filtered else None,
        "--ckpt.best_metric_key": "none",
        "--ckpt.max_num": layouts.KEPT,
    }
    return spelled(flags)


def sft(
    options: Settings, sft: Settings, solutions: int, policies: list[int], start: Start
) -> list[str]:
    """Return the arguments of `openrlhf.cli.train_sft` for so many solutions; see `ppo`."""
    own = options["sft"]
    micro, gpus = own["micro_batch"], layouts.check_sft(options, sft, policies)
    # As the trainer counts: whole micro-batches of every GPU, windows that may span epochs.
    batches = solutions // gpus // micro
    window = sft["batch_size"] // gpus // micro
    epochs = -(-sft["steps"] * window // max(1, batches))
    every = layouts.checkpoint_every(
        own["checkpoint_every"], policies, sft["steps"], f"{layouts.AT}.sft"
    )
    flags: dict[str, Any] = {
        "--model.model_name_or_path": start.model,
        "--model.gradient_checkpointing_enable": options["gradient_checkpointing"],
        "--data.dataset": start.data,
        "--data.input_key": "prompt",
        "--data.output_key": "response",
        "--data.input_template": "{}",
        "--data.max_len": own["max_tokens"],
        "--train.batch_size": sft["batch_size"],
        "--train.micro_batch_size": micro,
        "--train.max_epochs": epochs,
        "--train.seed": start.seed,
        "--adam.lr": sft["learning_rate"],
        "--adam.betas": sft["adam_betas"],
        "--adam.weight_decay": 0.0,
        "--lr_scheduler": "constant_with_warmup",
        "--lr_warmup_ratio": warmup_ratio(sft["warmup_steps"], batches * epochs // window),
        "--max_norm": sft["max_grad_norm"],
        **_precision(options),
        "--eval.steps": -1,
        **_kept(start, every),
        # The trainer's own rotation would delete policies: limr.train.openrlhf.checkpoints does it.
        "--ckpt.max_num": 1_000_000,
    }
    return spelled(flags)


def spelled(flags: Mapping[str, Any]) -> list[str]:
    """Return flags as arguments: True as the flag alone, False and None left out, lists spread."""
    arguments: list[str] = []
    for flag, value in flags.items():
        if value is None or value is False:
            continue
        arguments.append(flag)
        if value is not True:
            values = value if isinstance(value, list | tuple) else [value]
            arguments.extend(str(one) for one in values)
    return arguments


def _placement(layout: layouts.Layout) -> dict[str, Any]:
    # The parser checks the reference's counts even where there is none.
    reference = layout.reference or layout.actor
    flags: dict[str, Any] = {}
    for name, role in (("actor", layout.actor), ("critic", layout.critic), ("ref", reference)):
        flags[f"--{name}.num_nodes"] = role.nodes
        flags[f"--{name}.num_gpus_per_node"] = role.gpus_per_node
    return {**flags, "--train.colocate_all": layout.colocated}


def _generation(options: Settings, layout: layouts.Layout) -> dict[str, Any]:
    return {
        "--vllm.num_engines": layout.engines,
        "--vllm.tensor_parallel_size": layout.tensor_parallel,
        "--vllm.gpu_memory_utilization": options["generation_memory"],
        "--vllm.enforce_eager": options["enforce_eager"],
        "--vllm.enable_sleep": options["sleep"] and layout.colocated,
        "--vllm.sync_backend": "nccl",
    }


def _both(ppo: Settings, max_steps: int) -> dict[str, Any]:
    flags: dict[str, Any] = {}
    for name in ("actor", "critic"):
        flags[f"--{name}.adam.betas"] = ppo["adam_betas"]
        flags[f"--{name}.adam.weight_decay"] = 0.0
        flags[f"--{name}.lr_scheduler"] = "constant_with_warmup"
        flags[f"--{name}.lr_warmup_ratio"] = warmup_ratio(ppo["warmup_steps"], max_steps)
        flags[f"--{name}.max_norm"] = ppo["max_grad_norm"]
    return flags


def _precision(options: Settings) -> dict[str, Any]:
    return {
        "--ds.zero_stage": options["zero_stage"],
        "--ds.param_dtype": "bf16",
        "--ds.adam_offload": options["adam_offload"],
        "--ds.attn_implementation": options["attention"],
        "--ds.packing_samples": options["packing"],
    }


def _kept(start: Start, every: int) -> dict[str, Any]:
    return {
        "--ckpt.path": start.folder / "checkpoints",
        "--ckpt.output_dir": start.folder / "last",
        "--ckpt.save_steps": every,
        "--ckpt.save_hf": True,
        "--ckpt.load_enable": start.step > 0,
        "--logger.logging_steps": 1,
        "--logger.tensorboard_dir": start.folder / TENSORBOARD,
        "--logger.wandb.run_name": f"attempt-{start.attempt:03}",
    }

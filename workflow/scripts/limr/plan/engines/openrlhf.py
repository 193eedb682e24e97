"""OpenRLHF: PPO on all GPUs of a run, fine-tuning on one node."""

from __future__ import annotations

from pathlib import Path

from limr.plan.engines import Layout
from limr.study.study import Study
from limr.train.embedded.order import Order
from limr.train.openrlhf import command, layout

NAME = "openrlhf"
MODULES = ("torch", "ray", "deepspeed", "vllm", "openrlhf")


def training(study: Study, arm: str, problems: int, parameters: int) -> Layout:
    """Return which GPUs a run uses, and the command line of its first attempt.

    Raises InputError where settings contradict each other, or the arm's problems do not fill
    batches; see `limr.train.openrlhf.layout`.
    """
    return (
        _ppo(study, arm, problems, parameters)
        if study.arms[arm].train == "ppo"
        else _sft(study, arm, problems, parameters)
    )


def gpus(study: Study, work: str) -> tuple[int, int]:
    """Return the nodes of a run and the GPUs of each; fine-tuning is on one node."""
    options = study.config["engines"][NAME]
    return (options["nodes"] if work == "ppo" else 1), options["gpus_per_node"]


def _ppo(study: Study, arm: str, problems: int, parameters: int) -> Layout:
    options, ppo = study.config["engines"][NAME], study.arms[arm].settings
    steps, states = study.arms[arm].steps, study.kept_states(arm)
    kept = sorted({*steps, *states} - {0})
    planned = layout.check_ppo(options, ppo, kept)
    order = Order(
        problems, ppo["prompts_per_step"], ppo["drop_last"], study.arms[arm].seeds[0], arm
    )
    layout.check_problems(options, ppo, order, arm)
    sampler = study.arms[arm].sampler or {}
    words = command.ppo(
        options,
        ppo,
        order,
        kept,
        _start(study, arm, "prompts.jsonl"),
        filtered=sampler.get("name") == "dapo",
    )
    shared, engines = planned.colocated, planned.engines * planned.tensor_parallel
    return Layout(
        nodes=options["nodes"],
        gpus=planned.gpus,
        generating=planned.gpus if shared else engines,
        training=planned.actor.gpus,
        shared=shared,
        reference=planned.reference is not None,
        recomputing=options["gradient_checkpointing"],
        state_bytes=layout.disk_bytes(parameters, options, len(steps), states=len(states)),
        start_bytes=layout.checkpoint_bytes(parameters, options),
        commands=(("python", "-m", command.PPO_MODULE, *words),),
        notes=(*planned.described(), _steps(order)),
    )


def _sft(study: Study, arm: str, problems: int, parameters: int) -> Layout:
    options, sft = study.config["engines"][NAME], study.arms[arm].settings
    steps = list(study.arms[arm].steps)
    kept = [step for step in steps if step > 0]
    gpus = layout.check_sft(options, sft, steps)
    start = _start(study, arm, "solutions.jsonl")
    words = command.sft(options, sft, problems, kept, start)
    return Layout(
        nodes=1,
        gpus=gpus,
        generating=0,
        training=gpus,
        recomputing=options["gradient_checkpointing"],
        state_bytes=layout.disk_bytes(parameters, options, len(kept), models=1),
        commands=(("torchrun", f"--nproc-per-node={gpus}", "-m", command.SFT_MODULE, *words),),
    )


def _start(study: Study, arm: str, data: str) -> command.Start:
    results = Path("results") / study.name
    folder = results / f"state/{arm}-seed{study.arms[arm].seeds[0]}"
    start = study.arms[arm].start
    return command.Start(results / "base", folder / data, folder, 1, start.step if start else 0, 0)


def _steps(order: Order) -> str:
    return f"{order.problems:,} problems are {order.steps_per_epoch} steps an epoch"

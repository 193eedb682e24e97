"""What runs where: pure planning of GPUs, nodes, engines and batches, checked before submission.

Nothing here imports OpenRLHF, PyTorch or Ray. `options` are the study's `engines.openrlhf`,
defaults filled in; whatever does not fit raises an InputError that says how to mend it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import gcd
from typing import Any

from limr.core.errors import InputError
from limr.train.embedded.order import Order

Settings = Mapping[str, Any]
AT = "engines.openrlhf"
BYTES_PER_PARAMETER = {2: 14.0, 3: 12.0}  # of a DeepSpeed checkpoint, by ZeRO stage
KEPT = 2  # checkpoints on disk at a time, and one that is being written


@dataclass(frozen=True)
class Role:
    """GPUs of a role: nodes, and GPUs per node."""

    nodes: int
    gpus_per_node: int

    @property
    def gpus(self) -> int:
        """All of its GPUs, which is its data-parallel size too."""
        return self.nodes * self.gpus_per_node


@dataclass(frozen=True)
class Layout:
    """Where the roles of a PPO run are; colocated roles share the same GPUs."""

    colocated: bool
    actor: Role
    critic: Role
    reference: Role | None
    engines: int
    tensor_parallel: int
    gpus: int

    def described(self) -> list[str]:
        """Return lines for people: what will run where."""
        if self.colocated:
            return [
                f"{self.gpus} GPUs, each for policy, critic"
                f"{', reference' if self.reference else ''} and generation in turn",
                f"{self.engines} vLLM engines of {self.tensor_parallel} GPUs",
            ]
        shares = {"policy": self.actor, "critic": self.critic, "reference": self.reference}
        parts = [f"{role.gpus} {name}" for name, role in shares.items() if role]
        return [
            f"{self.gpus} GPUs: {' + '.join(parts)} + {self.engines * self.tensor_parallel} "
            "generation",
            f"{self.engines} vLLM engines of {self.tensor_parallel} GPUs",
        ]


def plan(options: Settings, ppo: Settings) -> Layout:
    """Return the layout of a PPO run; refuse GPUs that do not add up and contradictory settings."""
    gpus = options["nodes"] * options["gpus_per_node"]
    parallel = options["tensor_parallel"]
    has_reference = ppo["kl_coefficient"] > 0
    if options["layout"] == "colocated":
        if options["split"] is not None:
            raise InputError(
                f"{AT}: 'split' goes with 'layout: split'; colocated roles share all GPUs. Take "
                "one of them out."
            )
        if gpus % parallel:
            raise InputError(
                f"{AT}: {gpus} GPUs (nodes x gpus_per_node) are not engines x tensor_parallel = "
                f"{parallel}. Take a tensor_parallel that divides {gpus}."
            )
        role = Role(options["nodes"], options["gpus_per_node"])
        reference = role if has_reference else None
        return Layout(True, role, role, reference, gpus // parallel, parallel, gpus)
    return _split(options, gpus, parallel, has_reference)


def _split(options: Settings, gpus: int, parallel: int, has_reference: bool) -> Layout:
    shares = options["split"]
    if shares is None:
        if gpus % 4 or not has_reference:
            raise InputError(
                f"{AT}: 'split' must be given: {gpus} GPUs are not four equal parts for actor, "
                "critic, reference and generation."
            )
        shares = dict.fromkeys(("actor", "critic", "reference", "generation"), gpus // 4)
    total = sum(shares.values())
    if total != gpus:
        raise InputError(
            f"{AT}.split: {' + '.join(str(n) for n in shares.values())} = {total} GPUs, but nodes "
            f"x gpus_per_node = {gpus}. Make them equal."
        )
    if bool(shares["reference"]) != has_reference:
        raise InputError(
            f"{AT}.split.reference is {shares['reference']}: a reference policy runs if and only "
            "if ppo.kl_coefficient is above 0."
        )
    if min(shares["actor"], shares["critic"], shares["generation"]) < 1:
        raise InputError(f"{AT}.split: actor, critic and generation need at least one GPU each.")
    if shares["generation"] % parallel:
        raise InputError(
            f"{AT}.split.generation: {shares['generation']} GPUs are not engines x "
            f"tensor_parallel = {parallel}."
        )
    roles = {name: _role(name, n, options["gpus_per_node"]) for name, n in shares.items() if n}
    return Layout(
        False,
        roles["actor"],
        roles["critic"],
        roles.get("reference"),
        shares["generation"] // parallel,
        parallel,
        gpus,
    )


def _role(name: str, gpus: int, per_node: int) -> Role:
    if gpus <= per_node:
        return Role(1, gpus)
    if gpus % per_node:
        raise InputError(
            f"{AT}.split.{name}: {gpus} GPUs are more than one node of {per_node} and not whole "
            "nodes."
        )
    return Role(gpus // per_node, per_node)


def check_ppo(options: Settings, ppo: Settings, steps: list[int]) -> Layout:
    """Return the layout, after checking everything that is known without the problems.

    `steps` are those whose policies or states are kept; 0 is the base.
    """
    layout = plan(options, ppo)
    if not ppo["whiten_advantages"]:
        raise InputError(
            "ppo.whiten_advantages: false is not possible with engine 'openrlhf', which always "
            "whitens. Leave it at true, or take engine 'embedded'."
        )
    if options["packing"] and options["attention"] != "flash_attention_2":
        raise InputError(
            f"{AT}: 'packing' needs 'attention: flash_attention_2'. Set 'packing: false' to train "
            f"with {options['attention']}."
        )
    for name, role in (("actor", layout.actor), ("critic", layout.critic)):
        unit = options["micro_train"] * role.gpus
        if ppo["train_batch_size"] % unit:
            raise InputError(
                f"ppo.train_batch_size {ppo['train_batch_size']} is not a multiple of micro_train "
                f"x GPUs of the {name} = {options['micro_train']} x {role.gpus}."
            )
    check_batch(options, ppo, layout, ppo["prompts_per_step"], "ppo.prompts_per_step")
    checkpoint_every(options["checkpoint_every"], steps, ppo["steps"], AT)
    return layout


def check_batch(options: Settings, ppo: Settings, layout: Layout, prompts: int, where: str) -> None:
    """Refuse a batch that does not fill optimizer steps and GPUs evenly.

    The rest of a batch would leak into the next step's gradient, and ranks with unequal shares
    would wait for each other for ever.
    """
    rollouts = prompts * ppo["samples_per_prompt"]
    if rollouts % ppo["train_batch_size"]:
        raise InputError(
            f"{where}: {prompts} prompts x {ppo['samples_per_prompt']} samples = {rollouts} "
            f"rollouts are not a multiple of ppo.train_batch_size {ppo['train_batch_size']}. "
            "OpenRLHF would carry the rest into the next step."
        )
    ranks = max(layout.actor.gpus, layout.critic.gpus)
    for role in (layout.actor, layout.critic, layout.reference):
        unit = options["micro_rollout"] * (role.gpus if role else 1)
        if rollouts % unit:
            raise InputError(
                f"{where}: {rollouts} rollouts per step are not a multiple of micro_rollout x GPUs "
                f"of a role = {unit} ({ranks} GPUs at most). Lower {AT}.micro_rollout."
            )


def check_problems(options: Settings, ppo: Settings, order: Order, arm: str) -> None:
    """Refuse an arm whose problems make an incomplete batch that cannot be trained on."""
    layout = plan(options, ppo)
    sizes = {len(replace(order, shift=0).batch(step + 1)) for step in range(order.steps_per_epoch)}
    for size in sorted(sizes):
        check_batch(options, ppo, layout, size, f"arm '{arm}' ({order.problems} problems)")


def checkpoint_every(given: int | None, steps: list[int], last: int, where: str) -> int:
    """Return the steps between checkpoints; every kept step must be a multiple of it."""
    kept = [step for step in steps if step > 0]
    every = given or gcd(*kept) or last
    for step in kept:
        if step % every:
            raise InputError(
                f"{where}.checkpoint_every {every} does not divide step {step}, which is evaluated "
                "or started from: policies and states are saved at checkpoints. Give a divisor of "
                "all such steps, or null."
            )
    return every


def disk_bytes(
    parameters: float, options: Settings, policies: int, models: int = 2, states: int = 0
) -> float:
    """Return the most bytes that a run has on disk at a time.

    Checkpoints of the trained models (policy and critic; fine-tuning: one), as many as are kept and
    one that is being written, the states that other runs start from, and the 16-bit policies; a
    model has so many parameters.
    """
    checkpoint = checkpoint_bytes(parameters, options, models)
    return (KEPT + 1 + states) * checkpoint + 2.0 * parameters * (policies + 1)


def checkpoint_bytes(parameters: float, options: Settings, models: int = 2) -> float:
    """Return the bytes of one checkpoint: of policy and critic, with their optimizers."""
    return float(models * BYTES_PER_PARAMETER[options["zero_stage"]] * parameters)


def check_sft(options: Settings, sft: Settings, steps: list[int]) -> int:
    """Return the GPUs of a fine-tuning run, which is on one node, after checking its settings."""
    gpus = int(options["gpus_per_node"])
    unit = options["sft"]["micro_batch"] * gpus
    if sft["batch_size"] % unit:
        raise InputError(
            f"sft.batch_size {sft['batch_size']} is not a multiple of {AT}.sft.micro_batch x GPUs "
            f"of a node = {options['sft']['micro_batch']} x {gpus}."
        )
    checkpoint_every(options["sft"]["checkpoint_every"], steps, sft["steps"], f"{AT}.sft")
    return gpus

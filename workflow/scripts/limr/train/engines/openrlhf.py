"""OpenRLHF: PPO and supervised fine-tuning on GPUs, one or many nodes; see docs/openrlhf.md."""

from __future__ import annotations

from typing import Any

from limr.core.errors import InputError
from limr.models.interface import PpoJob, SftJob
from limr.models.pretrained import base
from limr.train.openrlhf import layout, options

ENVIRONMENT = "train"
STARTS = True
SAMPLERS = ("uniform", "dapo")  # dapo is the trainer's own dynamic filtering
Options = options.Options
NOT_IN_DIGEST = options.NOT_IN_DIGEST
Base = base.Base
find_base, make_base = base.find_base, base.make_base


def check(study: Any) -> None:
    """Refuse settings that contradict each other, before any job is submitted.

    `study` is a `limr.study.study.Study`; that module is not imported, so that its edits rerun
    nothing.
    """
    own = study.config["engines"].get("openrlhf")
    if own is None:
        raise InputError("engines.openrlhf is missing: say there how many GPUs a run has.")
    checks = {"ppo": layout.check_ppo, "sft": layout.check_sft}
    for name in study.trained:
        arm = study.arms[name]
        if (arm.sampler or {}).get("name") == "dapo" and arm.settings["prompts_per_step"] < 2:
            raise InputError(
                f"arm '{arm.group}': sampler 'dapo' needs ppo.prompts_per_step of at least 2 here: "
                "of one the trainer's replacements could not be told from its batches."
            )
        try:
            checks[arm.train](own, arm.settings, [*arm.steps, *study.kept_states(name)])
        except InputError as error:
            if not ({arm.train, "evaluate_steps"} & set(arm.changes) or study.kept_states(name)):
                raise
            raise InputError(f"arm '{arm.group}': {error}") from None


def train_ppo(job: PpoJob) -> None:
    """Train by PPO."""
    from limr.train.openrlhf import ppo

    ppo.train_ppo(job)


def train_sft(job: SftJob) -> None:
    """Train by supervised fine-tuning on worked solutions."""
    from limr.train.openrlhf import sft

    sft.train_sft(job)

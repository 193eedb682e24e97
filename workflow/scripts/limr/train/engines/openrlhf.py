"""OpenRLHF: PPO and supervised fine-tuning on GPUs, one or many nodes; see docs/openrlhf.md."""

from __future__ import annotations

from typing import Any

from limr.core.errors import InputError
from limr.models.interface import BaseJob, PpoJob, Settings, SftJob
from limr.models.pretrained import base
from limr.train.openrlhf import layout, options

ENVIRONMENT = "train"
OPTIONS = options.OPTIONS
NOT_IN_DIGEST = options.NOT_IN_DIGEST
BASE = base.SCHEMA


def check(study: Any) -> None:
    """Refuse settings that contradict each other, before any job is submitted.

    Args:
        study: a `limr.study.study.Study`; that module is not named here, so that its edits rerun
            nothing.

    Raises:
        InputError: see `limr.train.openrlhf.layout`.
    """
    own = study.config["engines"].get("openrlhf")
    if own is None:
        raise InputError("engines.openrlhf is missing: say there how many GPUs a run has.")
    checks = {"ppo": layout.check_ppo, "sft": layout.check_sft}
    for name in study.trained:
        arm = study.arms[name]
        try:
            checks[arm.train](own, arm.settings, list(arm.steps))
        except InputError as error:
            if not {arm.train, "evaluate_steps"} & set(arm.changes):
                raise
            raise InputError(f"arm '{arm.group}': {error}") from None


def find_base(base: Settings) -> str:
    """Refuse a base model that cannot be had; return a line that says where it is."""
    from limr.models.pretrained import access

    return access.check(base)


def make_base(job: BaseJob) -> None:
    """Copy the model into the study; nothing is learnt, so that nothing is held out."""
    from limr.models.pretrained import folders

    folders.make_base(job)


def train_ppo(job: PpoJob) -> None:
    """Train by PPO."""
    from limr.train.openrlhf import ppo

    ppo.train_ppo(job)


def train_sft(job: SftJob) -> None:
    """Train by supervised fine-tuning on worked solutions."""
    from limr.train.openrlhf import sft

    sft.train_sft(job)

"""A tiny policy and tiny jobs for the tests of the embedded engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from limr.core.tables import Problem
from limr.grading.grade import Grade
from limr.models.interface import PpoJob, SftJob
from limr.train.embedded import model as models
from limr.train.embedded.vocabulary import Vocabulary

CPU = torch.device("cpu")
WORDS = Vocabulary(("\\boxed{", *"0123456789+-*/=(),x?}"))
TINY: dict[str, Any] = {
    "hidden": 16,
    "layers": 2,
    "heads": 4,
    "key_value_heads": 2,
    "intermediate": 24,
    "rope_theta": 30.0,
}
OPTIONS = {
    "device": "cpu",
    "threads": 1,
    "determinism": "machine",
    "micro_batch": 5,
    "checkpoint_every": 1,
}
PPO: dict[str, Any] = {
    "steps": 4,
    "prompts_per_step": 3,
    "samples_per_prompt": 2,
    "temperature": 1.2,
    "top_p": 1.0,
    "train_batch_size": 4,
    "epochs_per_batch": 2,
    "actor_learning_rate": 1e-2,
    "critic_learning_rate": 1e-2,
    "warmup_steps": 3,
    "adam_betas": [0.9, 0.95],
    "gamma": 1.0,
    "gae_lambda": 0.95,
    "clip": 0.2,
    "value_clip": 0.2,
    "kl_coefficient": 0.01,
    "max_grad_norm": 1.0,
    "max_prompt_tokens": 12,
    "max_response_tokens": 6,
    "whiten_advantages": True,
    "drop_last": True,
}
SFT: dict[str, Any] = {
    "steps": 30,
    "batch_size": 4,
    "learning_rate": 1e-2,
    "warmup_steps": 2,
    "adam_betas": [0.9, 0.95],
    "max_grad_norm": 1.0,
}
REWARD = {"rule": "verdict", "correct": 1.0, "incorrect": -0.5, "malformed": -1.0}
PROBLEMS = [
    Problem(f"p{a}{b}", f"{a}+{b}=?" if a else f"{a}+{b}+{a}=?", str(a + b), "test", 1)
    for a in range(2)
    for b in range(4)
]


class LengthPool:
    """A toy task that PPO learns at once: stop, and stop early."""

    def __init__(self, settings: Any) -> None:
        self.settings = settings

    def __enter__(self) -> LengthPool:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was started."""

    def grade_many(self, items: list[tuple[str, str, bool]]) -> list[Grade]:
        return [
            Grade("malformed", "truncated", None)
            if truncated
            else Grade("correct" if len(response) <= 1 else "incorrect", "", response)
            for _, response, truncated, *_ in items
        ]


def policy(seed: int = 1, scale: float = 0.7) -> Any:
    """A tiny model with weights large enough for its predictions to differ from uniform."""
    model = models.new_policy(TINY, WORDS, seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 2:
                parameter.mul_(scale)
            else:  # norms and biases: not at their trivial start
                parameter.add_(torch.linspace(-0.2, 0.3, len(parameter)))
    return model


def base(folder: Path) -> Path:
    """Write the tiny policy."""
    models.save_policy(policy(), WORDS, folder / "base")
    return folder / "base"


def ppo_job(folder: Path, **changes: Any) -> PpoJob:
    """A PPO job whose outputs lie in `folder`; the base must stand in `folder / "base"`."""
    job = PpoJob(
        arm="full",
        seed=1,
        base=folder / "base",
        problems=PROBLEMS,
        options=OPTIONS,
        grader={},
        state=folder / "state",
        policies={
            0: folder / "policy/step0",
            2: folder / "policy/step2",
            4: folder / "policy/step4",
        },
        metrics=folder / "metrics.parquet",
        record=folder / "run.json",
        provenance={"study": "test"},
        ppo=PPO,
        reward=REWARD,
        rollouts=folder / "rollouts.parquet",
    )
    return replace(job, **changes)


def sft_job(folder: Path, **changes: Any) -> SftJob:
    """A supervised job like `ppo_job`."""
    job = SftJob(
        arm="sft",
        seed=1,
        base=folder / "base",
        problems=PROBLEMS,
        options=OPTIONS,
        grader={},
        state=folder / "state",
        policies={30: folder / "policy/step30"},
        metrics=folder / "metrics.parquet",
        record=folder / "run.json",
        provenance={},
        sft=SFT,
        solutions={p.problem_id: f"\\boxed{{{p.answer}}}" for p in PROBLEMS},
    )
    return replace(job, **changes)

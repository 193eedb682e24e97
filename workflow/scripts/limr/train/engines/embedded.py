"""The embedded engine: a tiny Qwen2 model, trained and sampled with PyTorch in this process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from limr.models.interface import BaseJob, Policy, PpoJob, Settings, SftJob

Schema = dict[str, Any]
ENVIRONMENT = "embedded"
CAVEAT = (
    "This is a miniature: a model of 0.3 million parameters on generated arithmetic. It shows the "
    "method at work and how it can fail; it is no evidence about large models."
)


def _count(default: int, description: str, minimum: int = 1) -> Schema:
    return {
        "type": "integer",
        "minimum": minimum,
        "default": default,
        "description": description,
    }


OPTIONS: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "device": {
            "enum": ["auto", "cpu", "cuda"],
            "default": "auto",
            "description": "Where the model runs; `auto` takes a CUDA device if there is one.",
        },
        "threads": _count(1, "CPU threads of a process; Snakemake runs several processes."),
        "micro_batch": _count(96, "Samples that go through a model at a time; costs memory only."),
        "checkpoint_every": _count(4, "Training steps between checkpoints."),
    },
}

BASE: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "hidden": _count(64, "Width of the model."),
        "layers": _count(3, "Transformer blocks."),
        "heads": _count(4, "Attention heads; they divide the width into even parts."),
        "key_value_heads": _count(2, "Key-value heads; they divide the heads."),
        "intermediate": _count(256, "Width of the MLP."),
        "rope_theta": {
            "type": "number",
            "exclusiveMinimum": 1,
            "default": 30.0,
            "description": "Base of the rotary positions: small, as the sequences are short.",
        },
        "warmup": {
            "type": "object",
            "additionalProperties": False,
            "default": {},
            "description": "Supervised training that makes the base policy.",
            "properties": {
                "steps": _count(2000, "Optimizer steps."),
                "batch_size": _count(64, "Examples an optimizer step."),
                "learning_rate": {
                    "type": "number",
                    "exclusiveMinimum": 0,
                    "default": 4.0e-3,
                    "description": "Peak learning rate; a cosine brings it to a tenth.",
                },
                "clean_share": {
                    "type": "number",
                    "minimum": 0,
                    "maximum": 1,
                    "default": 0.4,
                    "description": "Share of targets that are the worked solution; the others "
                    "may lack the working or the box, or be wrong.",
                },
                "warmup_steps": _count(20, "Steps of linear learning-rate warm-up.", minimum=0),
                "levels": {
                    "type": "array",
                    "minItems": 1,
                    "uniqueItems": True,
                    "items": {"enum": [1, 2, 3, 4, 5, 6]},
                    "default": [1, 2, 3, 4, 5, 6],
                    "description": "Levels of the generated examples.",
                },
                "seed": _count(11, "Draws the first weights and the examples.", minimum=0),
            },
        },
    },
}


def _prepare(options: Settings) -> None:
    """Set what OpenMP reads when PyTorch is first imported: idle threads must not spin."""
    os.environ.setdefault("OMP_NUM_THREADS", str(options["threads"]))
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def base_work(base: Settings) -> dict[str, int]:
    """Return how many optimizer steps and examples the base policy takes."""
    warmup = base["warmup"]
    return {"steps": warmup["steps"], "examples": warmup["steps"] * warmup["batch_size"]}


def make_base(job: BaseJob) -> None:
    """Write the base policy."""
    _prepare(job.options)
    from limr.train.embedded import supervised

    supervised.make_base(job)


def train_ppo(job: PpoJob) -> None:
    """Train by PPO."""
    _prepare(job.options)
    from limr.train.embedded import ppo

    ppo.train_ppo(job)


def train_sft(job: SftJob) -> None:
    """Train by supervised fine-tuning on worked solutions."""
    _prepare(job.options)
    from limr.train.embedded import supervised

    supervised.train_sft(job)


def open_policy(folder: Path, options: Settings, state: Path | None = None) -> Policy:
    """Load a policy folder for generation; it is fast enough to need no working folder."""
    _prepare(options)
    from limr.train.embedded.generation import EmbeddedPolicy

    return EmbeddedPolicy(folder, options)

"""The embedded engine: a tiny Qwen2 model, trained and sampled with PyTorch in this process."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from limr.core import plugins
from limr.core.plugins import heavy_imports
from limr.core.validation import ABSENT, EACH_ONCE, Keys, Number, key
from limr.models.interface import BaseJob, Policy, PpoJob, Settings, SftJob
from limr.train.embedded import memory, portable

ENVIRONMENT = "embedded"
STARTS = True
SAMPLERS = plugins.names("samplers")
CAVEAT = (
    "This is a miniature: a model of 0.3 million parameters on generated arithmetic. It shows the "
    "method at work and how it can fail; it is no evidence about large models."
)


class Options(Keys):
    """Keys of `engines.embedded`."""

    device: Literal["auto", "cpu", "cuda"] = key(
        "auto", "Where the model runs; `auto` takes a CUDA device if there is one."
    )
    threads: int = key(1, "CPU threads per process; Snakemake runs several processes.", ge=1)
    determinism: Literal["machine", "portable"] = key(
        ABSENT,  # not in the settings of older runs: they stay as they are
        "Where a rerun gives the same bytes: on this kind of `machine`, the default, or, "
        "`portable`, on every x86-64 processor with AVX2 (docs/determinism.md).",
    )
    micro_batch: int = key(
        96, "Samples that go through a model at a time; costs memory only.", ge=1
    )
    checkpoint_every: int = key(4, "Training steps between checkpoints.", ge=1)


class Warmup(Keys):
    """Supervised training that makes the base policy."""

    steps: int = key(2000, "Optimizer steps.", ge=1)
    batch_size: int = key(64, "Examples per optimizer step.", ge=1)
    learning_rate: Number = key(0.004, "Peak learning rate; a cosine brings it to a tenth.", gt=0)
    clean_share: Number = key(
        0.4,
        "Share of targets that are the worked solution; the others may lack the working or the "
        "box, or be wrong.",
        ge=0,
        le=1,
    )
    easy_share: Number = key(
        ABSENT,  # not in the settings of older bases: they stay as they are
        "Share of examples that are the `easy` problems of `arithmetic` (`useless_kinds`), always "
        "right and in a box, so that the base solves such ones; none by default.",
        ge=0,
        lt=1,
    )
    warmup_steps: int = key(20, "Steps of linear learning-rate warm-up.", ge=0)
    levels: Annotated[list[Annotated[int, Field(ge=1, le=6)]], EACH_ONCE] = key(
        [1, 2, 3, 4, 5, 6], "Levels of the generated examples.", min_length=1
    )
    seed: int = key(11, "Draws the first weights and the examples.", ge=0)


class Base(Keys):
    """Keys of `base`."""

    hidden: int = key(64, "Width of the model.", ge=1)
    layers: int = key(3, "Transformer blocks.", ge=1)
    heads: int = key(4, "Attention heads; they divide the width into even parts.", ge=1)
    key_value_heads: int = key(2, "Key-value heads; they divide the heads.", ge=1)
    intermediate: int = key(256, "Width of the MLP.", ge=1)
    rope_theta: Number = key(
        30.0, "Base of the rotary positions: small, as the sequences are short.", gt=1
    )
    warmup: Warmup = key({}, "Supervised training that makes the base policy.")


def importing(options: Settings) -> AbstractContextManager[None]:
    """Set what must stand before PyTorch is first imported: kernels, memory, threads.

    Idle threads must not spin.
    """
    if options.get("determinism") == "portable":
        portable.check(options)
        portable.prepare()
    memory.keep()
    os.environ.setdefault("OMP_NUM_THREADS", str(options["threads"]))
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return heavy_imports()


def check(study: Any) -> None:
    """Refuse options that contradict each other."""
    options = study.config["engines"].get("embedded")
    if options and options.get("determinism") == "portable":
        portable.check(options)


def base_work(base: Settings) -> dict[str, int]:
    """Return how many optimizer steps and examples the base policy takes."""
    warmup = base["warmup"]
    return {"steps": warmup["steps"], "examples": warmup["steps"] * warmup["batch_size"]}


def may_meet(dataset: Settings) -> bool:
    """Return whether the warm-up may hold problems of a set: it has a split of its own."""
    return bool(dataset["source"] != "arithmetic" or dataset["split"] == "warmup")


def make_base(job: BaseJob) -> None:
    """Write the base policy."""
    with importing(job.options):
        from limr.train.embedded import supervised

    supervised.make_base(job)


def train_ppo(job: PpoJob) -> None:
    """Train by PPO."""
    with importing(job.options):
        from limr.train.embedded import ppo

    ppo.train_ppo(job)


def train_sft(job: SftJob) -> None:
    """Train by supervised fine-tuning on worked solutions."""
    with importing(job.options):
        from limr.train.embedded import supervised

    supervised.train_sft(job)


def open_policy(folder: Path, options: Settings, state: Path | None = None) -> Policy:
    """Load a policy folder for generation; it is fast enough to need no working folder."""
    with importing(options):
        from limr.train.embedded.generation import EmbeddedPolicy

    return EmbeddedPolicy(folder, options)

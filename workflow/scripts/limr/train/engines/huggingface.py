"""Pretrained models by transformers: evaluates any Hugging Face folder, on a CPU or a GPU.

It brings in a base policy and generates; it does not train. A study that only evaluates a base
names it as both engines. A policy that another engine trained can be evaluated by it too.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from limr.core.plugins import heavy_imports
from limr.core.validation import Keys, key
from limr.models.interface import Policy, Settings
from limr.models.pretrained import base

ENVIRONMENT = "embedded"


class Options(Keys):
    """Keys of `engines.huggingface`."""

    device: Literal["auto", "cpu", "cuda"] = key(
        "auto", "Where the model runs; `auto` takes a CUDA device if there is one."
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = key(
        "auto",
        "Numbers that the model computes with; `auto` is float32 on a CPU and the folder's own on"
        " CUDA.",
    )
    threads: int = key(1, "CPU threads per process.", ge=1)
    batch_size: int = key(32, "Responses generated together.", ge=1)
    template: base.Template = None
    stop: base.StopTexts = key([])


Base = base.Base
find_base, make_base = base.find_base, base.make_base


def open_policy(folder: Path, options: Settings, state: Path | None = None) -> Policy:
    """Load a policy folder for generation; responses of a killed job are not kept."""
    # Read when PyTorch is first imported: threads that spin while they wait for a busy core make
    # generation ten times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    with heavy_imports():
        from limr.models.pretrained.policy import PretrainedPolicy

    return PretrainedPolicy(folder, options)

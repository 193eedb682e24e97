"""vLLM: batched generation for evaluations, on one or more GPUs of a node.

It brings in a base policy and generates; it does not train. It asks a policy as `huggingface` does:
same templates, end tokens and stop texts. Each response has a random seed of its own, and responses
that a killed job has finished are kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from limr.core.validation import Keys, Number, key
from limr.models.interface import Policy, Settings
from limr.models.pretrained import base

ENVIRONMENT = "evaluate"

NOT_IN_DIGEST = ("gpu_memory_utilization", "shard")


class Options(Keys):
    """Keys of `engines.vllm`."""

    tensor_parallel: int = key(1, "GPUs that share a model; they divide its attention heads.", ge=1)
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = key(
        "auto",
        "Numbers that the model computes with; `auto` is float32 on a CPU and the folder's own on"
        " a GPU.",
    )
    gpu_memory_utilization: Number = key(
        0.9, "Share of a GPU's memory that vLLM takes, for weights and cache.", gt=0, le=1
    )
    max_model_len: int | None = key(
        None,
        "Most tokens of a prompt and its response together; by default what the longest needs, "
        "within the model's positions.",
        ge=2,
    )
    max_sequences: int = key(256, "Responses that grow at the same time.", ge=1)
    enforce_eager: bool = key(
        False, "No compilation and no CUDA graphs: starts sooner, generates slower."
    )
    shard: int = key(
        256,
        "Finished responses that are saved at a time; a killed job generates the others again.",
        ge=1,
    )
    template: base.Template = None
    stop: base.StopTexts = key([])


Base = base.Base
find_base, make_base = base.find_base, base.make_base


def open_policy(folder: Path, options: Settings, state: Path | None = None) -> Policy:
    """Check a policy folder; vLLM starts when the first response is asked for."""
    from limr.models.vllm.policy import VllmPolicy

    return VllmPolicy(folder, options, state)

"""vLLM: batched generation for evaluations, on one or more GPUs of a node.

It brings in a base policy and generates; it does not train. It asks a policy as `huggingface` does:
same templates, end tokens and stop texts. Each response has a random seed of its own, and responses
that a killed job has finished are kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from limr.models.interface import Policy, Settings
from limr.models.pretrained import base

ENVIRONMENT = "evaluate"

NOT_IN_DIGEST = ("gpu_memory_utilization", "shard")

OPTIONS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "tensor_parallel": {
            "type": "integer",
            "minimum": 1,
            "default": 1,
            "description": "GPUs that share a model; they divide its attention heads.",
        },
        "dtype": {
            "enum": ["auto", "float32", "bfloat16", "float16"],
            "default": "auto",
            "description": "Numbers that the model computes with; `auto` is float32 on a CPU and "
            "the folder's own on a GPU.",
        },
        "gpu_memory_utilization": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 1,
            "default": 0.9,
            "description": "Share of a GPU's memory that vLLM takes, for weights and cache.",
        },
        "max_model_len": {
            "type": ["integer", "null"],
            "minimum": 2,
            "default": None,
            "description": "Most tokens of a prompt and its response together; by default what the "
            "longest needs, within the model's positions.",
        },
        "max_sequences": {
            "type": "integer",
            "minimum": 1,
            "default": 256,
            "description": "Responses that grow at the same time.",
        },
        "enforce_eager": {
            "type": "boolean",
            "default": False,
            "description": "No compilation and no CUDA graphs: starts sooner, generates slower.",
        },
        "shard": {
            "type": "integer",
            "minimum": 1,
            "default": 256,
            "description": "Finished responses that are saved at a time; a killed job makes the "
            "unsaved ones again.",
        },
        **base.ASKING,
    },
}

BASE: dict[str, Any] = base.SCHEMA
find_base, make_base = base.find_base, base.make_base


def open_policy(folder: Path, options: Settings, state: Path | None = None) -> Policy:
    """Check a policy folder; vLLM starts when the first response is asked for."""
    from limr.models.vllm.policy import VllmPolicy

    return VllmPolicy(folder, options, state)

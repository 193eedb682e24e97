"""What a study may set under `engines.openrlhf`."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def _count(default: int | None, description: str, minimum: int = 1) -> Schema:
    kind: Any = "integer" if default is not None else ["integer", "null"]
    return {"type": kind, "minimum": minimum, "default": default, "description": description}


def _switch(default: bool, description: str) -> Schema:
    return {"type": "boolean", "default": default, "description": description}


def _gpus(description: str) -> Schema:
    return {"type": "integer", "minimum": 0, "description": description}


SPLIT: Schema = {
    "type": ["object", "null"],
    "additionalProperties": False,
    "required": ["actor", "critic", "reference", "generation"],
    "default": None,
    "description": "GPUs of each role where `layout` is split; null: a quarter each, as the paper.",
    "properties": {
        "actor": _gpus("GPUs that train the policy."),
        "critic": _gpus("GPUs that train the critic."),
        "reference": _gpus("GPUs of the reference policy; 0 where ppo.kl_coefficient is 0."),
        "generation": _gpus("GPUs of vLLM: engines x tensor_parallel."),
    },
}

SFT: Schema = {
    "type": "object",
    "additionalProperties": False,
    "default": {},
    "description": "Fine-tuning on worked solutions; it runs on one node.",
    "properties": {
        "max_tokens": _count(4096, "Longest prompt and solution together; the model's positions "
                             "are raised to it where they are fewer."),
        "too_long": {
            "enum": ["refuse", "leave-out"],
            "default": "refuse",
            "description": "What to do with longer ones: they are never cut.",
        },
        "micro_batch": _count(1, "Solutions that a GPU takes at a time."),
        "checkpoint_every": _count(None, "Optimizer steps between checkpoints; null: at the steps "
                                   "that are evaluated."),
    },
}  # fmt: skip

# They decide how much fits, not what comes out, and may change between attempts of one run and
# after it. Who ran out of memory lowers them and goes on.
NOT_IN_DIGEST = (
    "generation_memory", "sleep", "enforce_eager", "tensor_parallel", "micro_rollout",
    "micro_train", "gradient_checkpointing", "ray_start_seconds",
)  # fmt: skip

OPTIONS: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "nodes": _count(1, "Nodes of a run."),
        "gpus_per_node": _count(8, "GPUs of a node."),
        "layout": {
            "enum": ["colocated", "split"],
            "default": "colocated",
            "description": "`colocated`: every GPU serves all roles in turn; `split`: each role "
            "has its own GPUs, as in the paper.",
        },
        "split": SPLIT,
        "tensor_parallel": _count(1, "GPUs that share one vLLM engine."),
        "generation_memory": {
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 1,
            "default": 0.5,
            "description": "Share of a GPU's memory that vLLM may take.",
        },
        "sleep": _switch(True, "Colocated only: who does not work gives its GPU memory back."),
        "enforce_eager": _switch(False, "vLLM without CUDA graphs: slower, less memory."),
        "micro_rollout": _count(8, "Rollouts that a GPU scores at a time."),
        "micro_train": _count(2, "Rollouts that a GPU trains on at a time."),
        "zero_stage": {
            "enum": [2, 3],
            "default": 3,
            "description": "DeepSpeed: what the training GPUs share out (3: weights too).",
        },
        "adam_offload": _switch(False, "Keep Adam's state in the host's memory."),
        "attention": {
            "enum": ["flash_attention_2", "sdpa", "eager"],
            "default": "flash_attention_2",
            "description": "Attention of the trained models.",
        },
        "packing": _switch(True, "Train without padding; needs flash_attention_2."),
        "gradient_checkpointing": _switch(True, "Compute activations twice and store fewer."),
        "loss_mean": {
            "enum": ["tokens", "responses"],
            "default": "tokens",
            "description": "`tokens`: the policy's loss is a mean over the tokens of an optimizer "
            "step; `responses`: every response weighs the same, as in the paper's fork.",
        },
        "checkpoint_every": _count(
            None,
            "Steps between checkpoints; every evaluated step must be a multiple of it. null: the "
            "largest number that divides all evaluated steps.",
        ),
        "stop": {
            "type": "array",
            "uniqueItems": True,
            "items": {"type": "string", "minLength": 1},
            "default": [],
            "description": "Texts that end a rollout beside the end token; they are cut off.",
        },
        "ray_start_seconds": _count(600, "How long to wait until Ray has all GPUs."),
        "sft": SFT,
    },
}

"""What a study may set under `engines.openrlhf`."""

from __future__ import annotations

from typing import Literal

from limr.core.validation import Keys, Number, key
from limr.models.pretrained.base import Texts


class Split(Keys):
    """GPUs of each role."""

    actor: int = key(..., "GPUs that train the policy.", ge=0)
    critic: int = key(..., "GPUs that train the critic.", ge=0)
    reference: int = key(
        ..., "GPUs of the reference policy; 0 where ppo.kl_coefficient is 0.", ge=0
    )
    generation: int = key(..., "GPUs of vLLM: engines x tensor_parallel.", ge=0)


class FineTuning(Keys):
    """Fine-tuning on worked solutions."""

    max_tokens: int = key(
        4096,
        "Longest prompt and solution together; the model's positions are raised to it where they "
        "are fewer.",
        ge=1,
    )
    too_long: Literal["refuse", "leave-out"] = key(
        "refuse", "What to do with longer ones: they are never cut."
    )
    micro_batch: int = key(1, "Solutions that a GPU takes at a time.", ge=1)
    checkpoint_every: int | None = key(
        None, "Optimizer steps between checkpoints; null: at the steps that are evaluated.", ge=1
    )


# They decide how much fits, not what comes out, and may change between attempts of one run and
# after it. Who ran out of memory lowers them and goes on.
NOT_IN_DIGEST = (
    "generation_memory", "sleep", "enforce_eager", "tensor_parallel", "micro_rollout",
    "micro_train", "gradient_checkpointing", "ray_start_seconds",
)  # fmt: skip


class Options(Keys):
    """Keys of `engines.openrlhf`."""

    nodes: int = key(1, "Nodes of a run.", ge=1)
    gpus_per_node: int = key(8, "GPUs of a node.", ge=1)
    layout: Literal["colocated", "split"] = key(
        "colocated",
        "`colocated`: every GPU serves all roles in turn; `split`: each role has its own GPUs, as"
        " in the paper.",
    )
    split: Split | None = key(
        None, "GPUs of each role where `layout` is split; null: a quarter each, as the paper."
    )
    tensor_parallel: int = key(1, "GPUs that share one vLLM engine.", ge=1)
    generation_memory: Number = key(0.5, "Share of a GPU's memory that vLLM may take.", gt=0, le=1)
    sleep: bool = key(True, "Colocated only: who does not work gives its GPU memory back.")
    enforce_eager: bool = key(False, "vLLM without CUDA graphs: slower, less memory.")
    micro_rollout: int = key(8, "Rollouts that a GPU scores at a time.", ge=1)
    micro_train: int = key(2, "Rollouts that a GPU trains on at a time.", ge=1)
    zero_stage: Literal[2, 3] = key(
        3, "DeepSpeed: what the training GPUs share out (3: weights too)."
    )
    adam_offload: bool = key(False, "Keep Adam's state in the host's memory.")
    attention: Literal["flash_attention_2", "sdpa", "eager"] = key(
        "flash_attention_2", "Attention of the trained models."
    )
    packing: bool = key(True, "Train without padding; needs flash_attention_2.")
    gradient_checkpointing: bool = key(True, "Compute activations twice and store fewer.")
    loss_mean: Literal["tokens", "responses"] = key(
        "tokens",
        "`tokens`: the policy's loss is a mean over the tokens of an optimizer step; `responses`:"
        " every response weighs the same, as in the paper's fork.",
    )
    checkpoint_every: int | None = key(
        None,
        "Steps between checkpoints; every evaluated step must be a multiple of it. null: the "
        "largest number that divides all evaluated steps.",
        ge=1,
    )
    stop: Texts = key([], "Texts that end a rollout beside the end token; they are cut off.")
    ray_start_seconds: int = key(600, "How long to wait until Ray has all GPUs.", ge=1)
    sft: FineTuning = key({}, "Fine-tuning on worked solutions; it runs on one node.")

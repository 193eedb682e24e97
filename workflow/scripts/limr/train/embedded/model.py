"""The model: a small `Qwen2ForCausalLM`, its critic, and their folders."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, TypeAlias

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoConfig, Qwen2Config, Qwen2ForCausalLM, Qwen2Model
from transformers.utils import logging

from limr.core import files
from limr.core.errors import InputError
from limr.core.random_streams import stream_seed
from limr.models.interface import Settings
from limr.train.embedded import vocabulary as vocabularies
from limr.train.embedded.vocabulary import END_ID, Vocabulary

WEIGHTS = "model.safetensors"
Module: TypeAlias = Any  # a module of transformers, which ships no types


class Critic(nn.Module):
    """V(s): the policy's architecture with a scalar head on the last hidden state."""

    def __init__(self, body: Module, hidden: int) -> None:
        super().__init__()
        self.body = body
        self.value = nn.Linear(hidden, 1)


def new_policy(base: Settings, vocabulary: Vocabulary, seed: int) -> Module:
    """Return a `Qwen2ForCausalLM` with weights drawn from the stream (seed, "weights").

    Matrices are normal with standard deviation 1/sqrt(hidden): Qwen2's 0.02 suits widths of
    thousands, and learning starts hundreds of steps later with it here. The projections back into
    the residual stream are scaled by 1/sqrt(2 layers) (GPT-2, section 2.3).
    """
    config = Qwen2Config(
        vocab_size=vocabulary.size,
        hidden_size=base["hidden"],
        intermediate_size=base["intermediate"],
        num_hidden_layers=base["layers"],
        num_attention_heads=base["heads"],
        num_key_value_heads=base["key_value_heads"],
        max_position_embeddings=4096,
        rope_parameters={"rope_type": "default", "rope_theta": base["rope_theta"]},
        tie_word_embeddings=True,
        use_cache=True,
        bos_token_id=None,
        eos_token_id=END_ID,
        pad_token_id=None,  # a padding id's embedding is never trained; `<end>` must be
        dtype="float32",
    )
    model = Qwen2ForCausalLM(config).float()
    generator = torch.Generator().manual_seed(stream_seed(seed, "weights"))
    residual = 1 / math.sqrt(2 * base["layers"])
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            if parameter.dim() == 2:
                scale = residual if name.endswith(("o_proj.weight", "down_proj.weight")) else 1.0
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.copy_(base["hidden"] ** -0.5 * scale * noise)
    return model


def new_critic(folder: Path, seed: int, device: torch.device) -> Critic:
    """Return a critic whose body has the base policy's weights.

    The value head starts small (standard deviation 1/(hidden + 1), as Stiennon et al. 2020,
    appendix C.2), from the stream (seed, "critic").
    """
    body = load_policy(folder, device).model
    hidden = int(body.config.hidden_size)
    critic = Critic(body, hidden)
    generator = torch.Generator().manual_seed(stream_seed(seed, "critic"))
    with torch.no_grad():
        critic.value.weight.copy_(torch.randn((1, hidden), generator=generator) / (hidden + 1))
        critic.value.bias.zero_()
    return critic.to(device)


def load_policy(folder: Path, device: torch.device) -> Module:
    """Load a policy folder in fp32; refuse a folder that is not a readable Qwen2 model."""
    logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(folder)
        if config.model_type != "qwen2":
            raise InputError(
                f"{folder}: a '{config.model_type}' model; the embedded engine runs qwen2."
            )
        model = Qwen2ForCausalLM.from_pretrained(folder, config=config, dtype=torch.float32)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise InputError(
            f"{folder}: not a readable model folder ({error}). Delete it and run again: the rule "
            "that makes it will write it anew."
        ) from None
    return model.to(device)


def save_policy(model: Module, vocabulary: Vocabulary, folder: Path) -> None:
    """Write a complete Hugging Face folder atomically; the same weights give the same bytes."""
    from safetensors.torch import save

    # The tied output matrix is the embedding: stored once, as Hugging Face does.
    tensors: dict[str, Tensor] = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in model.state_dict().items()
        if name != "lm_head.weight" or not model.config.tie_word_embeddings
    }
    with files.atomic(folder) as temporary:
        temporary.mkdir()
        model.config.architectures = ["Qwen2ForCausalLM"]
        model.config.save_pretrained(temporary)
        model.generation_config.save_pretrained(temporary)
        # Written here and not by `save_pretrained`, so that a full disk is an OSError.
        (temporary / WEIGHTS).write_bytes(save(tensors, metadata={"format": "pt"}))
        vocabularies.save(vocabulary, temporary)


def body_of(model: Module) -> Module:
    """Return the transformer body (`Qwen2Model`) of a policy or of a critic."""
    body = model.body if isinstance(model, Critic) else model.model
    if not isinstance(body, Qwen2Model):
        raise TypeError(f"expected a Qwen2Model, found {type(body).__name__}")
    return body

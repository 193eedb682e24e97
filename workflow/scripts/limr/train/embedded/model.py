"""The model: a small Qwen2, its critic, and their folders.

Modules and weights have the names and the order that Hugging Face's Qwen2 gives them, and folders
are Hugging Face's. The modules only hold weights, since the forward pass is
`limr.train.embedded.forward`: a job need not import transformers, which takes longer than torch.
The tests compare both with Hugging Face's model.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from limr.core import files
from limr.core.errors import InputError
from limr.core.random_streams import stream_seed
from limr.models.interface import Settings
from limr.train.embedded import vocabulary as vocabularies
from limr.train.embedded.products import linear
from limr.train.embedded.vocabulary import END_ID, Vocabulary

WEIGHTS = "model.safetensors"
CONFIG, GENERATION = "config.json", "generation_config.json"


class Attention(nn.Module):
    """The projections of grouped-query attention."""

    def __init__(self, hidden: int, heads: int, key_value_heads: int) -> None:
        super().__init__()
        width = hidden // heads
        self.q_proj = nn.Linear(hidden, heads * width)
        self.k_proj = nn.Linear(hidden, key_value_heads * width)
        self.v_proj = nn.Linear(hidden, key_value_heads * width)
        self.o_proj = nn.Linear(heads * width, hidden, bias=False)


class Mlp(nn.Module):
    """The projections of SwiGLU."""

    def __init__(self, hidden: int, intermediate: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(hidden, intermediate, bias=False)
        self.up_proj = nn.Linear(hidden, intermediate, bias=False)
        self.down_proj = nn.Linear(intermediate, hidden, bias=False)


class Block(nn.Module):
    """One layer."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        hidden, eps = config["hidden_size"], config["rms_norm_eps"]
        heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
        self.self_attn = Attention(hidden, heads, kv_heads)
        self.mlp = Mlp(hidden, config["intermediate_size"])
        self.input_layernorm = nn.RMSNorm(hidden, eps)
        self.post_attention_layernorm = nn.RMSNorm(hidden, eps)


class Body(nn.Module):
    """A transformer without its output matrix.

    Attributes:
        config: config.json.
        frequencies: (head_dim / 2,) rotary angles per position, in radians.
    """

    frequencies: Tensor

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.config = config
        hidden = config["hidden_size"]
        # Weights are given: to draw them, PyTorch would load its compiler, for 0.7 s.
        words = config["vocab_size"]
        self.embed_tokens = nn.Embedding(words, hidden, _weight=torch.empty(words, hidden))
        self.layers = nn.ModuleList(Block(config) for _ in range(config["num_hidden_layers"]))
        self.norm = nn.RMSNorm(hidden, config["rms_norm_eps"])
        width = hidden // config["num_attention_heads"]
        exponents = torch.arange(0, width, 2, dtype=torch.float, device="cpu") / width
        frequencies = 1.0 / (config["rope_parameters"]["rope_theta"] ** exponents)
        self.register_buffer("frequencies", frequencies, persistent=False)


class Policy(nn.Module):
    """A language model.

    Attributes:
        documents: its folder's configuration, file name -> content.
    """

    def __init__(self, documents: Mapping[str, bytes]) -> None:
        super().__init__()
        self.documents = documents
        config = json.loads(documents[CONFIG])
        with torch.device("meta"):  # the weights come from elsewhere
            self.model = Body(config)
            self.lm_head = nn.Linear(config["hidden_size"], config["vocab_size"], bias=False)
        self._tied = bool(config["tie_word_embeddings"])  # the output matrix is the embedding

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.lm_head.weight.device

    def fill(self, tensors: Mapping[str, Tensor]) -> Policy:
        """Take weights by name, in fp32, where they are in memory.

        Last bits depend on how matrices lie in it, so that a copy would train to other ones.

        Raises:
            ValueError: one has another shape, is missing, or has no place.
        """
        own = {name: weight.shape for name, weight in self.state_dict().items()}
        tensors = {name: tensor.float() for name, tensor in tensors.items()}
        if self._tied:
            tensors["lm_head.weight"] = tensors.get("model.embed_tokens.weight", torch.empty(0))
        for name in sorted(own.keys() | tensors.keys()):
            if name not in own or name not in tensors or own[name] != tensors[name].shape:
                raise ValueError(f"the weight '{name}' does not fit config.json")
        self.load_state_dict(tensors, assign=True)
        if self._tied:
            self.lm_head.weight = self.model.embed_tokens.weight
        return self


class Critic(nn.Module):
    """V(s): the policy's architecture with a scalar head on the last hidden state."""

    def __init__(self, body: Body, hidden: int) -> None:
        super().__init__()
        self.body = body
        self.value = nn.Linear(hidden, 1)

    def values(self, states: Tensor) -> Tensor:
        """Return V, (states,), of hidden states, (states, hidden)."""
        return linear(states, self.value.weight, self.value.bias)[:, 0]


def new_policy(base: Settings, vocabulary: Vocabulary, seed: int) -> Policy:
    """Return a policy with weights drawn from the stream (seed, "weights").

    Matrices are normal with standard deviation 1/sqrt(hidden): Qwen2's 0.02 suits widths of
    thousands, and learning starts hundreds of steps later with it here. The projections back into
    the residual stream are scaled by 1/sqrt(2 layers) (GPT-2, section 2.3).
    """
    policy = Policy(_documents(base, vocabulary))
    generator = torch.Generator().manual_seed(stream_seed(seed, "weights"))
    residual = 1 / math.sqrt(2 * base["layers"])
    tensors = {}
    for name, parameter in sorted(policy.model.named_parameters(prefix="model")):
        if parameter.dim() == 2:
            scale = residual if name.endswith(("o_proj.weight", "down_proj.weight")) else 1.0
            noise = torch.randn(parameter.shape, generator=generator)
            tensors[name] = base["hidden"] ** -0.5 * scale * noise
        else:
            tensors[name] = (torch.zeros if name.endswith("bias") else torch.ones)(parameter.shape)
    return policy.fill(tensors)


def _documents(base: Settings, vocabulary: Vocabulary) -> dict[str, bytes]:
    """Return the configuration that Hugging Face writes for such a model, by file name."""
    from transformers import GenerationConfig, Qwen2Config

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
        architectures=["Qwen2ForCausalLM"],
    )
    generation = GenerationConfig.from_model_config(config)
    return {
        CONFIG: config.to_json_string().encode(),
        GENERATION: generation.to_json_string().encode(),
    }


def new_critic(folder: Path, seed: int, device: torch.device) -> Critic:
    """Return a critic whose body has the base policy's weights.

    The value head starts small (standard deviation 1/(hidden + 1), as Stiennon et al. 2020,
    appendix C.2), from the stream (seed, "critic").
    """
    body = load_policy(folder, device).model
    hidden = int(body.config["hidden_size"])
    critic = Critic(body, hidden)
    generator = torch.Generator().manual_seed(stream_seed(seed, "critic"))
    with torch.no_grad():
        critic.value.weight.copy_(torch.randn((1, hidden), generator=generator) / (hidden + 1))
        critic.value.bias.zero_()
    return critic.to(device)


def load_policy(folder: Path, device: torch.device) -> Policy:
    """Load a policy folder in fp32; refuse a folder that is not a readable Qwen2 model."""
    from safetensors.torch import load_file

    try:
        documents = {CONFIG: (folder / CONFIG).read_bytes()}
        if (folder / GENERATION).exists():
            documents[GENERATION] = (folder / GENERATION).read_bytes()
        config = json.loads(documents[CONFIG])
        kind = config["model_type"]
        if kind != "qwen2":
            raise InputError(f"{folder}: a '{kind}' model; the embedded engine runs qwen2.")
        if config["rope_parameters"]["rope_type"] != "default" or config["use_sliding_window"]:
            raise InputError(
                f"{folder}: the embedded engine has neither scaled positions nor sliding windows."
            )
        policy = Policy(documents).fill(load_file(folder / WEIGHTS))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise InputError(
            f"{folder}: not a readable model folder ({error}). Delete it and run again: the rule "
            "that makes it will write it anew."
        ) from None
    return policy.to(device)


def save_policy(model: Policy, vocabulary: Vocabulary, folder: Path) -> None:
    """Write a complete Hugging Face folder atomically; the same weights give the same bytes."""
    from safetensors.torch import save

    # A tied output matrix is no parameter of its own: stored once, as Hugging Face does.
    tensors: dict[str, Tensor] = {
        name: tensor.detach().cpu().contiguous() for name, tensor in model.named_parameters()
    }
    with files.atomic(folder) as temporary:
        temporary.mkdir()
        for name, content in model.documents.items():
            (temporary / name).write_bytes(content)
        (temporary / WEIGHTS).write_bytes(save(tensors, metadata={"format": "pt"}))
        vocabularies.save(vocabulary, temporary)

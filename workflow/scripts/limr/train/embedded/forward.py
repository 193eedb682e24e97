"""Qwen2's forward pass over a flat list of tokens.

It is written out because at this size Hugging Face's own forward spends most of its time on masks,
cache objects and padding. Every token is one row of `hidden`; only attention needs to know which
rows belong together, so it is a function given by the caller: packed sequences
(`limr.train.embedded.packing`) or a key-value cache (`limr.train.embedded.cache`). The tests
compare the result with Hugging Face's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import Tensor

from limr.train.embedded.model import Body
from limr.train.embedded.products import linear, matmul

MASKED = -1e9  # added to the scores of keys that may not be seen; finite, so that no row is NaN

# (layer, q, k, v) -> mixed values; q: (tokens, heads, head_dim), k and v: (tokens, kv_heads,
# head_dim), result: (tokens, heads * head_dim).
Attend = Callable[[int, Tensor, Tensor, Tensor], Tensor]


class Layer(NamedTuple):
    """One block's weights: q, k and v in one matrix, gate and up in one matrix."""

    attention_norm: Tensor
    qkv: Tensor
    qkv_bias: Tensor
    output: Tensor
    mlp_norm: Tensor
    gate_up: Tensor
    down: Tensor


class Weights(NamedTuple):
    """A transformer body ready for `hidden_states`."""

    embedding: Tensor  # (vocabulary, hidden)
    layers: tuple[Layer, ...]
    norm: Tensor  # (hidden,)
    frequencies: Tensor  # (head_dim / 2,) rotary angles per position, in radians
    heads: int
    kv_heads: int
    head_dim: int
    eps: float


def weights_of(body: Body) -> Weights:
    """Return the fused weights of a body; gradients flow back to its parameters."""
    config = body.config
    heads, kv_heads = int(config["num_attention_heads"]), int(config["num_key_value_heads"])
    head_dim = int(config["hidden_size"]) // heads
    order = _interleave(heads, kv_heads, head_dim, body.embed_tokens.weight.device)
    return Weights(
        body.embed_tokens.weight,
        tuple(_layer(layer, order) for layer in body.layers),
        body.norm.weight,
        body.frequencies,
        heads,
        kv_heads,
        head_dim,
        float(config["rms_norm_eps"]),
    )


def _layer(layer: Any, order: Tensor) -> Layer:
    attention, mlp = layer.self_attn, layer.mlp
    projections = (attention.q_proj, attention.k_proj, attention.v_proj)
    return Layer(
        layer.input_layernorm.weight,
        torch.cat([projection.weight for projection in projections]).index_select(0, order),
        torch.cat([projection.bias for projection in projections]).index_select(0, order),
        attention.o_proj.weight,
        layer.post_attention_layernorm.weight,
        torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight]),
        mlp.down_proj.weight,
    )


def _interleave(heads: int, kv_heads: int, head_dim: int, device: torch.device) -> Tensor:
    """Row order that puts the halves of each rotary pair side by side in q and k.

    Hugging Face rotates the pairs (i, i + head_dim / 2); side by side a pair is one complex number
    and the rotation one multiplication. Scores do not change: q and k are reordered alike.
    """
    pairs = torch.arange(head_dim, device=device).view(2, -1).T.reshape(-1)
    rotated = torch.arange(heads + kv_heads, device=device)[:, None] * head_dim + pairs
    values = torch.arange(kv_heads * head_dim, device=device) + rotated.numel()
    return torch.cat([rotated.reshape(-1), values])


def hidden_states(
    w: Weights, tokens: Tensor, positions: Tensor, attend: Attend, wanted: Tensor | None = None
) -> Tensor:
    """Return the last hidden state of tokens, (tokens, hidden), after the final norm.

    x <- x + W_o attention(norm(x)); x <- x + W_down (silu(W_gate norm(x)) * W_up norm(x))
    (Qwen2 report, section 2.2.1; RMSNorm, SwiGLU, rotary positions, grouped queries).

    Args:
        w: the body's weights.
        tokens: (tokens,) ids.
        positions: (tokens,) place of each token in its own sequence, from 0.
        attend: mixes values within sequences.
        wanted: the tokens to return, all by default. The last block computes no others: nothing
            looks at a prompt's states there.
    """
    x = F.embedding(tokens, w.embedding)
    rotation = _rotation(w, positions)
    for number, layer in enumerate(w.layers):
        normed = F.rms_norm(x, x.shape[-1:], layer.attention_norm, w.eps)
        projected = linear(normed, layer.qkv, layer.qkv_bias)
        heads = projected.view(len(x), -1, w.head_dim)
        qk = _rotate(heads[:, : -w.kv_heads], rotation)
        q, k, v = qk[:, : w.heads], qk[:, w.heads :], heads[:, -w.kv_heads :]
        mixed = attend(number, q, k, v)
        if wanted is not None and number + 1 == len(w.layers):
            x, mixed = x.index_select(0, wanted), mixed.index_select(0, wanted)
        x = x + linear(mixed, layer.output)
        normed = F.rms_norm(x, x.shape[-1:], layer.mlp_norm, w.eps)
        gate, up = linear(normed, layer.gate_up).chunk(2, dim=-1)
        x = x + linear(F.silu(gate) * up, layer.down)
    return F.rms_norm(x, x.shape[-1:], w.norm, w.eps)


def _rotation(w: Weights, positions: Tensor) -> Tensor:
    """Return exp(i position frequency), (tokens, 1, head_dim / 2) (RoFormer, eq. 34)."""
    angles = positions[:, None].to(torch.float32) * w.frequencies
    return torch.polar(torch.ones_like(angles), angles)[:, None]


def _rotate(heads: Tensor, rotation: Tensor) -> Tensor:
    pairs = torch.view_as_complex(heads.view(*heads.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * rotation).flatten(-2)


def mix(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    """Return softmax(q k' / sqrt(head_dim) + bias) v with grouped queries.

    Plain matrix products: for a few dozen keys they are 2 to 3 times faster on a CPU than the
    fused kernels.

    Args:
        q: (rows, queries, heads, head_dim).
        k: (rows, kv_heads, head_dim, keys).
        v: (rows, kv_heads, keys, head_dim).
        bias: broadcasts to (rows, kv_heads, group, queries, keys); 0 or `MASKED`.

    Returns:
        (rows, queries, heads * head_dim).
    """
    rows, queries, heads, head_dim = q.shape
    kv_heads, keys = k.shape[1], k.shape[3]
    grouped = q.view(rows, queries, kv_heads, -1, head_dim).permute(0, 2, 3, 1, 4)
    scaled = grouped.reshape(rows, kv_heads, -1, head_dim) * head_dim**-0.5
    scores = matmul(scaled, k).view(rows, kv_heads, heads // kv_heads, queries, keys) + bias
    weights = scores.softmax(dim=-1).view(rows, kv_heads, -1, keys)
    mixed: Tensor = matmul(weights, v).view(rows, kv_heads, -1, queries, head_dim)
    return mixed.permute(0, 3, 1, 2, 4).reshape(rows, queries, heads * head_dim)

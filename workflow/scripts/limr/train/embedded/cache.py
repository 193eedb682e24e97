"""The key-value cache of a batch of growing sequences."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from limr.train.embedded import packing
from limr.train.embedded.forward import MASKED, Weights, hidden_states, mix


class Cache:
    """Keys and values of every sequence so far.

    Prompts are right-aligned in the first columns. So the next token of every sequence goes into
    the same column, and `bias` hides what lies left of the shorter prompts.
    """

    weights: Weights
    keys: list[Tensor]  # per layer (rows, kv_heads, head_dim, columns)
    values: list[Tensor]  # per layer (rows, kv_heads, columns, head_dim)
    bias: Tensor  # (rows, 1, 1, 1, columns), 0 or MASKED
    positions: Tensor  # (rows,) position of the next token
    filled: int  # columns in use

    def __init__(
        self, weights: Weights, prompts: Sequence[Sequence[int]], copies: int, room: int
    ) -> None:
        """Run each prompt once and keep its keys and values `copies` times.

        Args:
            weights: the policy's body.
            prompts: token ids, none empty.
            copies: sequences that start from each prompt; they follow each other.
            room: tokens that each sequence may grow by.
        """
        device = weights.embedding.device
        lengths = torch.tensor([len(prompt) for prompt in prompts], device=device)
        self.weights = weights
        self.filled = int(lengths.max())
        columns = self.filled + room
        left = self.filled - lengths
        # place of every prompt token in the flattened (prompts, columns)
        places = torch.cat(
            [
                torch.arange(len(prompt), device=device) + number * columns + left[number]
                for number, prompt in enumerate(prompts)
            ]
        )
        self.keys, self.values = [], []
        packed = packing.pack(prompts, [], [], device)
        mixing = packing.attention(packed)

        def attend(layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            for store, new in ((self.keys, k), (self.values, v)):
                room_for = new.new_zeros((len(prompts) * columns, *new.shape[1:]))
                rows = room_for.index_copy(0, places, new).view(len(prompts), columns, *v.shape[1:])
                store.append(rows.repeat_interleave(copies, dim=0).transpose(1, 2).contiguous())
            self.keys[layer] = self.keys[layer].transpose(2, 3).contiguous()
            return mixing(layer, q, k, v)

        last = lengths.cumsum(0) - 1
        hidden = hidden_states(weights, packed.tokens, packed.positions, attend, last)
        self.start = hidden.repeat_interleave(copies, dim=0)
        self.positions = lengths.repeat_interleave(copies)
        unseen = torch.arange(columns, device=device) < left[:, None]
        self.bias = (unseen * MASKED).repeat_interleave(copies, dim=0)[:, None, None, None]

    def grow(self, tokens: Tensor) -> Tensor:
        """Append one token, (rows,), to each sequence; return its hidden state, (rows, hidden)."""
        column, end = self.filled, self.filled + 1

        def attend(layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            keys, values = self.keys[layer], self.values[layer]
            keys[..., column] = k
            values[:, :, column] = v
            seen = (keys[..., :end], values[:, :, :end], self.bias[..., :end])
            return mix(q[:, None], *seen).squeeze(1)

        hidden = hidden_states(self.weights, tokens, self.positions, attend)
        self.filled = end
        self.positions = self.positions + 1
        return hidden

    def keep(self, rows: Tensor) -> None:
        """Keep only these rows, (kept,) indices."""
        self.keys = [keys.index_select(0, rows) for keys in self.keys]
        self.values = [values.index_select(0, rows) for values in self.values]
        self.bias = self.bias.index_select(0, rows)
        self.positions = self.positions.index_select(0, rows)

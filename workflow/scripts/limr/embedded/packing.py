"""Batches without padding and without repeated prompts.

A PPO batch has 8 responses to each prompt. Here every prompt and every response stands once in a
flat list of tokens; a response's attention row looks up its prompt's keys. All matrix products run
on real tokens alone, which is where the time goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from limr.embedded.forward import MASKED, Attend, Weights, hidden_states, mix

Pair = tuple[Sequence[int], Sequence[int]]  # a prompt and its response, as token ids


class Packed(NamedTuple):
    """Index tensors of one batch; rows = the prompts, then the responses."""

    tokens: Tensor  # (tokens,)
    positions: Tensor  # (tokens,)
    queries: Tensor  # (rows * max_queries,) token of each query, 0 where there is none
    keys: Tensor  # (rows * max_keys,) token of each key: the prompt's, then the response's own
    real: Tensor  # (tokens,) place of each token in the flattened rows x max_queries
    bias: Tensor  # (rows, 1, 1, max_queries, max_keys), 0 or MASKED
    before: Tensor  # (response tokens,) token whose hidden state predicts each response token
    targets: Tensor  # (response tokens,) the response tokens, row by row


def pack(
    prompts: Sequence[Sequence[int]],
    owners: Sequence[int],
    responses: Sequence[Sequence[int]],
    device: torch.device,
) -> Packed:
    """Pack responses with their prompts.

    Args:
        prompts: token ids, none empty.
        owners: for each response, the index of its prompt.
        responses: token ids, none empty. The last token predicts nothing and is not an input.
        device: where the tensors go.
    """
    inputs = [*prompts, *(response[:-1] for response in responses)]
    lengths = np.array([len(row) for row in inputs], dtype=np.int64)
    starts = np.cumsum(lengths) - lengths
    owner = np.array([*range(len(prompts)), *owners], dtype=np.int64)
    is_prompt = np.arange(len(inputs)) < len(prompts)
    offsets = np.where(is_prompt, 0, lengths[owner])

    place = np.arange(lengths.max())
    valid = place < lengths[:, None]
    queries = np.where(valid, starts[:, None] + place, 0)
    prompt_place = np.arange(lengths[: len(prompts)].max())
    own_place = np.arange(lengths[len(prompts) :].max(initial=0))
    in_prompt = prompt_place < lengths[owner][:, None]
    own = (own_place < lengths[:, None]) & ~is_prompt[:, None]
    keys = np.concatenate(
        [
            np.where(in_prompt, starts[owner][:, None] + prompt_place, 0),
            np.where(own, starts[:, None] + own_place, 0),
        ],
        axis=1,
    )
    seen = np.concatenate(
        [
            in_prompt[:, None] & (~is_prompt[:, None, None] | (prompt_place <= place[:, None])),
            own[:, None] & (own_place <= place[:, None]),
        ],
        axis=2,
    )
    first = starts[owner] + lengths[owner] - 1  # the prompt's last token predicts the first
    before = np.concatenate([first[:, None], starts[:, None] + own_place], axis=1)
    predicted = np.concatenate([np.ones_like(first[:, None], dtype=bool), own], axis=1)
    return Packed(
        torch.tensor([token for row in inputs for token in row], device=device),
        _to((place + offsets[:, None])[valid], device),
        _to(queries.reshape(-1), device),
        _to(keys.reshape(-1), device),
        _to(np.flatnonzero(valid), device),
        _to(np.where(seen, np.float32(0), np.float32(MASKED))[:, None, None], device),
        _to(before[predicted & ~is_prompt[:, None]], device),
        torch.tensor([t for row in responses for t in row], dtype=torch.int64, device=device),
    )


def pack_pairs(pairs: Sequence[Pair], device: torch.device) -> Packed:
    """Pack prompts that have one response each: nothing is shared, so a pair is one causal row."""
    packed = pack([[*prompt, *response[:-1]] for prompt, response in pairs], [], [], device)
    starts = np.cumsum([0, *(len(prompt) + len(response) - 1 for prompt, response in pairs)])
    before = np.concatenate(
        [
            start + len(prompt) - 1 + np.arange(len(response))
            for start, (prompt, response) in zip(starts[:-1], pairs, strict=True)
        ]
    )
    targets = np.array([token for _, response in pairs for token in response], dtype=np.int64)
    return packed._replace(before=_to(before, device), targets=_to(targets, device))


def _to(array: np.ndarray[Any, Any], device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(device)


def attention(packed: Packed) -> Attend:
    """Return the attention of a packed batch, for `hidden_states`."""
    rows, _, _, queries, keys = packed.bias.shape

    def attend(_: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        query = q.index_select(0, packed.queries).view(rows, queries, *q.shape[1:])
        key = k.index_select(0, packed.keys).view(rows, keys, *k.shape[1:])
        value = v.index_select(0, packed.keys).view(rows, keys, *v.shape[1:])
        mixed = mix(query, key.permute(0, 2, 3, 1), value.transpose(1, 2), packed.bias)
        return mixed.flatten(0, 1).index_select(0, packed.real)

    return attend


def states(weights: Weights, packed: Packed) -> Tensor:
    """Return the hidden state before each response token, (response tokens, hidden)."""
    hidden = hidden_states(weights, packed.tokens, packed.positions, attention(packed))
    return hidden.index_select(0, packed.before)


def log_probabilities(
    states_: Tensor, output: Tensor, targets: Tensor, temperature: float = 1.0
) -> Tensor:
    """Return log pi(target) under softmax(output state / temperature), (response tokens,)."""
    logits = states_ @ output.T
    if temperature != 1.0:
        logits = logits / temperature
    return logits.log_softmax(-1).gather(-1, targets[:, None]).squeeze(-1)

"""Batches without padding and without repeated prompts.

A PPO batch has 8 responses to each prompt. Here every prompt and every response appears once in a
flat list of tokens; a response's attention row looks up its prompt's keys. All matrix products run
on real tokens only, which take most of the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor

from limr.train.embedded.forward import MASKED, Attend, Weights, hidden_states, mix
from limr.train.embedded.products import linear

Array: TypeAlias = np.ndarray[Any, Any]
Pair: TypeAlias = tuple[Sequence[int], Sequence[int]]  # a prompt and its response, as token ids


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
    place = np.arange(lengths.max())
    valid = place < lengths[:, None]
    offsets = np.where(np.arange(len(inputs)) < len(prompts), 0, lengths[owner])
    keys, seen = _keys(lengths, starts, owner, len(prompts))

    # A response's first token is predicted by its prompt's last, the others by their own.
    before = np.column_stack([starts[owner] + lengths[owner] - 1, starts[:, None] + place])
    predicts = np.column_stack([np.ones(len(inputs), dtype=bool), valid])
    return Packed(
        torch.tensor([token for row in inputs for token in row], device=device),
        _to((place + offsets[:, None])[valid], device),
        _to(np.where(valid, starts[:, None] + place, 0).reshape(-1), device),
        _to(keys.reshape(-1), device),
        _to(np.flatnonzero(valid), device),
        _to(np.where(seen, np.float32(0), np.float32(MASKED))[:, None, None], device),
        _to(before[len(prompts) :][predicts[len(prompts) :]], device),
        torch.tensor([t for row in responses for t in row], dtype=torch.int64, device=device),
    )


def _keys(lengths: Array, starts: Array, owner: Array, prompts: int) -> tuple[Array, Array]:
    """Return which tokens are each row's keys, and which key each of its queries may see.

    A row's keys are its prompt's tokens, then, for a response, its own; 0 means none.

    Args:
        lengths: (rows,) tokens of each row; the prompts' rows come first.
        starts: (rows,) first token of each row.
        owner: (rows,) row of each row's prompt; a prompt's is itself.
        prompts: number of prompts.

    Returns:
        (rows, keys) tokens and (rows, queries, keys) bool.
    """
    is_prompt = np.arange(len(lengths))[:, None] < prompts
    place = np.arange(lengths.max())[:, None]
    prompt_place = np.arange(lengths[:prompts].max())
    own_place = np.arange(lengths[prompts:].max(initial=0))
    in_prompt = prompt_place < lengths[owner][:, None]
    in_own = (own_place < lengths[:, None]) & ~is_prompt
    keys = np.column_stack(
        [
            np.where(in_prompt, starts[owner][:, None] + prompt_place, 0),
            np.where(in_own, starts[:, None] + own_place, 0),
        ]
    )
    seen_of_prompt = in_prompt[:, None] & (~is_prompt[:, None] | (prompt_place <= place))
    seen_of_own = in_own[:, None] & (own_place <= place)
    return keys, np.concatenate([seen_of_prompt, seen_of_own], axis=2)


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


def _to(array: Array, device: torch.device) -> Tensor:
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
    attend = attention(packed)
    return hidden_states(weights, packed.tokens, packed.positions, attend, packed.before)


def log_probabilities(
    states_: Tensor, output: Tensor, targets: Tensor, temperature: float = 1.0
) -> Tensor:
    """Return log pi(target) under softmax(output state / temperature), (response tokens,)."""
    logits = linear(states_, output)
    if temperature != 1.0:
        logits = logits / temperature
    return logits.log_softmax(-1).gather(-1, targets[:, None]).squeeze(-1)

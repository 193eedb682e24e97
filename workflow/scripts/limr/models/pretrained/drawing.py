"""Drawing responses from a transformers model: a batched loop over left-padded prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor

from limr.models.decoding import choose
from limr.models.interface import Decoding

Model: TypeAlias = Any  # a model of transformers, which ships no types


@dataclass(frozen=True)
class Drawn:
    """A response's token ids, the end token included; `ended` = it came, or a stop text did."""

    ids: list[int]
    ended: bool


@torch.inference_mode()
def draw(
    model: Model,
    prompts: Sequence[Sequence[int]],
    decoding: Decoding,
    uniform: Tensor,
    ended: Callable[[Sequence[int]], bool],
    tick: Callable[[int], None],
) -> list[Drawn]:
    """Draw one response to each prompt, all in one batch.

    Args:
        model: a causal language model.
        prompts: token ids, none empty.
        decoding: `max_tokens` counts the end token; `samples` is not used here.
        uniform: (prompts, max_tokens) numbers in [0, 1), one per response and token, so that a
            response does not depend on the rest of the batch; any shape if greedy.
        ended: whether a response ends with its last token.
        tick: called after each step with the number of tokens that it drew.
    """
    responses: list[list[int]] = [[] for _ in prompts]
    done = [False] * len(prompts)
    rows = list(range(len(prompts)))  # which responses still grow
    batch = _Batch(model, prompts)
    for place in range(decoding.max_tokens):
        log_p = (batch.logits.float() / (decoding.temperature or 1.0)).log_softmax(-1)
        draws = uniform[rows, place].to(log_p.device) if decoding.temperature else uniform
        token = choose(log_p, decoding, draws)
        for row, drawn in zip(rows, token.tolist(), strict=True):
            responses[row].append(drawn)
            done[row] = ended(responses[row])
        tick(len(rows))
        kept = [at for at, row in enumerate(rows) if not done[row]]
        if not kept or place + 1 == decoding.max_tokens:
            break
        if len(kept) < len(rows):
            rows = [rows[at] for at in kept]
            token = token[kept]
            batch.keep(kept)
        batch.grow(token)
    return [Drawn(ids, end) for ids, end in zip(responses, done, strict=True)]


class _Batch:
    """Growing sequences with their keys and values; `logits`: (rows, vocabulary) of the next token.

    Prompts are padded on the left: `mask` (rows, tokens so far) is 0 on the padding, and positions
    count from a prompt's own first token. A prompt that appears several times is read once.
    """

    def __init__(self, model: Model, prompts: Sequence[Sequence[int]]) -> None:
        once = {tuple(ids): at for at, ids in enumerate(dict.fromkeys(map(tuple, prompts)))}
        width = max(map(len, once))
        padded = [[0] * (width - len(ids)) + list(ids) for ids in once]
        real = [[0] * (width - len(ids)) + [1] * len(ids) for ids in once]
        self.model = model
        self.mask = torch.tensor(real, device=model.device)
        self.cache: Any = None
        self.logits: Tensor
        self._forward(torch.tensor(padded, device=model.device), (self.mask.cumsum(-1) - 1).relu())
        if len(once) < len(prompts):
            self.keep([once[tuple(ids)] for ids in prompts])

    def grow(self, token: Tensor) -> None:
        """Append one token to each sequence; `token`: (rows,) ids."""
        self.mask = torch.cat([self.mask, self.mask.new_ones(len(token), 1)], dim=1)
        self._forward(token[:, None], self.mask.sum(-1, keepdim=True) - 1)

    def keep(self, rows: Sequence[int]) -> None:
        """Keep these sequences, in this order; one may be named several times."""
        chosen = torch.tensor(rows, device=self.mask.device)
        self.mask, self.logits = self.mask[chosen], self.logits[chosen]
        self.cache.batch_select_indices(chosen)

    def _forward(self, ids: Tensor, positions: Tensor) -> None:
        output = self.model(
            input_ids=ids,
            attention_mask=self.mask,
            position_ids=positions,
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        self.cache = output.past_key_values
        self.logits = output.logits[:, -1]

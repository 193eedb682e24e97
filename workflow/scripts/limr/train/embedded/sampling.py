"""Drawing responses: a batched loop over a preallocated key-value cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from limr.models.decoding import choose
from limr.models.interface import Decoding
from limr.train.embedded.cache import Cache
from limr.train.embedded.forward import Weights
from limr.train.embedded.products import linear
from limr.train.embedded.vocabulary import END_ID

ROWS = 512  # sequences generated together
KEPT = 0.8  # finished rows leave the batch once fewer than this share of it still grows


@dataclass(frozen=True)
class Samples:
    """Responses as token ids: `Decoding.samples` rows for each prompt, in the prompts' order.

    `tokens`, `log_probabilities` and `entropies` are (rows, max_tokens), 0 from `lengths` on;
    `lengths` counts the end token. Log-probabilities and entropies (natural logarithm) are those
    of softmax(logits / temperature) before the top-p cut; of softmax(logits) when greedy.
    """

    tokens: Tensor
    lengths: Tensor
    log_probabilities: Tensor
    entropies: Tensor

    @property
    def mask(self) -> Tensor:
        """(rows, max_tokens) bool: the places that hold a token."""
        return torch.arange(self.tokens.shape[1], device=self.tokens.device) < self.lengths[:, None]

    def truncated(self) -> list[bool]:
        """Return for each row whether the end token never came."""
        last = self.tokens.gather(1, self.lengths[:, None] - 1).squeeze(1)
        return [bool(value) for value in (last != END_ID).tolist()]

    def responses(self) -> list[list[int]]:
        """Return each row's token ids, the end token included."""
        pairs = zip(self.tokens.tolist(), self.lengths.tolist(), strict=True)
        return [row[:length] for row, length in pairs]

    def rows(self, wanted: Sequence[int]) -> Samples:
        """Return some rows, in this order."""
        return Samples(*(getattr(self, part.name)[list(wanted)] for part in fields(self)))

    @staticmethod
    def joined(drawn: Sequence[Samples]) -> Samples:
        """Return the rows of several draws, one draw after another."""
        if len(drawn) == 1:
            return drawn[0]
        names = [part.name for part in fields(Samples)]
        return Samples(*(torch.cat([getattr(one, name) for one in drawn]) for name in names))


@torch.no_grad()
def draw(
    weights: Weights,
    output: Tensor,
    prompts: Sequence[Sequence[int]],
    decoding: Decoding,
    generator: torch.Generator,
) -> Samples:
    """Draw `decoding.samples` responses to each prompt.

    All random numbers, one per row and token, are drawn beforehand on the CPU: a row's draws depend
    neither on when other rows finish nor on the device.

    Args:
        weights: the policy's body.
        output: (vocabulary, hidden) the policy's output matrix.
        prompts: token ids, none empty.
        decoding: how they are drawn.
        generator: a CPU generator, of this purpose's own stream.
    """
    device, shape = output.device, (len(prompts) * decoding.samples, decoding.max_tokens)
    uniform = torch.rand(shape, generator=generator).to(device)
    found = Samples(
        torch.zeros(shape, dtype=torch.int64, device=device),
        torch.zeros(shape[0], dtype=torch.int64, device=device),
        torch.zeros(shape, device=device),
        torch.zeros(shape, device=device),
    )
    by_length = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    together = max(1, ROWS // decoding.samples)
    for start in range(0, len(prompts), together):
        chosen = by_length[start : start + together]
        first = torch.tensor(chosen, device=device)[:, None] * decoding.samples
        rows = (first + torch.arange(decoding.samples, device=device)).view(-1)
        room = decoding.max_tokens - 1
        cache = Cache(weights, [prompts[index] for index in chosen], decoding.samples, room)
        _extend(cache, output, decoding, uniform, rows, found)
    return found


def _extend(
    cache: Cache, output: Tensor, decoding: Decoding, uniform: Tensor, rows: Tensor, found: Samples
) -> None:
    """Draw until every sequence of the cache has ended; `rows`: their places in `found`."""
    hidden = cache.start
    growing = torch.ones_like(rows, dtype=torch.bool)
    for place in range(decoding.max_tokens):
        log_p = (linear(hidden, output) / (decoding.temperature or 1.0)).log_softmax(-1)
        token = choose(log_p, decoding, uniform[rows, place])
        at = rows[growing]
        found.tokens[at, place] = token[growing]
        found.lengths[at] = place + 1
        log_p_token = log_p.gather(1, token[:, None]).squeeze(1)
        found.log_probabilities[at, place] = log_p_token[growing]
        found.entropies[at, place] = -(log_p.exp() * log_p).sum(-1)[growing]
        growing &= token != END_ID
        left = int(growing.sum())
        if left == 0 or place + 1 == decoding.max_tokens:
            return
        if left < KEPT * len(rows):
            kept = growing.nonzero().squeeze(1)
            cache.keep(kept)
            rows, token, growing = rows[kept], token[kept], growing[kept]
        hidden = cache.grow(token)

"""One PPO step's rollouts as the learner needs them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from limr.train.embedded import packing
from limr.train.embedded.sampling import Samples


@dataclass(frozen=True)
class Sequences:
    """Prompts and their responses, as token ids; responses to one prompt follow each other."""

    prompts: Sequence[Sequence[int]]
    responses: Sequence[Sequence[int]]  # the end token included
    mask: Tensor  # (samples, places) bool: True where there is a token
    device: torch.device

    @staticmethod
    def of(prompts: Sequence[Sequence[int]], samples: Samples) -> Sequences:
        """Join prompts with what was drawn for them."""
        return Sequences(prompts, samples.responses(), samples.mask, samples.tokens.device)

    @property
    def each(self) -> int:
        """Samples per prompt."""
        return len(self.responses) // len(self.prompts)

    def packed(self, rows: Sequence[int]) -> packing.Packed:
        """Pack some samples with the prompts that they need."""
        needed = sorted({row // self.each for row in rows})
        place = {prompt: number for number, prompt in enumerate(needed)}
        return packing.pack(
            [self.prompts[prompt] for prompt in needed],
            [place[row // self.each] for row in rows],
            [self.responses[row] for row in rows],
            self.device,
        )

    def parts(self, size: int) -> Iterator[list[int]]:
        """Yield all rows, `size` at a time."""
        return parts(range(len(self.responses)), size)

    def prompt_tokens(self) -> int:
        """Return the prompt tokens of all samples together."""
        return self.each * sum(len(prompt) for prompt in self.prompts)


@dataclass(frozen=True)
class Batch:
    """Sequences with what PPO's losses need; every matrix is (samples, places)."""

    sequences: Sequences
    old_log_p: Tensor
    old_values: Tensor
    advantages: Tensor
    targets: Tensor  # of the critic


def parts(rows: Sequence[int], size: int) -> Iterator[list[int]]:
    """Yield the rows in order, `size` at a time."""
    return (list(rows[start : start + size]) for start in range(0, len(rows), size))


def spread(values: Tensor, mask: Tensor) -> Tensor:
    """Return a matrix with the values, in order, where the mask is True, and 0 elsewhere."""
    return torch.zeros(mask.shape, device=values.device).masked_scatter(mask, values)

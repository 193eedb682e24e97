"""A policy folder, opened for evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from limr.core.random_streams import stream_seed
from limr.core.tables import Response
from limr.models.interface import Decoding, Settings
from limr.train.embedded import model as models
from limr.train.embedded import run, sampling, vocabulary
from limr.train.embedded.forward import weights_of


class EmbeddedPolicy:
    """A loaded policy; see `limr.models.interface.Policy`."""

    def __init__(self, folder: Path, options: Settings) -> None:
        """Load a policy folder; raises InputError if it is not one of this engine."""
        self.vocabulary = vocabulary.load(folder)
        self.model = models.load_policy(folder, run.device_of(options)).requires_grad_(False)
        self.weights = weights_of(self.model.model)

    def check(self, prompts: Sequence[str], decoding: Decoding) -> None:
        """Refuse prompts that the vocabulary lacks tokens for; positions have no limit here."""
        for prompt in prompts:
            self.vocabulary.encode(prompt)

    def close(self) -> None:
        """There is nothing to free."""

    def generate(
        self, prompts: Sequence[str], decoding: Decoding, seed: int
    ) -> list[list[Response]]:
        """Return `decoding.samples` responses for each prompt, in the prompts' order."""
        generator = torch.Generator().manual_seed(stream_seed(seed, "generate", decoding.name))
        encoded = [self.vocabulary.encode(prompt) for prompt in prompts]
        drawn = sampling.draw(self.weights, self.model.lm_head.weight, encoded, decoding, generator)
        responses = [
            Response(self.vocabulary.decode(ids), len(ids), cut)
            for ids, cut in zip(drawn.responses(), drawn.truncated(), strict=True)
        ]
        each = decoding.samples
        return [responses[first : first + each] for first in range(0, len(responses), each)]

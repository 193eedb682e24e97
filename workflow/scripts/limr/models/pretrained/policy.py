"""A pretrained model, opened for evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from limr.core.errors import InputError
from limr.core.random_streams import stream_seed
from limr.core.tables import Response
from limr.models import prompt_templates
from limr.models.interface import Decoding, Settings
from limr.models.pretrained import drawing as drawings
from limr.models.pretrained import folders, responses
from limr.models.pretrained.drawing import Drawn, Model
from limr.models.pretrained.responses import Pace, Reader
from limr.models.prompt_templates import Tokenizer


class PretrainedPolicy:
    """A loaded policy; see `limr.models.interface.Policy`.

    Random numbers are drawn as the embedded engine draws them: one policy opened by either gives
    the same responses, up to rounding.
    """

    def __init__(self, folder: Path, options: Settings) -> None:
        """Load a policy folder; refuse one that cannot be read or prompted."""
        self.folder, self.batch_size = folder, int(options["batch_size"])
        self.template = folders.template_of(folder, options)
        self.model, self.tokenizer = load(folder, options)
        prompt_templates.check(self.template, self.tokenizer, str(folder))
        stops = (*prompt_templates.find(self.template).stops, *options["stop"])
        configs = (self.model.generation_config, self.model.config)
        ids = responses.end_ids(folder, self.tokenizer, self.template, configs)
        self.reader = Reader(self.tokenizer, ids, stops)

    def check(self, prompts: Sequence[str], decoding: Decoding) -> None:
        """Refuse prompts that leave no room for a response."""
        encoded = prompt_templates.encode(self.template, prompts, self.tokenizer)
        self._check_room(encoded, prompts, decoding.max_tokens)

    def close(self) -> None:
        """There is nothing to free."""

    def generate(
        self, prompts: Sequence[str], decoding: Decoding, seed: int
    ) -> list[list[Response]]:
        """Return `decoding.samples` responses for each prompt, in the prompts' order.

        A response that a stop text ends is cut before it, and is not truncated; its tokens are
        counted up to the one that completed the text. Raises InputError where a prompt and its
        response do not fit into the model's positions, or a batch not into the GPU's memory.
        """
        encoded = prompt_templates.encode(self.template, prompts, self.tokenizer)
        self._check_room(encoded, prompts, decoding.max_tokens)
        # All greedy responses to a prompt are the same: one is drawn.
        made = decoding.samples if decoding.temperature else 1
        drawn = self._draw([ids for ids in encoded for _ in range(made)], decoding, seed)
        found = [self.reader.response(one.ids, ended=one.ended) for one in drawn]
        each = [found[first : first + made] for first in range(0, len(found), made)]
        return [samples * (decoding.samples // made) for samples in each]

    def _draw(self, rows: Sequence[Sequence[int]], decoding: Decoding, seed: int) -> list[Drawn]:
        """Draw a response to each row, in batches of alike length, the longest first."""
        uniform = torch.empty(0)
        if decoding.temperature:
            generator = torch.Generator().manual_seed(stream_seed(seed, "generate", decoding.name))
            uniform = torch.rand((len(rows), decoding.max_tokens), generator=generator)
        order = sorted(range(len(rows)), key=lambda row: -len(rows[row]))
        found: dict[int, Drawn] = {}
        pace = Pace(len(rows))
        for start in range(0, len(order), self.batch_size):
            chosen = order[start : start + self.batch_size]
            draws = uniform[chosen] if decoding.temperature else uniform
            prompts, ended = [rows[row] for row in chosen], self.reader.ended
            try:
                drawn = drawings.draw(self.model, prompts, decoding, draws, ended, pace.tick)
            except torch.cuda.OutOfMemoryError:
                raise InputError(
                    f"{self.folder}: {len(chosen)} responses at a time do not fit into the GPU's "
                    "memory. Lower engines.huggingface.batch_size."
                ) from None
            found.update(zip(chosen, drawn, strict=True))
            pace.done = len(found)
        return [found[row] for row in range(len(rows))]

    def _check_room(
        self, encoded: Sequence[Sequence[int]], prompts: Sequence[str], max_tokens: int
    ) -> None:
        config = self.model.config.get_text_config()
        positions = getattr(config, "max_position_embeddings", None)
        if positions is not None:
            lengths = [len(ids) for ids in encoded]
            responses.check_room(self.folder, prompts, lengths, max_tokens, positions)


def load(folder: Path, options: Settings) -> tuple[Model, Tokenizer]:
    """Return the model, on its device, and its tokenizer; nothing is downloaded or executed."""
    torch.set_num_threads(options["threads"])
    logging.disable_progress_bar()
    cuda = torch.cuda.is_available()
    if options["device"] == "cuda" and not cuda:
        raise InputError(
            "engines.huggingface.device: 'cuda' is asked for, but PyTorch sees no CUDA device "
            "here. Use 'cpu' or 'auto'."
        )
    device = torch.device("cuda" if cuda and options["device"] != "cpu" else "cpu")
    dtype = options["dtype"]
    if dtype == "auto" and device.type == "cpu":
        dtype = "float32"
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, local_files_only=True
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise InputError(
            f"{folder}: not a readable model folder ({error}). Delete it and run again: the rule "
            "that makes it will write it anew."
        ) from None
    return model.to(device).eval().requires_grad_(False), tokenizer

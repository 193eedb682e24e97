"""A pretrained model, opened for evaluation."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from limr import templates
from limr.embedded.sampling import Drawing
from limr.engine import Decoding, Settings
from limr.errors import InputError
from limr.joblog import note
from limr.pretrained import drawing as drawings
from limr.pretrained import folders
from limr.pretrained.drawing import Drawn, Ends, Model
from limr.records import Response
from limr.streams import stream_seed
from limr.templates import Tokenizer

EVERY = 30.0  # seconds between lines of progress
_SHOWN = 5


class PretrainedPolicy:
    """A loaded policy; see `limr.engine.Policy`.

    Random numbers are drawn as the embedded engine draws them: one policy opened by either gives
    the same responses, up to rounding.
    """

    def __init__(self, folder: Path, options: Settings) -> None:
        """Load a policy folder.

        Raises:
            InputError: it cannot be read, cannot write its template, or has no end token.
        """
        self.folder, self.batch_size = folder, int(options["batch_size"])
        self.template = folders.template_of(folder, options)
        self.model, self.tokenizer = load(folder, options)
        templates.check(self.template, self.tokenizer, str(folder))
        self.stops = (*templates.find(self.template).stops, *options["stop"])
        ids = end_ids(self.model, self.tokenizer, self.template)
        if not ids:
            raise InputError(
                f"{folder}: the model has no end token, so that no response of it could end. Set "
                "eos_token_id in its generation_config.json, or eos_token in its "
                "tokenizer_config.json."
            )
        self.ends = Ends(ids, self._stopped)

    def generate(
        self, prompts: Sequence[str], decoding: Decoding, seed: int
    ) -> list[list[Response]]:
        """Return `decoding.samples` responses for each prompt, in the prompts' order.

        A response that a stop text ends is cut before it, and is not truncated; its tokens are
        counted up to the one that completed the text.

        Raises:
            InputError: a prompt and its response do not fit into the model's positions, or a
                batch does not fit into the GPU's memory.
        """
        encoded = templates.encode(self.template, prompts, self.tokenizer)
        self._check_lengths(encoded, prompts, decoding.max_tokens)
        # All greedy responses to a prompt are the same: one is made.
        made = decoding.samples if decoding.temperature else 1
        drawing = Drawing(made, decoding.temperature, decoding.top_p, decoding.max_tokens)
        drawn = self._draw([ids for ids in encoded for _ in range(made)], drawing, decoding, seed)
        responses = [self._response(one) for one in drawn]
        each = [responses[first : first + made] for first in range(0, len(responses), made)]
        return [samples * (decoding.samples // made) for samples in each]

    def _draw(
        self, rows: Sequence[Sequence[int]], drawing: Drawing, decoding: Decoding, seed: int
    ) -> list[Drawn]:
        """Draw a response to each row, in batches of alike length, the longest first."""
        uniform = torch.empty(0)
        if drawing.temperature:
            generator = torch.Generator().manual_seed(stream_seed(seed, "generate", decoding.name))
            uniform = torch.rand((len(rows), drawing.max_tokens), generator=generator)
        order = sorted(range(len(rows)), key=lambda row: -len(rows[row]))
        found: dict[int, Drawn] = {}
        pace = _Pace(len(rows))
        for start in range(0, len(order), self.batch_size):
            chosen = order[start : start + self.batch_size]
            draws = uniform[chosen] if drawing.temperature else uniform
            prompts = [rows[row] for row in chosen]
            try:
                drawn = drawings.draw(self.model, prompts, drawing, draws, self.ends, pace.tick)
            except torch.cuda.OutOfMemoryError:
                raise InputError(
                    f"{self.folder}: {len(chosen)} responses at a time do not fit into the GPU's "
                    "memory. Lower engines.huggingface.batch_size."
                ) from None
            found.update(zip(chosen, drawn, strict=True))
            pace.done = len(found)
        return [found[row] for row in range(len(rows))]

    def _response(self, drawn: Drawn) -> Response:
        ids = drawn.ids[:-1] if drawn.ids[-1] in self.ends.ids else drawn.ids
        text = self._decode(ids)
        if drawn.ended and self.stops:
            places = [text.find(stop) for stop in self.stops]
            text = text[: min((place for place in places if place >= 0), default=None)]
        return Response(text, len(drawn.ids), not drawn.ended)

    def _decode(self, ids: Sequence[int]) -> str:
        return str(
            self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )

    def _stopped(self, response: Sequence[int]) -> bool:
        """Return whether a stop text stands at the end of a response's tokens."""
        if not self.stops:
            return False
        # A token is a byte at least; some more for tokens without a text.
        longest = max(len(stop.encode()) for stop in self.stops) + 8
        tail = self._decode(response[-longest:])
        return any(stop in tail for stop in self.stops)

    def _check_lengths(
        self, encoded: Sequence[Sequence[int]], prompts: Sequence[str], max_tokens: int
    ) -> None:
        config = self.model.config.get_text_config()
        positions = getattr(config, "max_position_embeddings", None)
        if positions is None:
            return
        long = [row for row, ids in enumerate(encoded) if len(ids) + max_tokens > positions]
        if long:
            shown = [f"{row + 1} ({prompts[row][:40]!r})" for row in long[:_SHOWN]]
            more = f" and {len(long) - _SHOWN} more" if len(long) > _SHOWN else ""
            raise InputError(
                f"{self.folder}: {len(long)} of {len(prompts)} prompts leave no room for a "
                f"response of {max_tokens} tokens in the model's {positions} positions; the "
                f"longest has {max(map(len, encoded))} tokens. Problems by row: "
                f"{', '.join(shown)}{more}. Lower max_tokens or leave them out."
            )


class _Pace:
    """A line of progress in the log, now and then."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.tokens = total, 0, 0
        self.start = self.last = time.monotonic()

    def tick(self, tokens: int) -> None:
        """Count tokens, and write a line if it is time."""
        self.tokens += tokens
        now = time.monotonic()
        if now - self.last >= EVERY:
            self.last, seconds = now, now - self.start
            note(
                f"{self.done} of {self.total} responses, {self.tokens} tokens, "
                f"{seconds:.0f} s, {self.tokens / seconds:.0f} tokens/s"
            )


def load(folder: Path, options: Settings) -> tuple[Model, Tokenizer]:
    """Return the model, on its device, and its tokenizer; nothing is downloaded or executed.

    Raises:
        InputError: the folder cannot be read, or there is no such device.
    """
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


def end_ids(model: Model, tokenizer: Tokenizer, template: str) -> frozenset[int]:
    """Return every token that ends a response: the model's, its tokenizer's, the template's."""
    found: list[Any] = [tokenizer.eos_token_id]
    for config in (model.generation_config, model.config):
        ids = getattr(config, "eos_token_id", None)
        found.extend(ids if isinstance(ids, Iterable) else [ids])
    found.extend(templates.single_token(tokenizer, text) for text in templates.find(template).ends)
    return frozenset(int(number) for number in found if number is not None)

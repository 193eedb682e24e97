"""What engines of pretrained models share: how a response ends, its text, its room, progress."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from limr.core.errors import InputError
from limr.core.job_log import note
from limr.core.tables import Response
from limr.models import prompt_templates
from limr.models.interface import LongPromptError
from limr.models.prompt_templates import Tokenizer

_SHOWN = 5
EVERY = 30.0  # seconds between lines of progress


class Reader:
    """Reads the tokens of responses: has it ended, and what is its text?"""

    def __init__(self, tokenizer: Tokenizer, ids: frozenset[int], stops: Sequence[str]) -> None:
        """Keep what ends a response: `ids` are end tokens, `stops` texts that are cut off."""
        self.tokenizer, self.ids, self.stops = tokenizer, ids, tuple(stops)
        # A token has at least one byte; 8 more for tokens without a text.
        self._longest = max((len(stop.encode()) for stop in stops), default=0) + 8

    def ended(self, response: Sequence[int]) -> bool:
        """Return whether a response ends with its last token."""
        return response[-1] in self.ids or self.stopped(response)

    def stopped(self, response: Sequence[int]) -> bool:
        """Return whether a response's tokens end in a stop text."""
        if not self.stops:
            return False
        tail = self._decode(response[-self._longest :])
        return any(stop in tail for stop in self.stops)

    def response(self, ids: Sequence[int], *, ended: bool) -> Response:
        """Return a response; a text that ended it is cut off, while its tokens count."""
        text = self._decode(ids[:-1] if ids[-1] in self.ids else ids)
        if ended and self.stops:
            places = [text.find(stop) for stop in self.stops]
            text = text[: min((place for place in places if place >= 0), default=None)]
        return Response(text, len(ids), not ended)

    def _decode(self, ids: Sequence[int]) -> str:
        return str(
            self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )


def end_ids(
    folder: Path, tokenizer: Tokenizer, template: str, configs: Iterable[Any]
) -> frozenset[int]:
    """Return every token that ends a response: the tokenizer's, the configs', the template's.

    `configs` are the model's configuration and its generation configuration; None is skipped.
    `folder` is for the message. A model without an end token is refused.
    """
    found: list[Any] = [tokenizer.eos_token_id]
    for config in configs:
        ids = getattr(config, "eos_token_id", None)
        found.extend(ids if isinstance(ids, Iterable) else [ids])
    found.extend(
        prompt_templates.single_token(tokenizer, text)
        for text in prompt_templates.find(template).ends
    )
    ends = frozenset(int(number) for number in found if number is not None)
    if not ends:
        raise InputError(
            f"{folder}: the model has no end token, so that no response of it could end. Set "
            "eos_token_id in its generation_config.json, or eos_token in its "
            "tokenizer_config.json."
        )
    return ends


def check_room(
    folder: Path, prompts: Sequence[str], lengths: Sequence[int], max_tokens: int, positions: int
) -> None:
    """Refuse prompts that leave no room for a whole response (LongPromptError).

    `lengths` are the prompts' tokens, template included; `positions` are the model's.
    """
    long = [row for row, length in enumerate(lengths) if length + max_tokens > positions]
    if long:
        shown = [f"{row + 1} ({prompts[row][:40]!r})" for row in long[:_SHOWN]]
        more = f" and {len(long) - _SHOWN} more" if len(long) > _SHOWN else ""
        raise LongPromptError(
            f"{folder}: {len(long)} of {len(prompts)} prompts leave no room for a "
            f"response of {max_tokens} tokens in the model's {positions} positions; the "
            f"longest has {max(lengths)} tokens. Problems by row: {', '.join(shown)}{more}. "
            "Lower max_tokens or leave them out.",
            long,
        )


class Pace:
    """How far a generation is: `done` responses of `total`."""

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

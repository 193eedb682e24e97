"""What the engines of pretrained models share: how a response ends, its text, its room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from limr.core.errors import InputError
from limr.core.tables import Response
from limr.models import prompt_templates
from limr.models.interface import LongPromptError
from limr.models.prompt_templates import Tokenizer

_SHOWN = 5


class Reader:
    """Reads the tokens of responses: has it ended, and what is its text?"""

    def __init__(self, tokenizer: Tokenizer, ids: frozenset[int], stops: Sequence[str]) -> None:
        """Keep what ends a response: `ids` are end tokens, `stops` texts that are cut off."""
        self.tokenizer, self.ids, self.stops = tokenizer, ids, tuple(stops)
        # A token is a byte at least; some more for tokens without a text.
        self._longest = max((len(stop.encode()) for stop in stops), default=0) + 8

    def ended(self, response: Sequence[int]) -> bool:
        """Return whether a response ends with its last token."""
        return response[-1] in self.ids or self.stopped(response)

    def stopped(self, response: Sequence[int]) -> bool:
        """Return whether a stop text stands at the end of a response's tokens."""
        if not self.stops:
            return False
        tail = self._decode(response[-self._longest :])
        return any(stop in tail for stop in self.stops)

    def response(self, ids: Sequence[int], *, ended: bool) -> Response:
        """Return a response; a text that ended it is cut off, its tokens are counted."""
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

    Args:
        folder: the model's, for the message.
        tokenizer: of the model.
        template: name of the prompt template.
        configs: the model's configuration and its generation configuration; None is passed over.

    Raises:
        InputError: there is none.
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
    """Refuse prompts that leave no room for a whole response.

    Args:
        folder: the model's, for the message.
        prompts: their texts.
        lengths: their tokens, template included.
        max_tokens: of a response.
        positions: of the model.

    Raises:
        LongPromptError: there are some.
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

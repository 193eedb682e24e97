"""Text to token ids and back, stored as a Hugging Face tokenizer.

A sequence is `prompt <end> response <end>`: one special token closes both turns, so the model needs
no other mark to know where its answer starts and where it stops.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from limr.core import files
from limr.core.errors import InputError

END = "<end>"
END_ID = 0


@dataclass(frozen=True)
class Vocabulary:
    """Id 0 is `<end>`; the tokens follow from 1 in the given order."""

    tokens: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of token ids."""
        return len(self.tokens) + 1

    @cached_property
    def ids(self) -> dict[str, int]:
        """Token -> id."""
        return {token: number for number, token in enumerate(self.tokens, start=1)}

    @cached_property
    def pattern(self) -> str:
        """Regular expression that finds the next token, the longest first, or any character."""
        longest = sorted((token for token in self.tokens if len(token) > 1), key=len, reverse=True)
        return "|".join([*(re.escape(token) for token in longest), r"[\s\S]"])

    def encode(self, text: str) -> list[int]:
        """Return the ids of a prompt or a response with `<end>`; refuse other characters."""
        try:
            return [*(self.ids[token] for token in re.findall(self.pattern, text)), END_ID]
        except KeyError as error:
            raise InputError(
                f"the embedded model has no token for {error.args[0]!r}, found in {text[:60]!r}. "
                f"It knows only: {' '.join(self.tokens)}"
            ) from None

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of token ids, without `<end>`."""
        return "".join(self.tokens[number - 1] for number in ids if number != END_ID)


def save(vocabulary: Vocabulary, folder: Path) -> None:
    """Write `tokenizer.json` and `tokenizer_config.json`, which `AutoTokenizer` loads.

    The tokenizer appends `<end>` to a text, as `Vocabulary.encode` does.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors

    tokenizer = Tokenizer(models.WordLevel({END: END_ID, **vocabulary.ids}, unk_token=END))
    tokenizer.add_special_tokens([END])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(vocabulary.pattern), behavior="isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {END}", special_tokens=[(END, END_ID)]
    )
    tokenizer.decoder = decoders.Fuse()
    tokenizer.save(str(folder / "tokenizer.json"))
    files.write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": END,
            "pad_token": END,
            "clean_up_tokenization_spaces": False,
        },
    )


def load(folder: Path) -> Vocabulary:
    """Read the vocabulary of a policy folder; refuse a tokenizer of another engine."""
    path = folder / "tokenizer.json"
    document: Any = files.read_json(path)
    try:
        table: dict[str, int] = document["model"]["vocab"]
        tokens = sorted(table, key=table.__getitem__)
    except (KeyError, TypeError, AttributeError):
        tokens = []
    if tokens[:1] != [END]:
        raise InputError(
            f"{path}: not a tokenizer of the embedded engine. Give a policy folder that this "
            "engine wrote, or another engine to this policy."
        )
    return Vocabulary(tuple(tokens[1:]))

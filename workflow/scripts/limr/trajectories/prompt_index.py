"""Finding the problem behind a prompt's text, for logs that have no ids.

Ids join every table of a study; these logs are the one exception, and text is used here only. A
text is looked up stripped, as it stands; then with every run of white space made one blank; then,
where that fails, without the frame that a chat template or an instruction put around it. Where one
text stands under several ids, its rows go to the first of them in the problems' order.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from limr.core.arrow import strings
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.trajectories.curves import Ints

# So many unknown texts are searched for a known prompt in order to learn the frame, as long as that
# is no more than so many comparisons in all.
_TRIES = 512
_MOST_COMPARED = 10_000_000
# More distinct texts than this, and something in them is not the problem's.
MOST_MADE = 2_000_000
_MOST_UNKNOWN = 1_000_000


def one_blank(text: str) -> str:
    """Return a text with every run of white space made one blank."""
    return " ".join(text.split())


class PromptIndex:
    """Prompt texts to the numbers of problems.

    Without problems every new text is a new one, with an id made from its sha256.
    """

    def __init__(self, problems: Sequence[Problem] | None) -> None:
        self._given = problems
        self._exact: dict[str, int] = {}
        self._loose: dict[str, int] = {}
        self._seen: dict[str, int] = {}
        self._made: list[str] = []
        self._tries = min(_TRIES, _MOST_COMPARED // max(len(problems or ()), 1))
        self._frames: Counter[tuple[str, str]] = Counter()
        self.frame: tuple[str, str] | None = None
        self.namesakes: dict[int, int] = {}
        for number, problem in enumerate(problems or ()):
            self._exact.setdefault(problem.prompt.strip(), number)
            first = self._loose.setdefault(one_blank(problem.prompt), number)
            if first != number:
                self.namesakes[number] = first

    def find(self, texts: Sequence[str]) -> Ints:
        """Return (n_texts,) numbers of problems; -1 where a text is none's."""
        try:
            return np.array([*map(self._seen.__getitem__, texts)], np.int64)
        except KeyError:
            self._look_up(texts)
            return self.find(texts)

    def _look_up(self, texts: Sequence[str]) -> None:
        """Remember the numbers of texts that were not seen before.

        Raises:
            InputError: ids are made from texts, and there are more than `MOST_MADE`.
        """
        if len(self._seen) > _MOST_UNKNOWN + 2 * len(self._exact) and self._given is not None:
            self._seen = {text: number for text, number in self._seen.items() if number >= 0}
        new = [text for text in dict.fromkeys(texts) if text not in self._seen]
        one = self._make if self._given is None else self._plain
        self._seen.update({text: one(text) for text in new})
        unknown = [text for text in new if self._seen[text] < 0]
        if unknown and self.frame is None and self._tries:
            self._learn_frame(unknown)
        if unknown and self.frame is not None:
            self._seen.update({text: self._framed(text) for text in unknown})

    def _make(self, text: str) -> int:
        number = self._loose.setdefault(one_blank(text), len(self._made))
        if number == len(self._made):
            if number == MOST_MADE:
                raise InputError(
                    f"more than {MOST_MADE:,} distinct prompts, such as {text[:60]!r}: does each "
                    "row's prompt hold something of its own (a date, a number, the response)? Give "
                    "the problems, whose texts are then looked for."
                )
            self._made.append(text.strip())
        return number

    def _plain(self, text: str) -> int:
        number = self._exact.get(text.strip(), -1)
        return number if number >= 0 else self._loose.get(one_blank(text), -1)

    def _framed(self, text: str) -> int:
        prefix, suffix = self.frame or ("", "")
        text = one_blank(text)
        if not text.startswith(prefix) or not text.endswith(suffix):
            return -1
        return self._plain(text[len(prefix) : len(text) - len(suffix)])

    def _learn_frame(self, unknown: Sequence[str]) -> None:
        """Take what stands around known prompts for the frame, where two texts agree on it."""
        # Evenly spaced: a log may begin with a data set of its own.
        tried = unknown[:: max(1, -(-len(unknown) // self._tries))]
        self._tries -= len(tried)
        for text in map(one_blank, tried):
            inside = [prompt for prompt in self._loose if prompt and prompt in text]
            if inside:
                prefix, _, suffix = text.partition(max(inside, key=len))
                self._frames[(prefix, suffix)] += 1
        best = self._frames.most_common(1)
        if best and best[0][1] >= min(2, len(self._exact), len(unknown)):
            self.frame = best[0][0]
            self._seen.update(
                {text: self._framed(text) for text, number in self._seen.items() if number < 0}
            )

    @property
    def problem_ids(self) -> pa.Array:
        """The ids: of the given problems, or made from the texts that were found."""
        if self._given is not None:
            return strings([problem.problem_id for problem in self._given])
        return strings([made_id(text) for text in self._made])

    @property
    def made(self) -> list[str]:
        """The texts behind ids that were made, in order."""
        return self._made

    def notes(self) -> list[str]:
        """Return what was noticed while joining."""
        found = []
        if self.frame is not None:
            shown = [f"{part[:60]!r}{'…' if len(part) > 60 else ''}" for part in self.frame]
            found.append(f"a chat template around the prompts was taken off: {' … '.join(shown)}.")
        if self._given is None:
            found.append(
                f"{len(self._made)} distinct prompts; no problems were given, so their ids are "
                "made from their texts."
            )
        elif self.namesakes:
            number, first = next(iter(self.namesakes.items()))
            ids = [self._given[place].problem_id for place in (number, first)]
            found.append(
                f"{len(self.namesakes)} problems have the text of an earlier one, whose rows "
                f"cannot be told apart and count for the earlier: {ids[0]} has the text of {ids[1]}"
                + (", …" if len(self.namesakes) > 1 else "")
                + "."
            )
        return found


def made_id(text: str) -> str:
    """Return an id for a prompt without one: `prompt-` and 16 digits of its text's sha256."""
    digest = hashlib.sha256(one_blank(text).encode("utf-8", "surrogatepass")).hexdigest()
    return f"prompt-{digest[:16]}"

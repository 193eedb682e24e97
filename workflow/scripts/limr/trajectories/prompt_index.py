"""Finding the problem behind a prompt's text, for logs that have no ids.

Ids join every table of a study; these logs are the one exception. A text is looked up stripped,
then with every run of white space replaced by one blank, then without the frame that a chat
template or an instruction put around it. Where one text has several ids, its rows go to the first
of them in the problems' order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from limr.core.arrow import strings
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.problems.normalised_text import made_id, one_blank
from limr.trajectories.curves import Ints

# Limits of learning the frame: unknown texts that are searched, and comparisons with prompts.
_TRIES = 512
_MOST_COMPARED = 10_000_000
# More distinct texts than this, and something in them is not the problem's.
MOST_MADE = 2_000_000


class PromptIndex:
    """Finds the numbers of problems by prompt texts.

    Without problems every new text is a new problem, with an id made from its sha256.
    """

    def __init__(self, problems: Sequence[Problem] | None) -> None:
        self._given = problems
        self._exact: dict[str, int] = {}
        self._loose: dict[str, int] = {}
        self._seen: dict[str, int] = {}  # texts that were found, as the log writes them
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
        """Return (n_texts,) numbers of problems; -1 where a text belongs to none.

        Raises:
            InputError: ids are made from texts, and there are more than `MOST_MADE`.
        """
        new = [text for text in dict.fromkeys(texts) if text not in self._seen]
        self._remember(new)
        unknown = [text for text in new if text not in self._seen]
        if unknown and self.frame is None:
            self._learn_frame(unknown)
            self._remember(unknown)
        return np.array([self._seen.get(text, -1) for text in texts], np.int64)

    def _remember(self, texts: Sequence[str]) -> None:
        look_up = self._make if self._given is None else self._look_up
        found = ((text, look_up(text)) for text in texts)
        self._seen.update((text, number) for text, number in found if number >= 0)

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

    def _look_up(self, text: str) -> int:
        loose = one_blank(text)
        number = self._exact.get(text.strip(), self._loose.get(loose, -1))
        if number < 0 and self.frame is not None:
            prefix, suffix = self.frame
            if loose.startswith(prefix) and loose.endswith(suffix):
                inside = loose[len(prefix) : len(loose) - len(suffix)]
                number = self._exact.get(inside.strip(), self._loose.get(one_blank(inside), -1))
        return number

    def _learn_frame(self, unknown: Sequence[str]) -> None:
        """Take what surrounds known prompts for the frame, where two texts agree on it."""
        if not self._tries:
            return
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

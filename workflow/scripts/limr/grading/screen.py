"""The part of grading that needs no limits: format rules, extraction, short numbers.

`Screen` is the grader with a table of judged pairs in place of the algebra system. Where a pair is
not in the table yet, `Batch` notes which responses wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from limr.grading.equality import is_number, is_plain
from limr.grading.grade import Grade, Grader
from limr.grading.remembered import Remembered

SHORT = 100  # characters of a pair that may be compared in the caller's process

# Gold answer, response, whether it was truncated; and the prompt, for plug-ins that ask for it.
Item = tuple[str, str, bool] | tuple[str, str, bool, str]
Pair = tuple[str, str, str | None]  # gold answer, extracted answer; the prompt, for a plug-in


class Unjudged(BaseException):
    """Raised with a pair that has to be judged first; no error, which a handler might stop."""


class Stopped(BaseException):
    """Raised with the limit that a pair reached: nothing more is computed of it here."""


class Judgement(NamedTuple):
    """Whether a pair is equal, and the limit that it reached, "" where it reached none."""

    equal: bool
    reason: str


class Screen(Grader):
    """The grader with a table of judged pairs in place of the algebra system."""

    def __init__(self, settings: Mapping[str, Any] | None) -> None:
        super().__init__(settings)
        self.judged: Remembered[Pair, Judgement] = Remembered()

    def _grade(self, gold: str, response: str, truncated: bool, prompt: str | None) -> Grade:
        try:
            return super()._grade(gold, response, truncated, prompt)
        except Stopped as stopped:
            return Grade("incorrect", "", self._answer(response), stopped.args[0])

    def is_equal(self, gold: str, answer: str, prompt: str | None = None) -> bool:
        """Tell whether a pair is equal: from the table, or at once where it is bounded.

        Raises Unjudged where it is not in the table yet, Stopped where its judgement reached a
        limit.
        """
        if self._is_ours and is_bounded(gold, answer):
            return super().is_equal(gold, answer)
        found = self.judged.get((gold, answer, prompt))
        if found is None:
            raise Unjudged(gold, answer, prompt)
        if found.reason:
            raise Stopped(found.reason)
        return found.equal


def is_bounded(gold: str, answer: str) -> bool:
    """Tell whether a pair can certainly be decided at once, in the caller's process."""
    if max(len(gold), len(answer)) > SHORT:
        return False
    return is_plain(answer) if is_number(gold) else gold.strip() == answer.strip()


class Batch:
    """The items of one call, their grades, and which of them wait for which pair."""

    def __init__(
        self, screen: Screen, items: Sequence[Item], done: Callable[[int], object] | None
    ) -> None:
        self._screen, self._items, self._done = screen, items, done
        self.grades: list[Grade | None] = [None] * len(items)
        self.waiting: dict[Pair, list[int]] = {}

    def grade(self, number: int) -> Pair | None:
        """Grade an item; return the pair that has to be judged before that can be done."""
        gold, response, truncated, *prompt = self._items[number]
        try:
            self.grades[number] = self._screen.grade(
                gold, response, truncated=truncated, prompt=prompt[0] if prompt else None
            )
        except Unjudged as unjudged:
            pair: Pair = unjudged.args
            self.waiting.setdefault(pair, []).append(number)
            return pair
        if self._done is not None:
            self._done(1)
        return None

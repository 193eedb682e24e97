"""limr's grader on pairs of gold answer and answer, bounded in time and memory as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from limr.grading.boxes import last_box
from limr.grading.outcomes import UNREAD
from limr.grading.pool import TIMED_OUT, GradingPool
from limr.look.answers import LONGEST

# No rule of form: the audit asks whether an answer is right, not whether it is well put.
_SETTINGS = {"max_boxes": None, "repetition": False}
_SECONDS = 2.0  # for a pair
_GIVE_UP = 20  # pairs that took too long: then no more are graded
_AT_ONCE = 100  # pairs

Pair = tuple[str, str]  # gold answer, response


class Judge:
    """Tells whether a response has the gold answer; every pair is judged once.

    Attributes:
        unread: pairs of which the grader does not understand the answer or the gold answer.
        given_up: whether too many pairs took too long, so that later ones are unknown.
    """

    def __init__(self) -> None:
        self._pool = GradingPool(_SETTINGS, seconds=_SECONDS)
        self._known: dict[Pair, bool | None] = {}
        self.unread: set[Pair] = set()
        self._slow = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.close()

    @property
    def given_up(self) -> bool:
        """Whether pairs are left ungraded."""
        return self._slow >= _GIVE_UP

    def judge(self, pairs: Iterable[Pair]) -> list[bool | None]:
        """Return for each pair whether it is equal; None where the grader cannot tell."""
        asked = list(pairs)
        new = [pair for pair in dict.fromkeys(asked) if pair not in self._known]
        for first in range(0, len(new), _AT_ONCE):
            some = new[first : first + _AT_ONCE]
            self._known.update(self._judged(some))
        return [self._known[pair] for pair in asked]

    def _judged(self, pairs: list[Pair]) -> dict[Pair, bool | None]:
        found: dict[Pair, bool | None] = dict.fromkeys(pairs)
        short = [pair for pair in pairs if len(pair[0]) <= LONGEST]
        if self.given_up or not short:
            return found
        grades = self._pool.grade_many([(gold, text, False) for gold, text in short])
        for pair, grade in zip(short, grades, strict=True):
            if grade.verdict == "malformed":
                continue
            self._slow += grade.reason == TIMED_OUT
            if grade.reason == UNREAD:
                self.unread.add(pair)
            if grade.verdict == "correct" or grade.reason in ("different", "no-gold"):
                found[pair] = grade.verdict == "correct"
        return found

    def own_box(self, gold: str) -> bool | None:
        """Tell whether a gold answer is equal to itself in a box; None where that is unknown."""
        text = f"\\boxed{{{gold}}}"
        if last_box(text) != gold:
            return False
        return self.judge([(gold, text)])[0]

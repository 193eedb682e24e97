"""The grader: one response against one gold answer gives one verdict.

Rewards and evaluations use this one grader. See docs/grading.md for what it accepts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import Any

from limr.core.errors import InputError
from limr.core.plugins import heavy_imports
from limr.grading import answers
from limr.grading.boxes import PLACES, alternatives, joined_boxes
from limr.grading.equality import equal, why_not
from limr.grading.formats import MAX_CHARACTERS, broken_rule
from limr.grading.plugins import find, load
from limr.grading.remembered import Remembered
from limr.grading.strictness import STANDARD
from limr.grading.values import Listing

GRADER_VERSION = 7  # raised when a change can change a verdict
# Of a study's `grader`; what they mean: `limr.grading.settings`.
DEFAULTS: Mapping[str, Any] = {
    "preset": "default",
    "plugin": None,
    "answer": "box",
    "max_boxes": 4,
    "repetition": True,
}
_SHORT = 200  # characters of a response that is remembered whole


def check(settings: Mapping[str, Any]) -> None:
    """Refuse two rules at once, and a plug-in that no installed package registers.

    All settings but `strictness` must be given; a plug-in is not imported yet.
    """
    if settings["preset"] != "default" and (settings["plugin"] or settings["answer"] != "box"):
        raise InputError(
            f"grader: preset '{settings['preset']}' is a whole rule: it goes with neither "
            "'plugin' nor 'answer'. Leave one of them out."
        )
    strictness = settings.get("strictness", STANDARD)
    if strictness != STANDARD and (settings["plugin"] or settings["preset"] != "default"):
        raise InputError(
            f"grader: 'strictness: {strictness}' is of the default rule: it goes with neither "
            "'plugin' nor another 'preset'. Leave one of them out."
        )
    if settings["plugin"]:
        find(settings["plugin"])


@dataclass(frozen=True)
class Grade:
    """`verdict` is one of `limr.core.tables.VERDICTS`.

    `format` names the broken format rule where the verdict is malformed, else "". `answer` is the
    extracted answer, None where there is none. `reason` says why the verdict is not correct: the
    format rule, or different, not-understood, not-compared (arithmetic left undone), no-gold, or a
    pool's, such as timed-out; "" where it is correct. `version` is the grader's.
    """

    verdict: str
    format: str
    answer: str | None
    reason: str = ""
    version: int = GRADER_VERSION


class Grader:
    """Grades responses, remembering verdicts by (gold, extracted answer).

    `settings` are the study's `grader` (see `limr.grading.settings`); what is
    missing has its default.
    """

    def __init__(self, settings: Mapping[str, Any] | None = None) -> None:
        chosen = {**DEFAULTS, **(settings or {})}
        check(chosen)
        self._preset = _preset(chosen["preset"])
        self._plugin: str | None = chosen["plugin"]
        self._place = chosen["answer"]
        self._max_boxes: int | None = chosen["max_boxes"]
        self._repetition: bool = chosen["repetition"]
        self._strictness: str = chosen.get("strictness", STANDARD)
        self._equal: Remembered[tuple[str, str, str | None], bool] = Remembered()
        self._grades: Remembered[tuple[str, str, bool, str | None], Grade] = Remembered()

    def grade(
        self, gold: str, response: str, *, truncated: bool, prompt: str | None = None
    ) -> Grade:
        """Return the grade of a response, without its end token, against the gold answer.

        `truncated`: the end token never came, so that the response is malformed. `prompt` is for
        plug-ins that ask for it.
        """
        prompt = prompt if self._plugin else None
        if len(response) > _SHORT:
            return self._grade(gold, response, truncated, prompt)
        key = (gold, response, truncated, prompt)
        grade = self._grades.get(key)
        if grade is None:
            grade = self._grades[key] = self._grade(gold, response, truncated, prompt)
        return grade

    def ready(self) -> None:
        """Import what decides, so that a missing plug-in is an InputError now, not later."""
        _ = self._judge

    def _grade(self, gold: str, response: str, truncated: bool, prompt: str | None) -> Grade:
        rule = self._broken_rule(response, truncated)
        answer = self._answer(response) if len(response) <= MAX_CHARACTERS else None
        if self._is_ours and self._place == "box" and answer is not None:
            answer = alternatives(response) or answer
        if not rule and answer is None:
            rule = "no-box"  # a box that never closes
        if rule or answer is None:
            return Grade("malformed", rule, answer, rule)
        if self.is_equal(gold, answer, prompt):
            return Grade("correct", "", answer)
        if not self._is_ours:
            return Grade("incorrect", "", answer, "different" if gold.strip() else "no-gold")
        joined = _joined(gold, response) if self._place == "box" else None
        if joined is not None and self.is_equal(gold, joined):
            return Grade("correct", "", joined)
        return Grade("incorrect", "", answer, why_not(gold, answer, self._strictness))

    @cached_property
    def _judge(self) -> Callable[[str, str, str | None], bool]:
        """What decides; a plug-in is imported when it is first used, in a worker."""
        if self._plugin:
            return load(self._plugin)
        if self._preset:
            with heavy_imports():  # which no pair's time must pay for
                import math_verify  # noqa: F401

            same: Callable[[str, str], bool] = self._preset.equal
            return lambda gold, answer, prompt: same(gold, answer)
        return lambda gold, answer, prompt: equal(gold, answer, self._strictness)

    @property
    def _is_ours(self) -> bool:
        """Whether the equality is this package's own, whose short pairs are bounded."""
        return self._preset is None and self._plugin is None

    def _broken_rule(self, response: str, truncated: bool) -> str:
        if self._preset:
            return str(self._preset.broken_rule(response, truncated))
        return broken_rule(
            response,
            truncated=truncated,
            max_boxes=self._max_boxes,
            repetition=self._repetition,
            boxed=self._place == "box",
        )

    def _answer(self, response: str) -> str | None:
        find: Callable[[str], str | None] = (
            self._preset.last_box if self._preset else PLACES[self._place]
        )
        return find(response)

    def is_equal(self, gold: str, answer: str, prompt: str | None = None) -> bool:
        """Tell whether an extracted answer is the gold one; each pair is judged once.

        A subclass may decide otherwise (`limr.grading.screen`).
        """
        key = (gold, answer, prompt)
        found = self._equal.get(key)
        if found is None:
            found = self._equal[key] = self._judge(gold, answer, prompt)
        return found


def _joined(gold: str, response: str) -> str | None:
    """Return the last boxes joined, where the gold answer is a list or a set of as many."""
    value = answers.read(gold)
    if not isinstance(value, Listing) or value.opening not in ("", "\\{"):
        return None
    return joined_boxes(response, len(value.items))


def _preset(name: str) -> ModuleType | None:
    """Import another rule when it is needed: `broken_rule`, `last_box` and `equal`."""
    if name == "paper":
        from limr.grading import paper

        return paper
    if name == "math-verify":
        from limr.grading import library

        return library
    return None

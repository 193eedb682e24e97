"""How the verdicts of shown answers were reached: the grader is asked again when the page is made.

Nothing of it is recorded, so that results do not depend on it. Only answers that the evaluation's
grader has compared within its limits are asked for, and only so many.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from limr.core import safe_text
from limr.grading.equality import explained
from limr.grading.outcomes import NOT_UNDERSTOOD
from limr.grading.strictness import STANDARD

MOST, SECONDS, LONGEST = 10_000, 10, 300  # answers, of the processor, characters of an answer
_SHOWN = 120  # characters of a rule


class Explanations:
    """Texts such as `expression: numbers and units`, each once in `texts`.

    `graders` are the settings of each benchmark's grader (`limr.grading.settings`); of another rule
    than ours, a preset or a plug-in, nothing is said.
    """

    def __init__(self, graders: Mapping[str, Mapping[str, Any]]) -> None:
        self.texts: dict[str, int] = {}  # with their places
        self.is_whole = True  # no answer was left out for the limits
        self._graders, self._left = graders, MOST
        self._until = time.process_time() + SECONDS

    def place(
        self, benchmark: str, gold: str, answer: str, verdict: str, reason: str | None
    ) -> int | None:
        """Return the place in `texts` of how a verdict was reached; None where that is not known.

        `reason` is None for evaluations of versions that did not record it.
        """
        grader = self._graders.get(benchmark, {})
        is_ours = grader.get("preset") == "default" and not grader.get("plugin")
        if not is_ours or reason is None:
            return None
        if not self._left or time.process_time() > self._until:
            self.is_whole = False
        if not self.is_whole or max(len(gold), len(answer)) > LONGEST:
            return None
        self._left -= 1
        found = explained(gold, answer, verdict, reason, grader.get("strictness", STANDARD))
        if found is None:
            return None
        unread = "not understood, " if found.outcome == NOT_UNDERSTOOD else ""
        text = safe_text.bounded(f"{unread}{found.kind}: {found.rule}", _SHOWN)
        return self.texts.setdefault(text, len(self.texts))

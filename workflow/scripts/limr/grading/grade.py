"""The grader: one response against one gold answer gives one verdict."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Grade:
    """`verdict` is one of `limr.records.VERDICTS`.

    `format` names the broken format rule where the verdict is malformed, else "". `answer` is the
    extracted answer, None where there is none.
    """

    verdict: str
    format: str
    answer: str | None


class Grader:
    """Grades responses, remembering verdicts by (gold, extracted answer).

    Args:
        settings: the study's `grader`: {"max_boxes": int, ...} (see workflow/schemas).
    """

    def __init__(self, settings: dict[str, object] | None = None) -> None: ...

    def grade(self, gold: str, response: str, *, truncated: bool) -> Grade:
        """Return the grade of `response` against the gold answer `gold`."""
        raise NotImplementedError

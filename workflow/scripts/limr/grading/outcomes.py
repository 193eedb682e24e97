"""What a comparison of two answers may come to."""

from __future__ import annotations

from dataclasses import dataclass

EQUAL, DIFFERENT, NOT_UNDERSTOOD = "equal", "different", "not understood"
UNREAD = "not-understood"  # why a verdict is incorrect: the outcome is NOT_UNDERSTOOD


@dataclass(frozen=True)
class Judgement:
    """`outcome` is equal, different or not understood; `kind` the type, `rule` how it was found."""

    outcome: str
    kind: str
    rule: str

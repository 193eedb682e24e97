r"""math-verify alone as a preset, the way most projects call it: gold and answer between `$`.

A second opinion, not a reward: its only format rules are the box and the end token, it has none of
our own notation, names or units, and what its algebra cannot read equals nothing.
"""

from __future__ import annotations

from limr.grading import boxes, guards, paper
from limr.grading.formats import MAX_CHARACTERS, box_count

last_box = boxes.last_box


def broken_rule(response: str, truncated: bool) -> str:
    """Return `truncated`, `too-long`, `no-box` or ""."""
    if truncated:
        return "truncated"
    if len(response) > MAX_CHARACTERS:
        return "too-long"
    return "" if box_count(response) else "no-box"


def equal(gold: str, answer: str) -> bool:
    """Tell whether math-verify takes an answer for the gold one; costly texts equal nothing."""
    if max(len(gold), len(answer)) > paper.MAX_ANSWER:
        return False
    texts = (f"${gold}$", f"${answer}$")
    if not all(guards.is_cheap(text.replace("**", "^")) for text in texts):
        return False
    return paper.same(*map(paper.parsed, texts))

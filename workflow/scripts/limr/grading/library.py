r"""math-verify alone as a preset, the way most projects call it: gold and answer between `$`.

A second opinion, not a reward: its only format rules are the box and the end token, it has none of
our own notation, names or units, and what its algebra cannot read equals nothing.
"""

from __future__ import annotations

from limr.grading import boxes, formats, guards, paper

last_box = boxes.last_box


def broken_rule(response: str, truncated: bool) -> str:
    """Return `truncated`, `too-long`, `no-box` or ""."""
    if truncated:
        return "truncated"
    if formats.is_too_long(response):
        return "too-long"
    return "no-box" if formats.has_no_box(response) else ""


def equal(gold: str, answer: str) -> bool:
    """Tell whether math-verify takes an answer for the gold one; costly texts equal nothing."""
    if max(len(gold), len(answer)) > paper.MAX_ANSWER:
        return False
    texts = (f"${gold}$", f"${answer}$")
    if not all(guards.is_cheap(text.replace("**", "^")) for text in texts):
        return False
    return paper.readings_agree(*map(paper.parsed, texts))

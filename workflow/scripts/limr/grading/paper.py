r"""The published reward (GAIR-NLP/LIMR at 98ebf1b) as a preset: its format rules and its equality.

Written from the description of its behaviour, and measured against it. It differs from our own
grader: it gives math-verify the BARE text, without `$`, so that only numbers at the start of a
text, `\frac{1}{2}` and texts with their own delimiters are read. `3\sqrt{13}` is read as 3,
`(3,\pi/2)` as 3, and `p-q` and `\dfrac{1}{2}` as nothing. docs/gold-audit.md says what that costs.

A gold answer is **dead** if its bare text is read as nothing: every reading of the gold answer is
compared with every reading of the response's, there is no such pair, and no response can be
rewarded. It is **lossy** if it is read as something that math-verify does not take for the same
text between dollar signs: a fragment of it decides. Answers that the published server read within 2
seconds are judged as there; its time limit did not take effect, ours does (see `equal`).
"""

from __future__ import annotations

import logging
import re
import threading
from functools import cache, lru_cache
from typing import Any

from limr.grading import formats, guards, two_stages

MAX_BOXES = 4
MAX_ANSWER = 4_000  # of an answer; longer ones equal nothing
SECONDS = 2  # for one reading or comparison, where signals work
MAX_NESTED = 3  # levels of braces within a box that its pattern can follow
_WHOLE = re.compile(r"-?[1-9]\d{0,2}|0")  # read as it is written, with or without dollar signs
# What math-verify hands to an algebra system: delimited LaTeX, and plain arithmetic.
_DELIMITED = re.compile(r"\$|\\\(|\\\[|\\boxed|\[")
_PLAIN = re.compile(r"[-\d][\d.\s+\-*×/^()÷]*")


def broken_rule(response: str, truncated: bool) -> str:
    r"""Return the published format rule that a response breaks, or "".

    Args:
        response: what the policy wrote, without the end token; white space around it is no part.
        truncated: the end token never came.

    Returns:
        truncated, too-long (ours: it would not be read in time), no-box (also a box that never
        closes, or with more than three levels of braces in it), too-many-boxes, garbled, repeated,
        or "".
    """
    if truncated:
        return "truncated"
    if formats.is_too_long(response):
        return "too-long"
    text = response.strip()
    if formats.has_no_box(text):
        return "no-box"
    if formats.has_too_many_boxes(text, MAX_BOXES):
        return "too-many-boxes"
    if formats.is_garbled(text):
        return "garbled"
    if is_repeated(text):
        return "repeated"
    return "no-box" if last_box(text) is None else ""


def is_repeated(text: str) -> bool:
    r"""Tell whether the published pattern `(.{5,}?)\1{4,}` is found; see `formats.repeats`."""
    return any(formats.repeats(line) for line in text.split("\n"))


def last_box(text: str) -> str | None:
    r"""Return the content of the last box that the published pattern finds, None without one.

    Boxes are sought from the left and do not overlap: the inner one of two nested boxes is not
    found. Every brace counts; where that leaves a box open or too deep, escaped ones may be
    ignored.
    """
    found, position, opening = None, 0, "\\boxed{"
    while (start := text.find(opening, position)) >= 0:
        position = start + len(opening)
        end = _closing(text, position)
        if end is not None:
            found, position = text[position:end], end + 1
    return found


def _closing(text: str, start: int) -> int | None:
    """Return where the box whose content begins at `start` closes, None where it cannot.

    The search is that of the pattern, in its order of preference, but no state (position, depth)
    is entered twice, so that it is linear.
    """
    states, seen = [(start, 0)], set()
    while states:
        position, depth = states.pop()
        if position >= len(text) or (position, depth) in seen:
            continue
        seen.add((position, depth))
        character = text[position]
        if character == "}":
            if depth == 0:
                return position
            states.append((position + 1, depth - 1))
        elif character == "{":
            if depth < MAX_NESTED:
                states.append((position + 1, depth + 1))
        else:
            if text[position : position + 2] in ("\\{", "\\}") and depth < MAX_NESTED:
                states.append((position + 2, depth))
            states.append((position + 1, depth))
    return None


def equal(gold: str, answer_text: str) -> bool:
    """Tell whether the published reward takes the content of the last box for the gold answer.

    Each reading and the comparison has 2 seconds in the main thread, as the paper meant; in other
    threads no signal can come, and what is costly is computed in neither: it equals nothing.
    """
    if max(len(gold), len(answer_text)) > MAX_ANSWER:
        return False
    if is_costly(gold) or is_costly(answer_text):
        return False
    return readings_agree(_read(gold), parsed(answer_text))


def is_dead(gold: str) -> bool:
    """Tell whether no answer at all could be rewarded (see the module's docstring)."""
    return not _WHOLE.fullmatch(gold) and not _read(gold)


def is_lossy(gold: str) -> bool:
    """Tell whether a fragment of the gold answer decides (see the module's docstring)."""
    if _WHOLE.fullmatch(gold) or not _read(gold):
        return False
    return not readings_agree(_read(f"${gold}$"), _read(gold))


def is_unread(gold: str) -> bool:
    """Tell whether math-verify finds no mathematics in an answer, between dollar signs or not."""
    if _WHOLE.fullmatch(gold):
        return False
    return all(isinstance(reading, str) for reading in (*_read(f"${gold}$"), *_read(gold)))


def reading(gold: str) -> str:
    """Return what the published reward reads of a gold answer, "" for nothing."""
    found = _read(gold)
    return str(found[0]) if found else ""


def forget() -> None:
    """Forget how gold answers were read: a reading that ran out of time may do better later."""
    _read.cache_clear()


def parsed(text: str) -> Any:
    """Return math-verify's readings of an unchanged text, [] where there are none."""
    quiet()
    two_stages.install()
    from math_verify import parse

    try:
        return parse(text, parsing_timeout=limit(SECONDS))
    except Exception:  # noqa: BLE001 - a text that cannot be read is read as nothing
        return []


@lru_cache(maxsize=40_000)
def _read(gold: str) -> Any:
    """Return the readings of a gold answer, or of one between dollar signs; each is parsed once."""
    return parsed(gold)


def readings_agree(gold: Any, answer: Any) -> bool:
    from math_verify import verify

    try:
        return bool(verify(gold, answer, timeout_seconds=limit(SECONDS)))
    except Exception:  # noqa: BLE001 - as in the published reward, an error is a wrong answer
        return False


def is_costly(text: str) -> bool:
    """Tell whether what math-verify would compute of a bare text may not end."""
    if _DELIMITED.search(text):
        return not guards.is_cheap(text.replace("**", "^"))
    return any(
        not guards.is_cheap(found.group().replace("**", "^"))
        for found in _PLAIN.finditer(text)
        if "^" in found.group() or "**" in found.group()
    )


def limit(seconds: int) -> int | None:
    """Return a time limit for math-verify, None in a thread where no signal can keep it."""
    return seconds if threading.current_thread() is threading.main_thread() else None


@cache
def quiet() -> None:
    """Keep math-verify's warnings off stderr: time-outs and unreadable texts are ordinary here."""
    for name in ("math_verify", "latex2sympy2_extended"):
        logging.getLogger(name).setLevel(logging.ERROR)

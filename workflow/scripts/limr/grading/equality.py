"""Is an answer equal to the gold answer? Both are read as typed values, then compared by type."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from limr.grading import answers, boxes, evaluation
from limr.grading.comparison import compare
from limr.grading.nodes import is_literal
from limr.grading.outcomes import DIFFERENT, EQUAL, NOT_UNDERSTOOD, UNREAD, Judgement
from limr.grading.pairs import UNDONE
from limr.grading.pieces import stripped
from limr.grading.strictness import STANDARD
from limr.grading.tokens import NotUnderstoodError, has_groups, spelling, tokenise
from limr.grading.values import Quantity

_TIGHT = re.compile(r"\d,\d{3}")  # a gold list has blanks, or no groups of three digits
_ZEROS = re.compile(r"\d\s*,\s*0\d\d(?!\d)")  # no item of a list begins with a zero
REMEMBERED = 1_024  # judgements
COMPARED = ("", "different", UNREAD, "not-compared")  # reasons of compared answers


def equal(gold: str, answer: str, strictness: str = STANDARD) -> bool:
    """Tell whether two answers, as written, mean the same; an empty gold answer equals nothing.

    The relation is not symmetric: `answer` may name its variable where `gold` does not, and may
    not leave arithmetic undone where `gold` is a number.
    """
    return judge(gold, answer, strictness).outcome == EQUAL


def is_number(text: str) -> bool:
    """Tell whether a text writes out one number: digits, a fraction, a power of ten."""
    return _number(text) is not None


def _number(text: str) -> Fraction | None:
    value = answers.read(text, has_groups(text))
    if not isinstance(value, Quantity) or not is_literal(value.node):
        return None
    try:
        number = evaluation.real_value(value.node)
    except NotUnderstoodError:
        return None
    return number if isinstance(number, Fraction) else None


def is_plain(text: str) -> bool:
    """Tell whether a text has only numbers, letters, signs and fractions: a bounded comparison."""
    try:
        tokens = tokenise(text)
    except NotUnderstoodError:
        return True
    return all(
        token.kind in ("number", "letter", "mark") or token.text in ("frac", "cdot", "binom")
        for token in tokens
    )


def why_not(gold: str, answer: str, strictness: str = STANDARD) -> str:
    """Return why an answer is not equal: no-gold, different, not-understood or not-compared.

    not-compared: arithmetic that was left undone.
    """
    if not gold.strip():
        return "no-gold"
    found = judge(gold, answer, strictness)
    if found.outcome == NOT_UNDERSTOOD:
        return UNREAD
    return "not-compared" if found.rule == UNDONE else "different"


def explained(
    gold: str, answer: str | None, verdict: str, reason: str, strictness: str = STANDARD
) -> Judgement | None:
    """Return how a verdict of `limr.grading.grade.Grade` was reached, asked again.

    None where the answers were not compared (a format rule, a limit), or are judged otherwise now.
    """
    if answer is None or verdict == "malformed" or reason not in COMPARED:
        return None
    found = judge(gold, answer, strictness)
    return found if (found.outcome == EQUAL) == (verdict == "correct") else None


def form(text: str) -> str:
    """Return a spelling that equal numbers share, whatever their units; else the text's own."""
    number = _number(text)
    if number is not None and len(text) <= answers.MAX_ANSWER:
        return str(number)
    try:
        return _spelled(text[: answers.MAX_ANSWER])
    except NotUnderstoodError:
        return " ".join(text.split())


@lru_cache(maxsize=REMEMBERED)
def judge(gold: str, answer: str, strictness: str = STANDARD) -> Judgement:
    """Compare two answers: equal, different or not understood, with the type and the rule.

    `strictness` is one of `limr.grading.strictness.STRICTNESS`.
    """
    if not gold.strip():
        return Judgement(DIFFERENT, "nothing", "there is no gold answer")
    if max(len(gold), len(answer)) > answers.MAX_ANSWER:
        return Judgement(NOT_UNDERSTOOD, "text", "an answer that is too long")
    if not answer.strip():
        return Judgement(DIFFERENT, "nothing", "there is no answer")
    if gold.count("\\boxed") == 1 and gold != answer:
        gold = boxes.last_box(gold) or gold
    if _is_as_written(gold, answer):
        return Judgement(EQUAL, "text", "as written")
    found = Judgement(DIFFERENT, "text", "")
    for grouped in _readings(gold) if _TIGHT.search(gold) else (False,):
        for also in _readings(answer):
            values = answers.read(gold, grouped), answers.read(answer, also)
            found = compare(*values, strictness)
            if found.outcome == EQUAL:
                return found
        if isinstance(values[0], Quantity) and values[0].unit and values[0].unit.is_known:
            spelled_out = answers.read_with_units(answer)
            if spelled_out and compare(values[0], spelled_out, strictness).outcome == EQUAL:
                return Judgement(EQUAL, "expression", "a unit in letters")
    return found


def _readings(text: str) -> tuple[bool, ...]:
    """Return the readings of commas: `1,234` is one number, or else two."""
    if _ZEROS.search(text):
        return (True,)
    return (False, True) if has_groups(text) else (False,)


def _is_as_written(gold: str, answer: str) -> bool:
    """Tell whether two answers have the same tokens."""
    if gold.strip() == answer.strip():
        return True
    try:
        return _spelled(gold) == _spelled(answer)
    except NotUnderstoodError:
        return False


def _spelled(text: str) -> str:
    return spelling(stripped(tokenise(text)))

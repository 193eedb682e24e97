"""Is an answer equal to the gold answer? Exact paths first, algebra last."""

from __future__ import annotations

import re

from limr.grading import algebra, guards
from limr.grading.exact import compare_numbers, rational, split_list
from limr.grading.normalise import compact, label, last_value, normalise, split_name, wording

MAX_ANSWER = 4_000  # characters; longer ones are not looked into
_WORDS = re.compile(r"[A-Za-z][A-Za-z' .-]*")


def equal(gold: str, answer: str) -> bool:
    """Tell whether two answers, as written, mean the same; an empty gold answer equals nothing.

    The relation is not symmetric: `answer` may name its variable where `gold` does not, and may
    not leave arithmetic undone where `gold` is a number.
    """
    if max(len(gold), len(answer)) > MAX_ANSWER or not gold.strip():
        return False
    if compact(gold.strip()) == compact(answer.strip()) or wording(gold) == wording(answer):
        return True
    left, right = _values(normalise(gold), normalise(answer))
    if not left or not right:
        return False
    if compact(left) == compact(right):
        return True
    decided = compare_numbers(left, right)
    if decided is None:
        decided = _compare_wording(left, right)
    return _by_algebra(left, right) if decided is None else decided


def _values(gold: str, answer: str) -> tuple[str, str]:
    """Take off names: `x = 5` is compared with 5 by the value, with `y = 5` as it stands."""
    gold_name, gold_value = split_name(gold)
    if not gold_name and "=" in gold:
        return gold, answer
    answer_name, answer_value = split_name(answer)
    if not answer_name:
        answer_value = last_value(answer)
    if gold_name and answer_name and compact(gold_name) != compact(answer_name):
        return gold, answer
    return gold_value, answer_value


def _compare_wording(gold: str, answer: str) -> bool | None:
    """Compare choices such as (C) and words such as even; None for anything else."""
    letter = label(gold)
    if letter is not None and label(answer) is not None:
        return letter == label(answer)
    if len(gold) > 2 and _WORDS.fullmatch(gold):
        same = gold.casefold().strip(". ") == answer.casefold().strip(". ")
        return same or (None if "\\" in answer else False)
    return None


def _by_algebra(gold: str, answer: str) -> bool:
    if not (guards.is_cheap(gold) and guards.is_cheap(answer)):
        return False
    if rational(gold) is not None and guards.is_no_value(answer):
        return False
    if len(split_list(gold)[1]) != len(split_list(answer)[1]) and "\\pm" not in gold + answer:
        return False
    return algebra.equal(gold, answer)

"""Is an answer equal to the gold answer? Exact paths first, algebra last."""

from __future__ import annotations

import re

from limr.grading import algebra, guards, names, regions
from limr.grading.exact import compare_numbers, rational, split_list
from limr.grading.normalise import compact, normalise, same_unit, wording

MAX_ANSWER = 4_000  # characters; longer answers are not compared
MAX_ITEMS = 8  # of a list that is compared item by item
MAX_LEVELS = 2  # of lists within lists that are compared item by item
MAX_QUESTIONS = 24  # to the algebra system about one pair of lists
_WORDS = re.compile(r"[A-Za-z\u4e00-\u9fff][A-Za-z\u4e00-\u9fff' .-]*")
_ARTICLE = re.compile(r"(?:an?|the)\s+", re.IGNORECASE)


def equal(gold: str, answer: str) -> bool:
    """Tell whether two answers, as written, mean the same; an empty gold answer equals nothing.

    The relation is not symmetric: `answer` may name its variable where `gold` does not, and may
    not leave arithmetic undone where `gold` is a number.
    """
    if max(len(gold), len(answer)) > MAX_ANSWER or not gold.strip():
        return False
    if compact(gold.strip()) == compact(answer.strip()) or wording(gold) == wording(answer):
        return True
    if not same_unit(gold, answer):
        return False
    left, right = _values(normalise(gold), normalise(answer))
    return bool(left) and bool(right) and _Comparison().same(left, right)


def why_not(gold: str, answer: str) -> str:
    """Return why an answer is not equal: no-gold, not-compared (guards, length) or different."""
    if not gold.strip():
        return "no-gold"
    if max(len(gold), len(answer)) > MAX_ANSWER:
        return "not-compared"
    left, right = _values(normalise(gold), normalise(answer))
    if not left or not right or compare_numbers(left, right) is not None:
        return "different"
    if _compare_wording(left, right) is not None:
        return "different"
    undone = rational(left) is not None and guards.is_no_value(right)
    cheap = guards.is_cheap(left) and guards.is_cheap(right)
    return "different" if cheap and not undone else "not-compared"


def _values(gold: str, answer: str) -> tuple[str, str]:
    """Remove names: `x = 5` is compared with 5 by its value, and with `y = 5` unchanged."""
    gold, answer = (
        names.number_word_as_digits(gold),
        names.number_word_as_digits(names.without_opening(answer)),
    )
    if regions.is_region(gold) or regions.is_region(answer):
        return gold, answer
    labelled = names.labelled(answer)
    if labelled and names.label(gold) is None and not names.labelled(gold):
        answer = labelled[1]
    if "=" not in gold:
        answer = names.named_items(answer)
        if gold.startswith("("):
            answer = names.point(answer)
    elif "=" not in answer:
        gold = names.named_items(gold)
    gold_name, gold_value = names.split_name(gold)
    if not gold_name and "=" in gold:
        return gold, answer
    if gold_name.startswith("("):
        answer = names.named_items(answer)
    answer_name, answer_value = names.split_name(answer)
    if not answer_name:
        if gold_name and answer.count("=") == 1:
            return gold, answer
        answer_value = normalise(names.last_value(answer))
    if gold_name and answer_name and compact(gold_name) != compact(answer_name):
        return gold, answer
    return gold_value, answer_value


def _compare_wording(gold: str, answer: str) -> bool | None:
    """Compare choices such as (C) and words such as even; None for anything else."""
    letter, other = names.label(gold), names.label(answer)
    with_value = names.labelled(gold), names.labelled(answer)
    if letter is not None and (other or with_value[1]):
        return letter == (other or (with_value[1] or [""])[0])
    if other is not None and with_value[0]:
        return with_value[0][0] == other
    if len(gold) > 1 and _WORDS.fullmatch(gold) and (len(gold) > 2 or not gold.isascii()):
        left, right = (_ARTICLE.sub("", text.strip(". ").casefold()) for text in (gold, answer))
        return left == right or (None if "\\" in answer else False)
    return None


def _both_signs(text: str) -> str:
    r"""Write `1 \pm x` as the list of both values; a text with several signs is left unchanged."""
    opening, items, closing = split_list(text)
    if "\\mp" in text or "\\pm" not in text or opening not in ("", "\\{"):
        return text
    spread = []
    for item in items:
        signs = ("+", "-") if item.count("\\pm") == 1 else ("\\pm",)
        spread += [item.replace("\\pm", sign).lstrip("+ ") for sign in signs]
    return f"{opening} {', '.join(spread)} {closing}".strip()


class _Comparison:
    """One comparison of two normalised texts, with a bound on the work that it may take."""

    def __init__(self) -> None:
        self._questions = MAX_QUESTIONS

    def same(self, gold: str, answer: str, level: int = 0) -> bool:
        """Compare two normalised texts, lists item by item down to `MAX_LEVELS`."""
        if compact(gold) == compact(answer):
            return True
        decided = compare_numbers(gold, answer)
        if decided is None:
            decided = _compare_wording(gold, answer)
        if decided is None and level < MAX_LEVELS:
            decided = self._compare_regions(gold, answer, level)
            if decided is None:
                decided = self._compare_items(gold, answer, level)
        return self._by_algebra(gold, answer) if decided is None else decided

    def _compare_regions(self, gold: str, answer: str, level: int) -> bool | None:
        """Compare inequalities and unions of intervals; None where algebra has to decide."""
        if not (regions.is_region(gold) or regions.is_region(answer)):
            return None
        left, right = regions.parts(gold), regions.parts(answer)
        if not left or not right or len(left) != len(right):
            return None
        letters = {part.letter for part in left + right if part.letter}
        if len(letters) > 1:
            return False
        rest = list(right)
        for part in left:
            found = next((one for one in rest if self._same_part(part, one, level)), None)
            if found is None:
                return None
            rest.remove(found)
        return True

    def _same_part(self, first: regions.Part, second: regions.Part, level: int) -> bool:
        if (first.opening, first.closing) != (second.opening, second.closing):
            return False
        ends = ((first.low, second.low), (first.high, second.high))
        return all(self.same(end, other, level + 1) for end, other in ends)

    def _compare_items(self, gold: str, answer: str, level: int) -> bool | None:
        r"""Compare lists item by item: in order in brackets, in any order otherwise.

        None where one is no list, and where algebra has to decide, as in `\{1, 1, x\}`.
        """
        opening, items, closing = split_list(_both_signs(gold))
        other_opening, others, other_closing = split_list(_both_signs(answer))
        if min(len(items), len(others)) < 2:
            return None
        if "\\{" in (opening, other_opening) and not {opening, other_opening} <= {"", "\\{"}:
            return False
        if len(items) != len(others) or len(items) > MAX_ITEMS:
            return None
        bracketed = opening not in ("", "\\{")
        if bracketed or other_opening not in ("", "\\{"):
            if opening and other_opening and (opening, closing) != (other_opening, other_closing):
                return False
            pairs = zip(items, others, strict=True)
            return all(self.same(item, other, level + 1) for item, other in pairs)
        rest = list(others)
        for item in items:
            found = next((other for other in rest if self.same(item, other, level + 1)), None)
            if found is None:
                return None
            rest.remove(found)
        return True

    def _by_algebra(self, gold: str, answer: str) -> bool:
        if not (guards.is_cheap(gold) and guards.is_cheap(answer)):
            return False
        if rational(gold) is not None and guards.is_no_value(answer):
            return False
        if len(split_list(gold)[1]) != len(split_list(answer)[1]) and "\\pm" not in gold + answer:
            return False
        self._questions -= 1
        return self._questions >= 0 and algebra.equal(gold, answer)

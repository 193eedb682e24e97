r"""Exact comparison without an algebra system: numbers as fractions, lists and tuples of them."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

MAX_DIGITS = 400
Value = Fraction | tuple[str, tuple[Any, ...], str]
_UNORDERED = ("", "\\{")
_DECIMAL = re.compile(r"([+-]?)\s*(\d*)(?:\.(\d*))?")
_FRACTION = re.compile(
    r"([+-]?)\s*(\d+\s+|\d+(?=\\))?(?:\\frac\s*\{\s*([+-]?)\s*(\d*(?:\.\d+)?)\s*\}"
    r"\s*\{\s*([+-]?)\s*(\d*(?:\.\d+)?)\s*\}"
    r"|(?:\(?\s*([+-]?)(\d+)\s*\)?\s*/\s*\(?([+-]?)(\d+)\)?))"
)
_SCIENTIFIC = re.compile(
    r"(?:([+-]?\d+(?:\.\d+)?)\s*(?:\\times|\\cdot|\*)\s*)?10\s*\^\s*\{?\s*([+-]?\d{1,3})\s*\}?"
)
_REPEATING = re.compile(
    r"([+-]?)\s*(\d*)\.(\d*)(?:\\(?:overline|bar|dot)\s*(?:\{\s*(\d+)\s*\}|(\d))"
    r"|\\dot\s*\{?(\d)\}?(\d*)\\dot\s*\{?(\d)\}?)"
)
_BASE = re.compile(r"\(?(-?[0-9A-Za-z]+)\)?_\{?(\d{1,2}|[a-z]{3,11})\}?")
_BASE_WORDS = {
    **{"two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8"},
    **{"nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "sixteen": "16"},
}


def rational(text: str) -> Fraction | None:
    r"""Return the number that a normalised text writes, None where it is not just a number.

    Whole numbers, decimals, `a/b`, `\frac{a}{b}`, mixed numbers and `1.5 \times 10^3`; no
    arithmetic, no rounding, no letters.
    """
    if len(text) > MAX_DIGITS:
        return None
    text = _bare(text)
    decimal = _DECIMAL.fullmatch(text)
    if decimal:
        sign, whole, part = decimal.groups(default="")
        if not whole and not part:
            return None
        value = Fraction(int(whole + part), 10 ** len(part))
        return -value if sign == "-" else value
    fraction = _FRACTION.fullmatch(text)
    if fraction:
        return _fraction(fraction)
    repeating = _REPEATING.fullmatch(text)
    if repeating:
        return _repeating(*repeating.groups(default=""))
    scientific = _SCIENTIFIC.fullmatch(text)
    if scientific:
        return Fraction(scientific.group(1) or 1) * Fraction(10) ** int(scientific.group(2))
    return None


def _bare(text: str) -> str:
    """Remove white space and round brackets around a number."""
    text = text.strip()
    while text.startswith("(") and text.endswith(")") and not set("(),") & set(text[1:-1]):
        text = text[1:-1].strip()
    return text


def _fraction(found: re.Match[str]) -> Fraction | None:
    sign, whole, *parts = found.groups(default="")
    first, second = parts[:4], parts[4:]
    above, top, below, bottom = first if any(first) else second
    if top in ("", ".") or bottom in ("", ".") or (whole and (above or below)):
        return None
    if Fraction(bottom) == 0:
        return None
    value = Fraction(top) / Fraction(bottom) + int(whole or 0)
    return -value if [sign, above, below].count("-") % 2 else value


def _repeating(sign: str, whole: str, part: str, *periods: str) -> Fraction:
    r"""Return the value of `0.8\overline{3}`: what comes before the period, and the period."""
    period = "".join(periods)
    size = 10 ** len(part)
    value = Fraction(int(whole + part or "0"), size)
    value += Fraction(int(period), size * (10 ** len(period) - 1))
    return -value if sign == "-" else value


def split_list(text: str) -> tuple[str, list[str], str]:
    r"""Split a list at its outer commas into (opening, items, closing).

    `(1, 2)` gives ("(", ["1", "2"], ")"); `1, 2` gives ("", ["1", "2"], ""); a text that is no list
    gives itself as the only item.
    """
    text = text.strip()
    for opening, closing in (("\\{", "\\}"), ("(", ")"), ("[", "]"), ("(", "]"), ("[", ")")):
        if text.startswith(opening) and text.endswith(closing):
            inner = text[len(opening) : len(text) - len(closing)]
            items = _split(inner)
            if items is not None and len(items) > 1:
                return opening, items, closing
    return "", _split(text) or [text], ""


def _split(text: str) -> list[str] | None:
    """Split at commas and semicolons outside brackets; None where brackets close too early."""
    items, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if depth < 0:
            return None
        if depth == 0 and character in ",;":
            items.append(text[start:position].strip())
            start = position + 1
    items.append(text[start:].strip())
    return items if depth == 0 and all(items) else None


def compare_numbers(gold: str, answer: str) -> bool | None:
    """Compare two normalised texts as numbers or lists of numbers; None if one is neither."""
    left, right = rational(gold), rational(answer)
    if left is not None and right is not None:
        return left == right
    base = _compare_bases(gold, answer)
    if base is None and ":" in gold:
        base = _compare_ratios(gold, answer)
    return _compare_lists(gold, answer) if base is None else base


def _compare_bases(gold: str, answer: str) -> bool | None:
    """Compare `204_5` with `204_{5}` or with 204: the same digits and no other base."""
    left = _BASE.fullmatch("".join(gold.split()))
    if left is None:
        return None
    right = _BASE.fullmatch("".join(answer.split()))
    if right is None:
        return left.group(1) == answer.strip() or (False if rational(answer) is not None else None)
    bases = [_BASE_WORDS.get(found.group(2), found.group(2)) for found in (left, right)]
    return left.group(1) == right.group(1) and bases[0] == bases[1]


def _compare_ratios(gold: str, answer: str) -> bool | None:
    """Compare `3:4` with `3:4` or `3 to 4`: in proportion, term by term."""
    terms = [rational(term) for term in gold.split(":")]
    others = [rational(term) for term in re.split(r":|\bto\b", answer)]
    if not 2 <= len(terms) == len(others) or not all(terms) or not all(others):
        return None
    return len({a / b for a, b in zip(terms, others, strict=True) if a and b}) == 1


def _compare_lists(gold: str, answer: str) -> bool | None:
    left, right = _value(gold), _value(answer)
    if not isinstance(left, tuple) or not isinstance(right, tuple):
        return None
    if left[0] in _UNORDERED and right[0] in _UNORDERED:
        return set(left[1]) == set(right[1])
    if "\\{" in (left[0], right[0]):
        return False  # a set is no pair and no interval
    if not left[0] or not right[0]:  # a list without brackets keeps its order
        return left[1] == right[1] and "[" not in (left[0], right[0])
    return left == right


def _value(text: str) -> Value | None:
    """Return a number, or (opening, values, closing) of a list of them; None for anything else."""
    number = rational(text)
    if number is not None:
        return number
    opening, items, closing = split_list(text)
    if len(items) < 2:
        return None
    values = [_value(item) for item in items]
    if any(value is None for value in values):
        return None
    return opening, tuple(values), closing

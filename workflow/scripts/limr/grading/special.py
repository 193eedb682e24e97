"""Notations of their own: times of day, numbers in a base, residues, dates."""

from __future__ import annotations

import re
from fractions import Fraction

from limr.grading import evaluation, phrases
from limr.grading.expressions import Parser
from limr.grading.nodes import Node, symbol
from limr.grading.tokens import NotUnderstoodError, Token
from limr.grading.values import Based, Clock, Quantity, Relation, Residue, Text, Value
from limr.grading.words import in_order

_BASE_WORDS = {
    word: number
    for number, word in enumerate(
        in_order("two three four five six seven eight nine ten eleven twelve"),
        start=2,
    )
} | {"sixteen": 16}
_NAMED_BASES = {"binary": "2", "octal": "8", "decimal": "10", "hexadecimal": "16"}
_NAMED_TIMES = {"noon": "pm", "midday": "pm", "midnight": "am"}
_MONTHS = in_order(
    "january february march april may june july august september october november december"
)


def clock(tokens: list[Token]) -> Clock | None:
    """Read `6 p.m.`, `18:00` and `noon`."""
    shown = [token.text.casefold() for token in tokens]
    if shown[-1] in _NAMED_TIMES and shown[:-1] in ([], ["12"], ["12", ":", "00"]):
        return Clock(12, 0, _NAMED_TIMES[shown[-1]])
    half = shown.pop() if shown[-1] in ("am", "pm") else ""
    if half and len(shown) >= 1 and shown[-1] == ".":
        shown.pop()
    if len(tokens) >= 4 and [t.text.casefold() for t in tokens[-2:]] in (["a", "m"], ["p", "m"]):
        half, shown = "".join(t.text.casefold() for t in tokens[-2:]), shown[:-2]
    is_time = len(shown) == 3 and shown[1] == ":" and len(shown[2]) == 2
    if not (is_time or (half and len(shown) == 1)) or not all(t.isdecimal() for t in shown[::2]):
        return None
    hour, minute = int(shown[0]), int(shown[2]) if is_time else 0
    return Clock(hour, minute, half) if hour < 25 and minute < 60 else None


def based(tokens: list[Token]) -> Based | None:
    shown = [token.text for token in tokens]
    lowered = [text.casefold() for text in shown]
    if lowered[-2:-1] == ["in"] and lowered[-1] in _NAMED_BASES:
        shown = [*shown[:-1], "base", _NAMED_BASES[lowered[-1]]]
        lowered = [text.casefold() for text in shown]
    if "base" in lowered[1:]:
        shown = [text for text in shown if text not in ("(", ")", "in")]
        lowered = [text.casefold() for text in shown]
    if "base" in lowered[1:] and "_" not in shown:
        place = lowered.index("base", 1)
        digits, base = shown[:place], shown[place + 1 :]
        base = base[1:] if base[:1] == ["-"] else base
    elif "_" in shown[1:]:
        place = shown.index("_", 1)
        digits = shown[:place]
        base = [text for text in shown[place + 1 :] if text not in "{}()"]
    else:
        return None
    sign = "-" if digits[:1] == ["-"] else ""
    text = "".join(mark for mark in digits[len(sign) :] if mark not in "(){}")
    base_text = "".join(base).casefold().removeprefix("base")
    number = _BASE_WORDS.get(base_text) or (
        int(base_text) if base_text.isdecimal() and len(base_text) < 3 else 0
    )
    if not 2 <= number <= 36 or not re.fullmatch(r"[0-9]*(?:[0-9]|[0-9A-Z]{2,})[0-9A-Z]*", text):
        return None
    if max(int(digit, 36) for digit in text) >= max(number, 10):
        return None
    return Based(sign + text, number)


def residue(tokens: list[Token]) -> Value | None:
    places = [
        place
        for place, token in enumerate(tokens)
        if token.text.casefold() in ("pmod", "mod", "modulo")
    ]
    if len(places) != 1 or places[0] == 0:
        return None
    left = list(tokens[: places[0]])
    right = [token for token in tokens[places[0] + 1 :] if token.text not in ("{", "}", ")")]
    if left and left[-1].text == "(":
        left.pop()
    signs = [place for place, token in enumerate(left) if token.text in ("equiv", "=")]
    before, left = (left[: signs[-1]], left[signs[-1] + 1 :]) if signs else ([], left)
    if (
        not left
        or not right
        or not phrases.is_subject([t.text for t in before if t.kind == "word"])
    ):
        return None
    found = Residue(Parser(left).whole(), Parser(right).whole())
    if _is_wrong(before, found):
        raise NotUnderstoodError("another class")
    return found


def _is_wrong(before: list[Token], found: Residue) -> bool:
    r"""Tell whether a number before the sign is of another class, as in `5 \equiv 2 \pmod{4}`."""
    try:
        first, second, modulus = (
            evaluation.real_value(one)
            for one in (Parser(before).whole(), found.node, found.modulus)
        )
    except (NotUnderstoodError, ArithmeticError, ValueError):
        return False
    if not isinstance(first, Fraction) or not isinstance(second, Fraction):
        return False
    return isinstance(modulus, Fraction) and modulus != 0 and (first - second) % modulus != 0


def arrow(tokens: list[Token]) -> Relation | None:
    r"""Read `x \mapsto 2x` and `g: x \mapsto 2x` as a function's definition."""
    place = next((at for at, token in enumerate(tokens) if token.text == "mapsto"), 0)
    shown = [token.text for token in tokens[:place]]
    if not shown or shown[:-1] not in ([], [shown[0], ":"]) or tokens[place - 1].kind != "letter":
        return None
    name = shown[0] if len(shown) == 3 else "f"
    named = Quantity(Node("apply", (symbol(shown[-1]),), name=name))
    return Relation((named, Quantity(Parser(tokens[place + 1 :]).whole())), ("=",))


def date(tokens: list[Token]) -> Text | None:
    """Read `July 4, 1776` and `4 July 1776` as the same text."""
    months = [token.text.casefold() for token in tokens if token.text.casefold() in _MONTHS]
    rest = [token.text.casefold() for token in tokens if token.text.casefold() not in _MONTHS]
    rest = [
        text
        for text in rest
        if text not in (",", "th", "st", "nd", "rd", "of", "the", "^", "{", "}")
    ]
    if len(months) != 1 or not 1 <= len(rest) <= 2 or not all(text.isdecimal() for text in rest):
        return None
    return Text((months[0], *sorted(rest, key=len)))

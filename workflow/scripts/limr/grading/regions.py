r"""Inequalities in one letter and intervals, read alike: `x \ge 5` and `[5,\infty)`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from limr.grading.exact import split_list

MAX_PARTS = 8
_SIGN = re.compile(r"\\le\b|\\ge\b|<|>")
_LETTER = re.compile(r"[a-zA-Z]|\\(?:theta|alpha|beta|lambda)")
_UNION = re.compile(r"\\cup\b")
_REALS = "\\mathbb{R}"
# What is left of a condition in `\\{x \\mid x > 2\\}`.
_SUCH_THAT = re.compile(r"\\\{\s*([a-zA-Z])(?:\s*\\in\s*\\mathbb\{R\})?\s*[|:]\s*(.+)\\\}")
_MEMBER = re.compile(r"([a-zA-Z])\s*\\in\b\s*")


@dataclass(frozen=True)
class Part:
    """One interval: brackets, ends as texts, and the letter that it is for ("" for none)."""

    opening: str
    low: str
    high: str
    closing: str
    letter: str


def parts(text: str) -> list[Part] | None:
    """Return the intervals of a union, of a list of inequalities, or of one; None for neither."""
    set_of = _SUCH_THAT.fullmatch(text)
    text = set_of.group(2).strip() if set_of else text
    letter, member = "", _MEMBER.match(text)
    if member:
        letter, text = member.group(1), text[member.end() :]
    pieces = _UNION.split(text)
    if len(pieces) == 1:
        opening, items, _ = split_list(text)
        pieces = [text] if opening else items
    if len(pieces) > MAX_PARTS:
        return None
    found = [_inequality(piece.strip()) or _interval(piece.strip(), letter) for piece in pieces]
    return [part for part in found if part] if all(found) else None


def is_region(text: str) -> bool:
    """Tell whether a text gives its region by a union or by an inequality."""
    return bool(_UNION.search(text) or _SIGN.search(text) or text == _REALS)


def _interval(text: str, letter: str) -> Part | None:
    if text == _REALS:
        return Part("(", "-\\infty", "\\infty", ")", letter)
    if text[:1] not in ("(", "[") or text[-1:] not in (")", "]"):
        return None
    opening, items, closing = split_list(text)
    if len(items) != 2 or not opening:
        return None
    low, high = (item.removeprefix("+") for item in items)
    return Part(opening, low, high, closing, letter)


def _inequality(text: str) -> Part | None:
    signs = [sign.group() for sign in _SIGN.finditer(text)]
    terms = [term.strip() for term in _SIGN.split(text)]
    if not signs or len(signs) > 2 or not all(terms) or "=" in text or "," in text:
        return None
    down = [sign in (">", "\\ge") for sign in signs]
    if len(set(down)) > 1:
        return None
    if down[0]:
        terms, signs = terms[::-1], signs[::-1]
    strict = [sign in ("<", ">") for sign in signs]
    if len(signs) == 2:
        low, letter, high = terms
        if _LETTER.fullmatch(letter):
            return Part("([)"[not strict[0]], low, high, ")]"[not strict[1]], letter)
        return None
    if _LETTER.fullmatch(terms[0]):
        return Part("(", "-\\infty", terms[1], ")]"[not strict[0]], terms[0])
    if _LETTER.fullmatch(terms[1]):
        return Part("(["[not strict[0]], terms[0], "\\infty", ")", terms[1])
    return None

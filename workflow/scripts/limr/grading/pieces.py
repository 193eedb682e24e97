"""Rows of tokens: split at separators, freed of what surrounds them, read as words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from limr.grading import words
from limr.grading.tokens import NotUnderstoodError, Token
from limr.grading.values import Text
from limr.grading.words import listed

OPEN = listed(r"( [ { \{ langle lfloor lceil")
CLOSE = listed(r") ] } \} rangle rfloor rceil")
PUNCTUATION = frozenset(".,;:")
_ARTICLES = frozenset(["a", "an", "the"])
_PLACES = frozenset(["at", "in", "on"])
_SAME_TEXT = {
    **dict.fromkeys(
        (
            "there are no solutions", "there is no solution", "no solutions", "no solution exists",
            "no solutions exist", "has no solution", "has no solutions", "there is no solutions",
            "none exist", "no such solution", "none", "no real solution", "no real solutions",
            "there are no real solutions", "there is no real solution",
        ),
        "no solution",
    ),
    **dict.fromkeys(("does not exist", "doesn't exist", "limit does not exist"), "dne"),
    **dict.fromkeys(
        ("all reals", "all real", "every real number", "set of all real numbers",
         "set of real numbers"),
        "all real numbers",
    ),
    **dict.fromkeys(("set of all integers", "set of integers"), "all integers"),
    **dict.fromkeys(("is undefined", "not defined", "is not defined"), "undefined"),
    **{"infinitely many solutions": "infinitely many", "infinite solutions": "infinitely many"},
}  # fmt: skip
MAX_ITEMS = 64


def stripped(tokens: Sequence[Token]) -> list[Token]:
    """Remove punctuation at the end, braces around all, an alignment's marks."""
    found = list(tokens)
    while found:
        if found[-1].text in PUNCTUATION or found[-1].text == "\\\\":
            found.pop()
        elif found[0].text in ("therefore", "Rightarrow"):
            found.pop(0)
        elif found[0].text == "{" and closing_place(found, 0) == len(found) - 1:
            found = found[1:-1]
        elif found[0].kind == "begin" and _is_alignment(found):
            end = len(found) - 1 if found[-1].kind == "end" else None
            inner = [token for token in found[1:end] if token.text != "&"]
            found = [token._replace(text=",") if token.text == "\\\\" else token for token in inner]
        else:
            return found
    return found


def _is_alignment(tokens: Sequence[Token]) -> bool:
    """Tell whether tokens begin an alignment, or a matrix of one entry."""
    is_entry = not any(token.text in ("&", "\\\\") for token in tokens)
    is_ended = tokens[-1].kind == "end" and sum(one.kind == "begin" for one in tokens) == 1
    return tokens[0].text in ("aligned", "align", "gathered", "split") or (
        tokens[0].text == "array" and is_entry and is_ended
    )


def closing_place(tokens: Sequence[Token], start: int) -> int:
    depth = 0
    for place in range(start, len(tokens)):
        depth += (tokens[place].text in OPEN) - (tokens[place].text in CLOSE)
        if depth == 0:
            return place
    return -1


def split(tokens: Sequence[Token], at: Callable[[Token], bool]) -> list[list[Token]]:
    """Split tokens at those outside brackets for which `at` holds."""
    pieces: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        is_command = token.kind in ("command", "mark", "begin", "end")
        if is_command:
            depth += (token.text in OPEN or token.kind == "begin") - (
                token.text in CLOSE or token.kind == "end"
            )
        if depth == 0 and at(token) and not (is_command and token.text in CLOSE):
            pieces.append([])
        else:
            pieces[-1].append(token)
    return pieces


def is_and(token: Token) -> bool:
    return token.text in (",", ";", "&", "land") or _stands_between(token, words.AND)


def is_or(token: Token) -> bool:
    return token.text == "lor" or _stands_between(token, words.OR)


def _stands_between(token: Token, connectives: frozenset[str]) -> bool:
    """Tell whether a token is a connective: one of a single letter is small and in a text."""
    if token.kind != "word" or token.text.casefold() not in connectives:
        return False
    is_letter = len(token.text) == 1 and token.text.isascii()
    return not is_letter or (token.prose and token.gap and token.text.islower())


def as_text(tokens: Sequence[Token]) -> Text | None:
    """Return words, numbers and letters as a text in lower case; None where there is no word."""
    if not any(is_long(token) for token in tokens):
        return None
    shown = [
        token.text.casefold() if token.kind == "word" else token.text
        for token in tokens
        if token.text not in PUNCTUATION and token.text.casefold() not in _ARTICLES
    ]
    if len(shown) == 2 and shown[0] in _PLACES and not words.is_closed(shown[1]):
        shown = shown[1:]  # `on Monday`
    joined = " ".join(shown)
    return Text(tuple(_SAME_TEXT.get(joined, joined).split()))


def is_long(token: Token) -> bool:
    """Tell whether a token is a word that cannot be a product of letters."""
    is_short = len(token.text) <= 2 and token.text.isascii()
    return token.kind == "word" and (not is_short or token.text.casefold() in words.SHORT)


def split_anywhere(tokens: list[Token], sign: str) -> list[list[Token]]:
    """Split at a sign whatever the brackets are, which French intervals turn outwards."""
    pieces: list[list[Token]] = [[]]
    for token in tokens:
        if token.text == sign:
            pieces.append([])
        else:
            pieces[-1].append(token)
    return pieces


def without_gaps(pieces: list[list[Token]]) -> list[list[Token]]:
    """Remove the empty piece of `1, 2, and 3`; any other raises NotUnderstoodError."""
    kept = [piece for piece in pieces if piece]
    if len(kept) < len(pieces) - 1 or not pieces[0] or not pieces[-1]:
        raise NotUnderstoodError("an item is missing")
    return kept

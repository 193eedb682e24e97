r"""Reading an answer: its text becomes one typed value in which every token has its place."""

from __future__ import annotations

from functools import lru_cache

from limr.grading import words
from limr.grading.clauses import choice, value
from limr.grading.pieces import as_text, stripped
from limr.grading.tokens import NotUnderstoodError, Token, spelling, tokenise
from limr.grading.values import Unread, Value

MAX_ANSWER = 4_000  # characters; longer answers are not read
_SHORT = 200  # characters of an answer whose value is remembered
_REMEMBERED = 16_384


def read(text: str, grouped: bool = False) -> Value:
    """Return the value that an answer's text is read as; Unread where there is no reading."""
    if len(text) > MAX_ANSWER:
        return Unread("", f"longer than {MAX_ANSWER:,} characters")
    return _read_short(text, grouped) if len(text) <= _SHORT else _read(text, grouped)


@lru_cache(maxsize=_REMEMBERED)
def _read_short(text: str, grouped: bool) -> Value:
    return _read(text, grouped)


def _read(text: str, grouped: bool) -> Value:
    try:
        tokens = stripped(tokenise(text, grouped))
    except NotUnderstoodError as error:
        return Unread(" ".join(text.split()), str(error))
    try:
        return _answer(tokens)
    except NotUnderstoodError as error:
        return as_text(tokens) or Unread(spelling(tuple(tokens)), str(error))
    except RecursionError:
        return Unread(spelling(tuple(tokens)), "too deep")


def _answer(tokens: list[Token]) -> Value:
    if not tokens:
        raise NotUnderstoodError("nothing")
    tokens = _without_quantifier(tokens)
    found = choice(tokens)
    if found is not None:
        return found
    behind = _behind_opening(tokens)
    if behind:
        return _answer(stripped(behind))
    return value(tokens)


def _without_quantifier(tokens: list[Token]) -> list[Token]:
    r"""Remove `for all x` and `\forall x \in \mathbb{R},`: they only name the variable."""
    if tokens[0].text == "forall":
        for place, token in enumerate(tokens):
            if token.text in (",", ":") and place + 1 < len(tokens):
                return tokens[place + 1 :]
        return tokens
    for place in range(1, len(tokens) - 1):
        shown = [token.text.casefold() for token in tokens[place : place + 3]]
        if shown[0] == "forall" or shown[:2] in (
            ["for", "all"],
            ["for", "any"],
            ["for", "every"],
            ["for", "each"],
        ):
            rest = tokens[place + (1 if shown[0] == "forall" else 2) :]
            if _is_plain_range(rest) and any(token.text == "=" for token in tokens[:place]):
                return stripped(tokens[:place])
    return tokens


def _is_plain_range(tokens: list[Token]) -> bool:
    r"""Tell whether tokens are `x`, `real x`, `x \in \mathbb{R}`: a variable and no condition."""
    rest = [
        token for token in tokens if token.text.casefold() not in ("real", "numbers", "number", ",")
    ]
    if not rest or len(rest[0].text) > 1 or not rest[0].text.isalpha():
        return False
    return (
        len(rest) == 1
        or (rest[1].text in ("in", "ge", ">", "ne") and False)
        or (rest[1].text == "in" and "mathbb" in [token.text for token in rest] and len(rest) <= 6)
    )


def _behind_opening(tokens: list[Token]) -> list[Token]:
    """Return what follows the beginning of a sentence, `The answer is` or `Maximum value:`."""
    for place, token in enumerate(tokens[:20]):
        is_end = token.text == ":" or (
            place > 0 and token.kind == "word" and words.is_verb(token.text)
        )
        if not is_end:
            if token.kind not in ("word", "letter"):
                return []
            continue
        opening = [one.text.casefold() for one in tokens[:place]]
        behind = tokens[place + 1 :]
        if (
            not any(one.kind == "word" and len(one.text) > 1 for one in tokens[:place])
            and token.text == ":"
        ):
            return []
        named = [word for word in opening if word not in words.SUBJECTS]
        if not words.is_harmless(named) or not behind:
            return []
        first = behind[0].text.casefold()
        if (
            behind[0].kind == "word"
            and not words.is_harmless([first])
            and words.number([first]) is None
        ):
            return []
        return behind
    return []

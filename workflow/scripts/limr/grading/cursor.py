"""A place in a row of tokens, and the numerals among them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from limr.grading.tokens import NotUnderstoodError, Token

MAX_DIGITS = 4_000
_REPEATING = re.compile(r"(\d*)\.(\d*)\\(?:overline|bar|dot)(\d+)")
MOST_PERIODIC = 40  # digits before dots
_PERIOD = re.compile(r"(?:(\d)\1{2,}|(\d{2,6}?)\2+)\Z")
_DOTTED = re.compile(r"(\d*)\.?(\d*)\\dot(\d)(\d*)\\dot(\d)")


def numeral(text: str) -> Fraction:
    """Return the value of a number token, repeating decimals included."""
    if len(text) > MAX_DIGITS:
        raise NotUnderstoodError("too many digits")
    repeating = _REPEATING.fullmatch(text) or _DOTTED.fullmatch(text)
    if not repeating:
        return Fraction(text)
    whole, part, *period = repeating.groups()
    digits = "".join(period)
    size = 10 ** len(part)
    return Fraction(int(whole + part or "0"), size) + Fraction(
        int(digits), size * (10 ** len(digits) - 1)
    )


def periodic(text: str) -> Fraction | None:
    r"""Return what `0.1666` before dots stands for, None where no digits repeat at the end."""
    whole, _, digits = text.partition(".")
    found = _PERIOD.search(digits) if digits.isdigit() and len(digits) <= MOST_PERIODIC else None
    if found is None:
        return None
    before = digits[: found.start()]
    return numeral(rf"{whole or 0}.{before}\overline{found[1] or found[2]}")


class Cursor:
    """Tokens, and `place`: how far they were read."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = list(tokens)
        self.place = 0
        self._depth = 0

    def _kind(self, ahead: int) -> str:
        place = self.place + ahead
        return self.tokens[place].kind if place < len(self.tokens) else ""

    def _peek_kind(self) -> str:
        return self._kind(0)

    def _peek(self) -> str:
        return self.tokens[self.place].text if self.place < len(self.tokens) else ""

    def _next(self) -> Token:
        if self.place >= len(self.tokens):
            raise NotUnderstoodError("the text ends too early")
        self.place += 1
        return self.tokens[self.place - 1]

    def _expect(self, text: str) -> None:
        if self._peek() != text:
            raise NotUnderstoodError(f"'{text}' is missing")
        self._next()

    def _group_is(self, *texts: str) -> bool:
        shown = [token.text for token in self.tokens[self.place : self.place + 4]]
        single = shown[:1] and shown[0] in texts and shown[0] not in ("+", "-")
        return bool(single) or (
            len(shown) >= 3 and shown[0] == "{" and shown[2] == "}" and shown[1] in texts
        )

    def _argument_tokens(self) -> list[Token]:
        """Return the tokens of a group, without its braces, or one token."""
        if self._peek() != "{":
            return [self._next()]
        depth, start = 0, self.place
        while self.place < len(self.tokens):
            text = self._next().text
            depth += (text == "{") - (text == "}")
            if depth == 0:
                return self.tokens[start + 1 : self.place - 1]
        raise NotUnderstoodError("a group never ends")

"""A function by cases, and a system of equations in the same notation."""

from __future__ import annotations

from limr.grading.brackets import Reader
from limr.grading.pieces import split, stripped
from limr.grading.tokens import NotUnderstoodError, Token
from limr.grading.values import Cases, Listing, Text, Value


def cases(tokens: list[Token], value: Reader) -> Value | None:
    """Read a function by cases, or a system of equations, which is a list."""
    if tokens[0].kind != "begin" or tokens[0].text != "cases" or tokens[-1].kind != "end":
        return None
    rows = [row for row in split(tokens[1:-1], lambda token: token.text == "\\\\") if row]
    parts = [[stripped(one) for one in split(row, lambda token: token.text == "&")] for row in rows]
    if all(len(one) == 1 for one in parts):
        return Listing(tuple(value(one[0]) for one in parts), joined="and")
    if not all(len(one) == 2 and all(one) for one in parts):
        raise NotUnderstoodError("cases")
    return Cases(tuple((value(one[0]), _condition(one[1], value)) for one in parts))


def _condition(tokens: list[Token], value: Reader) -> Value:
    if tokens[0].text.casefold() in ("if", "for", "when"):
        tokens = tokens[1:]
    if all(token.kind == "word" for token in tokens):
        return Text(tuple(token.text.casefold() for token in tokens))
    return value(tokens)

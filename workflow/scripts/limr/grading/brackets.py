r"""What brackets hold: tuples, intervals (French ones too), sets, vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from limr.grading.nodes import symbol
from limr.grading.pieces import MAX_ITEMS, closing_place, is_and, split, without_gaps
from limr.grading.tokens import NotUnderstoodError, Token
from limr.grading.values import Listing, Quantity, Value

Reader = Callable[[list[Token]], Value]
SIGNS = {
    **{"=": "=", "<": "<", ">": ">", "le": "<=", "ge": ">=", "ne": "!=", "in": "in"},
    **{"approx": "~", "equiv": "=", "Rightarrow": "=>", "rightarrow": "->", "sim": "similar"},
    **{"parallel": "parallel", "perp": "perp", "cong": "cong", "notin": "notin", "propto": "prop"},
    **{"subset": "subset", "subseteq": "subseteq", "supset": "supset", "ll": "<<", "gg": ">>"},
}
FIGURES = ("triangle", "angle", "square", "odot", "bigcirc")  # what a name is of
UNIONS = ("cup", "cap", "setminus")
_BRACKETS = {"(": ")", "[": "]", "\\{": "\\}", "langle": "rangle"}


def bracketed(tokens: list[Token], value: Reader, item: Reader) -> Value | None:
    """Read a tuple, an interval, a set or a vector."""
    first, last = tokens[0].text, tokens[-1].text
    if first == "]" or (first == "[" and last == "["):
        return _french(tokens, value)
    if first not in _BRACKETS or last not in _BRACKETS.values():
        return None
    end = closing_place(tokens, 0)
    if end != len(tokens) - 1:
        return _side_by_side(tokens, end, value, item)
    inner = tokens[1:-1]
    if first == "\\{":
        return _set(inner, value, item) if last == "\\}" else None
    pieces = split(inner, is_and)
    if len(pieces) == 1 and first == "langle" and last == "rangle":
        pieces = split(inner, lambda token: token.text in (",", "|"))
    if len(pieces) < 2:
        if first in ("(", "[") and last == _BRACKETS[first] and _is_compound(inner):
            return value(inner)
        return None
    if len(pieces) > MAX_ITEMS:
        raise NotUnderstoodError("too many items")
    opening, closing = first, last
    if first in ("(", "[") and len(pieces) == 2:  # no interval ends at infinity
        opening = "(" if [token.text for token in pieces[0]] == ["-", "infty"] else first
        closing = ")" if pieces[1][-1:] and pieces[1][-1].text == "infty" else last
    return Listing(tuple(map(item, without_gaps(pieces))), opening, closing)


def _side_by_side(tokens: list[Token], end: int, value: Reader, item: Reader) -> Value | None:
    """Read `(1, 2)(3, 4)`, tuples without a comma between them, as a list."""
    found = []
    while end > 0 and tokens[0].text == "(":
        one = bracketed(tokens[: end + 1], value, item)
        if not isinstance(one, Listing):
            return None
        found.append(one)
        tokens = tokens[end + 1 :]
        end = closing_place(tokens, 0) if tokens else 0
    return Listing(tuple(found)) if len(found) > 1 and not tokens else None


def _is_compound(inner: Sequence[Token]) -> bool:
    """Tell whether brackets hold what no expression is: a tuple, a union, a relation."""
    return any(token.text in SIGNS or token.text in UNIONS for token in inner)


def _french(tokens: list[Token], value: Reader) -> Value | None:
    """Read `]a,b[` and `[a,b[`, whose open ends are brackets turned outwards."""
    if tokens[-1].text not in ("[", "]"):
        return None
    pieces = split(tokens[1:-1], lambda token: token.text in (",", ";"))
    if len(pieces) != 2 or not all(pieces):
        return None
    opening = "(" if tokens[0].text == "]" else "["
    closing = ")" if tokens[-1].text == "[" else "]"
    return Listing(tuple(map(value, pieces)), opening, closing)


def _set(inner: list[Token], value: Reader, item: Reader) -> Value:
    r"""Read the inside of braces: items, or `x \mid condition`."""
    bar = split(inner, lambda token: token.text in ("|", ":"))
    if len(bar) == 2 and all(bar):
        variable, condition = bar[0], value(bar[1])
        if len(variable) == 1 or any(token.text == "mathbb" for token in variable[:3]):
            reals = [token.text for token in variable[1:]]
            if not reals or reals == ["in", "mathbb", "{", "R", "}"]:
                return condition
        raise NotUnderstoodError("a set by a condition")
    if not inner:
        return Quantity(symbol("emptyset"))
    pieces = without_gaps(split(inner, is_and))
    if len(pieces) > MAX_ITEMS:
        raise NotUnderstoodError("too many items")
    return Listing(tuple(map(item, pieces)), "\\{", "\\}")

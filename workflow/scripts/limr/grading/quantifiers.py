r"""What only says of a letter that it is any: `for all x`, `k \in \mathbb{Z}`, `c` a constant."""

from __future__ import annotations

from collections.abc import Sequence

from limr.grading.pieces import stripped
from limr.grading.tokens import Token
from limr.grading.words import listed

# No letter is in both, so that no integer is taken for any number.
WHOLE, _ANY = frozenset("jklmnpqrN"), frozenset("abcdefghstuvwxyzABCDKM")
INTEGER = "any:integer"  # the name of k in `\frac{\pi}{4} + k\pi, k \in \mathbb{Z}`
_SETS = {"Z": WHOLE, "R": _ANY, "C": _ANY}
_KINDS = {
    **dict.fromkeys(("integer", "integers"), WHOLE),
    **dict.fromkeys(("constant", "constants", "real", "reals"), _ANY),
}
_FILLING = listed(
    "where for with is are a an any some every all each arbitrary number numbers be and"
)
_RANGES = listed("real positive natural nonnegative non-negative integer integers")
_SIGNS = listed("< > le ge ne in or lor")


def without_quantifier(tokens: list[Token]) -> list[Token]:
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
    said = {token.text.casefold() for token in tokens} & _RANGES
    rest = [token for token in tokens if token.text.casefold() not in said | {"numbers", ","}]
    if not rest or len(rest[0].text) > 1 or not rest[0].text.isalpha():
        return False
    if said - {"real"} and rest[0].text not in WHOLE:
        return False
    is_in_a_set = rest[1:] and rest[1].text == "in" and "mathbb" in [one.text for one in rest]
    return len(rest) == 1 or bool(is_in_a_set and len(rest) <= 6)


def without_parameters(tokens: list[Token]) -> list[Token]:
    r"""Remove `, k \in \mathbb{Z}` and `where c is a constant` from the end.

    The letters must stand before, where nothing is restricted. One letter that is called an integer
    is `INTEGER` there.
    """
    for place in range(len(tokens) - 2, 0, -1):
        begins = tokens[place].text in (",", ";", "(") or tokens[place].text.casefold() in (
            "where", "for", "with",
        )  # fmt: skip
        if not begins:
            continue
        rest = [token for token in tokens[place:] if token.text not in (",", ";", "(", ")", ".")]
        letters = _parameters(rest)
        before = tokens[:place]
        is_free = not any(token.text in _SIGNS for token in before)
        named = {token.text for token in before if token.kind == "letter"}
        if letters and is_free and named.issuperset(letters):
            if len(letters) == 1 and letters in WHOLE:
                before = [t._replace(text=INTEGER) if t.text == letters else t for t in before]
            return stripped(before)
    return tokens


def _parameters(tokens: Sequence[Token]) -> str:
    """Return the letters that tokens only call numbers, or nothing where they say more."""
    rest = [one for one in tokens if one.kind != "word" or one.text.casefold() not in _FILLING]
    letters = [one.text for one in rest if len(one.text) == 1 and one.text.isalpha()]
    shown = [one.text for one in rest if one.text not in "{}"]
    if len(rest) == len(tokens) and len(shown) < 4:
        return ""
    kinds = [_KINDS[text.casefold()] for text in shown if text.casefold() in _KINDS]
    if letters and len(kinds) == 1 and len(letters) + 1 == len(shown):  # `k`, `integer`
        return "".join(letters) if kinds[0].issuperset(letters) else ""
    if len(shown) == 4 and shown[1:3] == ["in", "mathbb"]:
        return shown[0] if shown[0] in _SETS.get(shown[3], frozenset()) else ""
    return ""

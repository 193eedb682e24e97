r"""An expression and what follows it: a unit, a magnitude (`million`), what it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from limr.grading import phrases, units, words
from limr.grading.expressions import Parser
from limr.grading.nodes import MINUS_ONE, Node, number
from limr.grading.tokens import NotUnderstoodError, Token
from limr.grading.units import Unit
from limr.grading.values import Listing, Quantity

_PREFIXED = {"$": "$", "€": "€", "£": "£", "¥": "¥", "₹": "₹"}
_POWERS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}


def quantity(tokens: Sequence[Token]) -> Quantity:
    """Return an expression with its unit; raises NotUnderstoodError where anything is left."""
    signs = 1 if tokens[0].text in ("-", "+") else 0
    currency = (
        units.find(_PREFIXED.get(tokens[signs].text, "")) if len(tokens) > signs + 1 else None
    )
    if currency is not None:
        inner = quantity([*tokens[:signs], *tokens[signs + 1 :]])
        if inner.unit is not None and inner.unit.dimension not in ((), currency.dimension):
            raise NotUnderstoodError("two currencies")
        said = inner.unit.words | inner.unit.beside if inner.unit else frozenset()
        return Quantity(inner.node, replace(currency, beside=frozenset(filter(_names, said))))
    parser = Parser(tokens)
    node = parser.expression()
    ordinal = node.op == "number" and any(t.text == "^" for t in parser.tokens[: parser.place])
    return _with_unit(node, parser.tokens[parser.place :], is_ordinal=ordinal)  # 12^{th} grade


def compound(tokens: Sequence[Token]) -> Quantity | None:
    """Return `2 hours 15 minutes` as one quantity; None where it is none."""
    pieces = _pieces([token for token in tokens if token.text not in (",", "and")])
    if len(pieces) < 2:
        return None
    parts = []
    for piece in pieces:
        try:
            parts.append(quantity(piece))
        except NotUnderstoodError:
            return None
    return total(parts)


def total(parts: Sequence[Quantity]) -> Quantity | None:
    """Return the sum of quantities of one dimension in ever smaller units, None for others."""
    found = [part.unit for part in parts if part.unit is not None and part.unit.is_known]
    if len(found) < 2 or len(found) < len(parts):
        return None
    sizes = [unit.scale for unit in found]
    if len({unit.dimension for unit in found}) > 1 or sizes != sorted(set(sizes), reverse=True):
        return None
    if all(part.node.op == "number" for part in parts):
        values = [size * part.node.value for size, part in zip(sizes, parts, strict=True)]
        return Quantity(number(sum(values, Fraction(0)) / sizes[0]), found[0])
    terms = tuple(
        Node("mul", (number(size / sizes[0]), part.node))
        for size, part in zip(sizes, parts, strict=True)
    )
    return Quantity(Node("add", terms), found[0])


def _pieces(tokens: Sequence[Token]) -> list[list[Token]]:
    pieces: list[list[Token]] = []
    for place, token in enumerate(tokens):
        starts = token.kind == "number" and (place == 0 or tokens[place - 1].kind == "word")
        if starts or not pieces:
            pieces.append([])
        pieces[-1].append(token)
    return pieces


def _with_unit(node: Node, rest: list[Token], *, is_ordinal: bool = False) -> Quantity:
    if not rest:
        inner = _without_degree(node)
        return Quantity(inner, units.DEGREE) if inner else Quantity(node)
    inner = _without_degree(node)
    if inner:
        return _temperature(inner, rest)
    if rest[0].text.casefold() in words.ORDINAL and not rest[0].gap:
        return _with_unit(node, rest[1:], is_ordinal=True)
    if node.op != "number" and _is_bare_word(node):
        raise NotUnderstoodError("words")
    times = _magnitude(rest[0])
    is_rank = times and times < 1 and not rest[0].text.endswith("s") and node != number(1)
    if times is not None and node.op == "number" and not is_rank:
        return _with_unit(number(node.value * times), rest[1:])
    return Quantity(node, unit_of(rest, is_one=is_ordinal or _is_one(node)))


def _is_one(node: Node) -> bool:
    """Tell whether a number is one or a part of one."""
    parts = node.args if node.op == "div" else (node, number(1))
    if any(part.op != "number" for part in parts):
        return False
    return abs(parts[0].value) <= abs(parts[1].value)


def _without_degree(node: Node) -> Node | None:
    """Return a node without the degree sign at its end, None where there is none."""
    if node.op == "degree":
        return node.args[0]
    if node.op != "mul":
        return None
    last = _without_degree(node.args[1])
    if last is None:
        return None
    return (
        number(-last.value)
        if node.args[0] == MINUS_ONE and last.op == "number"
        else Node("mul", (node.args[0], last))
    )


def _is_bare_word(node: Node) -> bool:
    return node.op == "symbol" and node.name[:2].isalpha() and len(node.name) > 1


def _magnitude(token: Token) -> Fraction | None:
    if token.kind != "word":
        return None
    return words.scale(token.text) if token.text.casefold() not in ("k", "score") else None


def _temperature(node: Node, rest: list[Token]) -> Quantity:
    name = rest[0].text if len(rest[0].text) == 1 else rest[0].text.casefold()
    if len(rest) == 1 and name in ("C", "celsius"):
        return Quantity(node, units.find("celsius"))
    if len(rest) == 1 and name in ("F", "fahrenheit"):
        return Quantity(node, units.find("fahrenheit"))
    phrase = [token.text for token in rest]
    is_phrase = all(token.kind == "word" and len(token.text) > 1 for token in rest)
    if is_phrase and phrases.is_counted(phrase):
        return Quantity(node, units.DEGREE)
    raise NotUnderstoodError("what follows a degree sign")


def unit_of(tokens: list[Token], *, is_one: bool = False) -> Unit:
    """Return the unit that tokens write; NotUnderstoodError where they may say something else.

    `is_one` as in `phrases.is_counted`.
    """
    tokens = [token for token in tokens if token.text != "."]
    if tokens and tokens[0].text == "(" and tokens[-1].text == ")":
        tokens = tokens[1:-1]
    reader = _Units(tokens)
    try:
        unit = reader.product()
    except NotUnderstoodError:
        unit, reader.place = None, 0
    rest = tokens[reader.place :]
    if unit is not None and dict(unit.dimension).get("percent", 1) != 1:
        raise NotUnderstoodError("a percentage twice")
    if unit is not None and not rest:
        return unit
    phrase = [token.text for token in rest]
    are_words = all(token.kind in ("word", "letter") for token in rest)
    if not are_words or not phrases.is_counted(phrase, is_one=is_one):
        raise NotUnderstoodError("'" + " ".join(phrase) + "'")
    if any(token.kind == "letter" and token.text != "a" for token in rest):
        raise NotUnderstoodError("letters")
    said = units.counted([word for word in phrase if _names(word)])
    return units.counted(phrase) if unit is None else replace(unit, beside=said.words)


def _names(word: str) -> bool:
    """Tell whether a word names something, and does not only link."""
    return not words.is_link(word.casefold())


class _Units:
    r"""Reads `m/s^2`, `miles per hour`, `square feet`, `\frac{km}{h}`."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens, self.place = tokens, 0

    def product(self) -> Unit:
        unit = self._factor()
        while self.place < len(self.tokens):
            start, mark = self.place, self._peek()
            try:
                if mark in ("/", "per"):
                    self.place += 1
                    unit *= self._factor() ** -1
                elif mark in ("cdot", "*"):
                    self.place += 1
                    unit *= self._factor()
                elif mark not in (")", "}"):
                    unit *= self._factor()
                else:
                    return unit
            except NotUnderstoodError:
                self.place = start
                return unit
        return unit

    def _factor(self) -> Unit:
        token = self._next()
        if token.text == "frac":
            return self._group("{", "}") * self._group("{", "}") ** -1
        if token.text in ("(", "{"):
            self.place -= 1
            unit = self._group(token.text, ")" if token.text == "(" else "}")
        elif token.text.casefold() in _POWERS and self._kind() == "word":
            unit = self._factor() ** _POWERS[token.text.casefold()]
        elif token.text in ("degree", "degrees") and self._peek().casefold() in (
            "celsius", "fahrenheit", "c", "f",
        ):  # fmt: skip
            name = self._next().text.casefold()
            unit = units.find("celsius" if name[0] == "c" else "fahrenheit") or Unit()
        else:
            unit = self._named(token)
        return self._raised(unit)

    def _named(self, token: Token) -> Unit:
        found = None
        if token.kind == "word" or token.text in ("%", "$", "€", "£", "¥", "¢"):
            parts = [units.find(part) for part in token.text.split("-")]
            found = units.find(token.text) or units.product(parts)
        if found is None:
            raise NotUnderstoodError(f"'{token.text}'")
        return found

    def _raised(self, unit: Unit) -> Unit:
        if self._peek().casefold() in ("squared", "cubed"):
            return unit ** (2 if self._next().text.casefold() == "squared" else 3)
        if self._peek() != "^":
            return unit
        self.place += 1
        shown = ""
        if self._peek() == "{":
            self.place += 1
            while self._peek() not in ("}", ""):
                shown += self._next().text
            self._next()
        else:
            shown = self._next().text
            if shown in ("-", "+"):
                shown += self._next().text
        digits = shown.lstrip("+-")
        if not digits.isdecimal() or len(digits) > 2 or int(digits) > units.MAX_EXPONENT:
            raise NotUnderstoodError("a unit to a strange power")
        return unit ** int(shown)

    def _group(self, opening: str, closing: str) -> Unit:
        if self._next().text != opening:
            raise NotUnderstoodError("a unit's brackets")
        unit = self.product()
        if self._next().text != closing:
            raise NotUnderstoodError("a unit's brackets")
        return unit

    def _peek(self) -> str:
        return self.tokens[self.place].text if self.place < len(self.tokens) else ""

    def _kind(self) -> str:
        return self.tokens[self.place].kind if self.place < len(self.tokens) else ""

    def _next(self) -> Token:
        if self.place >= len(self.tokens):
            raise NotUnderstoodError("a unit ends too early")
        self.place += 1
        return self.tokens[self.place - 1]


def as_total(value: Listing) -> Quantity | None:
    """Return a list such as `2 hours, 15 minutes` as one quantity, None for any other."""
    parts = [item for item in value.items if isinstance(item, Quantity)]
    if value.opening or len(parts) < len(value.items):
        return None
    return total(parts)

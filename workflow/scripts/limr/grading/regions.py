r"""Sets of real numbers: `(-\infty, 2] \cup \{5\}`, `x \ne 3` and `|x| < 2` as the same type.

A set is a sorted list of cuts, where it begins and ends by turns. A cut lies just before or just
after a number, so that open and closed ends need no rules of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from limr.grading import evaluation
from limr.grading.arithmetic import context
from limr.grading.brackets import Reader
from limr.grading.nodes import Node, both_signs, negative, number, walk
from limr.grading.tokens import NotUnderstoodError, Token
from limr.grading.values import Combined, Listing, Quantity, Relation, Text, Value

_SCALE = 10**30
Cut = tuple[int, int, int]  # -1, 0 or 1 (below, among, above the numbers), the number, 0 or 1
_LOWEST, _HIGHEST = (-1, 0, 0), (1, 0, 0)
_INFINITY = Node("constant", name="infty")
_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "!=": "!=", "=": "="}
_REALS = {
    "\\mathbb:R": (_LOWEST, _HIGHEST),
    **dict.fromkeys(
        ("\\mathbb:R^+", "\\mathbb:R_{+}", "\\mathbb:R_{>0}"),
        ((0, 0, 1), _HIGHEST),
    ),
    **dict.fromkeys(("\\mathbb:R^-", "\\mathbb:R_{-}", "\\mathbb:R_{<0}"), (_LOWEST, (0, 0, 0))),
    **dict.fromkeys(("\\mathbb:R_{ge0}",), ((0, 0, 0), _HIGHEST)),
}
_NONZERO = (_LOWEST, (0, 0, 0), (0, 0, 1), _HIGHEST)
_SAID = {
    **dict.fromkeys(("all real numbers", "real numbers"), "\\mathbb:R"),
    **dict.fromkeys(("all positive real numbers", "all positive reals"), "\\mathbb:R^+"),
    **dict.fromkeys(("all negative real numbers", "all negative reals"), "\\mathbb:R^-"),
    **dict.fromkeys(("all nonnegative real numbers", "all nonnegative reals"), "\\mathbb:R_{ge0}"),
    **dict.fromkeys(("all nonzero real numbers", "all nonzero reals"), ""),
}


@dataclass(frozen=True)
class Region:
    """A set of real numbers by its cuts, and the letter that it is for, "" for none."""

    cuts: tuple[Cut, ...]
    letter: str = ""


def region(value: Value) -> Region | None:
    """Return the set of real numbers that a value describes, None where it describes none."""
    if isinstance(value, Quantity):
        known = _REALS.get(value.node.name) if value.unit is None else None
        return Region(known) if known else None
    if isinstance(value, Text):
        found = _SAID.get(" ".join(value.words).replace("non-", "non"))
        return Region(_REALS[found] if found else _NONZERO) if found is not None else None
    if isinstance(value, Listing):
        return _of_listing(value)
    if isinstance(value, Combined):
        parts = [region(part) for part in value.parts]
        return _combined(value.sign, parts)
    return _of_relation(value) if isinstance(value, Relation) else None


def left_out(tokens: Sequence[Token], value: Reader) -> Combined | None:
    """Read `all real numbers except 1`; NotUnderstoodError for no set of numbers."""
    words = [token.text.casefold() if token.kind == "word" else "" for token in tokens[:-1]]
    place = next((at for at, word in enumerate(words) if word in ("except", "excluding")), 0)
    if not place:
        return None
    left, right = value(list(tokens[:place])), value(list(tokens[place + 1 :]))
    if isinstance(right, Relation) and right.signs == ("=",):
        right = right.terms[1]
    items = right.items if isinstance(right, Listing) else (right,)
    if isinstance(right, Quantity):
        items = tuple(map(Quantity, both_signs(right.node)))
    found = Combined("setminus", (left, Listing(items, "\\{", "\\}")))
    if region(found) is None:
        raise NotUnderstoodError("what is left out")
    return found


def interval(value: Relation) -> tuple[str, Listing] | None:
    r"""Return the letter of `a < x \le b`, `x > a` and the interval that it runs through."""
    signs, terms = list(value.signs), list(value.terms)
    if not signs or any(sign not in ("<", ">", "<=", ">=") for sign in signs) or len(signs) > 2:
        return None
    nodes = [term.node for term in terms if isinstance(term, Quantity) and term.unit is None]
    if len(nodes) < len(terms) or len({sign[0] for sign in signs}) > 1:
        return None
    is_down = signs[0][0] == ">"
    if is_down:
        nodes, signs = nodes[::-1], [_MIRRORED[sign] for sign in signs[::-1]]
    if len(signs) == 2:
        low, middle, high = nodes
        opening, closing = "([)]"[len(signs[0]) - 1], ")]"[len(signs[1]) - 1]
    elif nodes[0].op == "symbol" and not (is_down and nodes[1].op == "symbol"):
        low, middle, high = negative(_INFINITY), nodes[0], nodes[1]
        opening, closing = "(", ")]"[len(signs[0]) - 1]
    else:
        low, middle, high = nodes[0], nodes[1], _INFINITY
        opening, closing = "(["[len(signs[0]) - 1], ")"
    if middle.op != "symbol":
        return None
    return middle.name, Listing((Quantity(low), Quantity(high)), opening, closing)


def _of_relation(value: Relation) -> Region | None:
    if value.signs == ("in",):
        inner, name = region(value.terms[1]), value.terms[0]
        if inner is None or not isinstance(name, Quantity) or name.node.op != "symbol":
            return None
        return Region(inner.cuts, name.node.name)
    found = interval(value)
    if found is not None:
        inner = _of_listing(found[1])
        return Region(inner.cuts, found[0]) if inner else None
    nodes = [term.node for term in value.terms if isinstance(term, Quantity)]
    if len(value.signs) != 1 or len(nodes) != 2:
        return None
    left, sign, right = nodes[0], value.signs[0], nodes[1]
    if right.op in ("symbol", "abs") and left.op not in ("symbol", "abs") and sign in _MIRRORED:
        left, sign, right = right, _MIRRORED[sign], left
    if sign == "!=" and left.op == "symbol":
        point = _points([Quantity(node) for node in both_signs(right)])
        return Region(_complement(point), left.name) if point else None
    return _of_absolute(left, sign, right)


def _of_absolute(left: Node, sign: str, right: Node) -> Region | None:
    """Return the region of `|x| < a` and `|x - b| > a`."""
    if left.op != "abs" or sign not in ("<", "<=", ">", ">="):
        return None
    inner = left.args[0]
    names = {one.name for one in walk(inner) if one.op == "symbol"}
    if len(names) != 1:
        return None
    (name,) = names
    variable = Node("symbol", name=name)
    shift = Node("add", (inner, negative(variable)))
    zero = number(0)
    if inner == variable:
        shift = zero
    else:
        constant = evaluation.constant(shift)
        if constant is None:
            return None
        shift = number(constant)
    low = Node("add", (negative(right), negative(shift)))
    high = Node("add", (right, negative(shift)))
    strict = sign in ("<", ">=")
    ends = _cut(low, after=strict), _cut(high, after=not strict)
    if ends[0] is None or ends[1] is None or ends[0] >= ends[1]:
        return None
    cuts = (ends[0], ends[1])
    return Region(cuts if sign[0] == "<" else _complement(cuts), name)


def _of_listing(value: Listing) -> Region | None:
    if value.opening in ("(", "[") and len(value.items) == 2:
        ends = [item.node for item in value.items if isinstance(item, Quantity) and not item.unit]
        if len(ends) < 2:
            return None
        low = _cut(ends[0], after=value.opening == "(")
        high = _cut(ends[1], after=value.closing == "]")
        return Region((low, high)) if low and high and low < high else None
    if value.opening == "\\{":
        points = _points(value.items)
        return Region(points) if points else None
    if value.opening:
        return None
    first = value.items[0]
    if isinstance(first, Relation) and first.signs == ("!=",):  # x \\ne 1, 2
        items = tuple(
            Relation((first.terms[0], item), ("!=",)) if isinstance(item, Quantity) else item
            for item in value.items
        )
        value = Listing(items)
    if all(isinstance(item, Listing) and item.opening == "\\{" for item in value.items):
        return None  # sets side by side are not united
    parts = [region(item) for item in value.items]
    return _listed(parts, value)


def _listed(parts: list[Region | None], value: Listing) -> Region | None:
    """Return a list of conditions: all of them, or one of them where they exclude each other."""
    if value.joined == "or":
        return _combined("cup", parts)
    are_relations = {isinstance(item, Relation) for item in value.items}
    if len(are_relations) > 1:
        return None  # `(0, 1), x > 5`
    if are_relations == {False}:
        return _combined("cup", parts)
    both = _combined("cap", parts)
    if (
        both is None
        or both.cuts
        or value.joined == "and"
        or any(isinstance(item, Relation) and "!=" in item.signs for item in value.items)
    ):
        return both
    return _combined("cup", parts)


def _combined(sign: str, parts: list[Region | None]) -> Region | None:
    found = [part for part in parts if part is not None]
    letters = {part.letter for part in found if part.letter}
    if len(found) < len(parts) or not found or len(letters) > 1:
        return None
    cuts = found[0].cuts
    for part in found[1:]:
        if sign == "cup":
            cuts = _union(cuts, part.cuts)
        else:
            other = _complement(part.cuts) if sign == "cap" else part.cuts
            cuts = _complement(_union(_complement(cuts), other))
    return Region(cuts, letters.pop() if letters else "")


def _points(items: tuple[Value, ...] | list[Quantity]) -> tuple[Cut, ...]:
    """Return the cuts around single numbers, () where one is no number."""
    cuts: tuple[Cut, ...] = ()
    for item in items:
        if not isinstance(item, Quantity) or item.unit is not None:
            return ()
        before, after = _cut(item.node, after=False), _cut(item.node, after=True)
        if before is None or after is None or before[0]:
            return ()
        cuts = _union(cuts, (before, after))
    return cuts


def _cut(node: Node, *, after: bool) -> Cut | None:
    if node == _INFINITY:
        return _HIGHEST
    if node == negative(_INFINITY):
        return _LOWEST
    value = evaluation.real_value(node)
    if value is None:
        return None
    scaled = value * _SCALE
    whole = round(scaled) if isinstance(scaled, Fraction) else int(context().nint(scaled))
    return (0, whole, int(after))


def _union(first: tuple[Cut, ...], second: tuple[Cut, ...]) -> tuple[Cut, ...]:
    changes = [
        (cut, 1 if place % 2 == 0 else -1)
        for cuts in (first, second)
        for place, cut in enumerate(cuts)
    ]
    found: list[Cut] = []
    depth = 0
    for cut, change in sorted(changes, key=lambda item: (item[0], -item[1])):
        if depth == 0 or depth + change == 0:
            if found and found[-1] == cut:
                found.pop()
            else:
                found.append(cut)
        depth += change
    return tuple(found)


def _complement(cuts: tuple[Cut, ...]) -> tuple[Cut, ...]:
    start = () if cuts[:1] == (_LOWEST,) else (_LOWEST,)
    end = () if cuts[-1:] == (_HIGHEST,) else (_HIGHEST,)
    inner = cuts[len(cuts[:1]) - len(start) :] if not start else cuts
    inner = inner[: len(inner) - 1] if not end and inner else inner
    return (*start, *inner, *end)

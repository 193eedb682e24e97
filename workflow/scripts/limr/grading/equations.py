"""Equations and inequalities as a whole: the same up to a factor, or read from right to left."""

from __future__ import annotations

from limr.grading import evaluation
from limr.grading.nodes import Node, negative
from limr.grading.relations import symbols
from limr.grading.values import Quantity, Relation, Value

_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="} | {
    sign: sign for sign in ("=", "!=", "parallel", "perp", "cong", "similar")
}


def same_equation(gold: Relation, answer: Relation) -> bool:
    """Tell whether two equations or inequalities differ by a constant factor only."""
    if len(gold.signs) != 1 or len(answer.signs) != 1:
        return False
    first, second = _difference(gold), _difference(answer)
    if first is None or second is None or symbols(first) != symbols(second):
        return False
    signs = gold.signs[0], answer.signs[0]
    if signs in (("=", "="), ("!=", "!=")):
        return evaluation.proportional(first, second)
    if any(sign not in ("<", ">", "<=", ">=") for sign in signs) or len(signs[0]) != len(signs[1]):
        return False
    if signs[0] != signs[1]:
        second = negative(second)
    return evaluation.proportional(first, second, positive=True)


def _difference(value: Relation) -> Node | None:
    sides = [term.node for term in value.terms if isinstance(term, Quantity) and term.unit is None]
    if len(sides) != 2:
        return None
    return Node("add", (sides[0], negative(sides[1])))


def turned(value: Relation) -> tuple[tuple[Value, ...], tuple[str, ...]]:
    """Return a chain's terms and signs from right to left."""
    signs = tuple(_TURNED.get(sign, "") for sign in value.signs[::-1])
    return value.terms[::-1], signs

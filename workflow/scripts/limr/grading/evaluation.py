"""The value of an expression at fixed points: equal expressions have equal values everywhere.

Symbols stand for fractions drawn from their names, so that rational expressions are evaluated
exactly and all others to 50 digits, or as many as their sums need. Two expressions that agree at
the points are the same but for a chance below 1e-20; what is too large to compute is not
understood.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from limr.grading.arithmetic import (
    DIGITS,
    UndefinedError,
    Value,
    context,
    divide,
    tidy,
    to_float,
    tolerance,
)
from limr.grading.nodes import Node, is_free, walk
from limr.grading.points import POINTS, Point
from limr.grading.precision import step
from limr.grading.tokens import NotUnderstoodError

MAX_NODES = 1_500
_APART = "terms that are too far apart"


class _Found(NamedTuple):
    """A value at a point, None where there is none, and what its digits are worth.

    `is_whole`: no term was hidden by a larger one. `is_lost`: what is left of sums that cancelled
    may be noise. More digits than can be computed were needed then; `is_near`: at a nearer point.
    """

    value: Value | None
    digits: int
    right: int  # of the digits
    is_whole: bool
    is_lost: bool
    is_near: bool


@lru_cache(maxsize=4_096)
def signature(
    node: Node, is_complex: bool = False, positive: bool = False
) -> tuple[Value | None, ...]:
    """Return the values at all points, None where the expression has none.

    `is_complex`: roots of negative numbers are numbers. `positive`: all symbols are positive.
    Raises NotUnderstoodError where a value would be too large to compute.
    """
    return tuple(one.value for one in _everywhere(node, is_complex, positive))


@lru_cache(maxsize=4_096)
def _everywhere(node: Node, is_complex: bool, positive: bool) -> tuple[_Found, ...]:
    if len(walk(node)) > MAX_NODES:
        raise NotUnderstoodError("too large")
    free = is_free(node)
    is_complex = is_complex or not free
    found = []
    for place in range(POINTS if free else 1):
        one = _at(place, node, is_complex, positive)
        found.append(_at(place, node, is_complex, positive, is_near=True) if one.is_lost else one)
    if any(one.is_lost for one in found) or not any(one.is_whole for one in found):
        raise NotUnderstoodError(_APART)
    return tuple(found)


def _at(
    place: int,
    node: Node,
    is_complex: bool,
    positive: bool,
    *,
    is_near: bool = False,
    least: int = DIGITS,
) -> _Found:
    """Return the value at one point, computed with `least` digits and as many as it needs."""
    needed, digits = least, 0
    number = place + POINTS * is_near
    while (more := step(node, needed)) > digits:
        digits = more
        at = Point(number, is_complex=is_complex, positive=positive, digits=digits)
        try:
            value = at.value(node)
        except (UndefinedError, ZeroDivisionError):
            value = None
        except (OverflowError, ValueError, TypeError, RecursionError) as error:
            if isinstance(error, NotUnderstoodError):
                raise
            raise NotUnderstoodError("not to be computed") from None
        needed = at.sums.needed
    is_whole = needed <= digits
    right = max(DIGITS, digits - at.sums.lost)
    is_lost = not is_whole and at.sums.has_cancelled
    return _Found(value, digits, right, is_whole, is_lost, is_near)


def agree(first: Node, second: Node) -> bool:
    """Tell whether two expressions have the same values wherever they have any."""
    if first == second:
        return True
    pairs = _pairs(first, second)
    if any((a is None) != (b is None) for a, b, _ in pairs):
        return False
    defined = [pair for pair in pairs if pair[0] is not None]
    return bool(defined) and all(_same(*pair) for pair in defined)


def _pairs(first: Node, second: Node) -> list[tuple[Value, Value, int]]:
    """Return the values of both at the same points, and how many digits of them are right.

    A constant has the same value at all points.
    """
    nodes = walk(first) + walk(second)
    is_complex = any(one.op == "constant" and one.name == "i" for one in nodes)
    positive = any(one.op in ("factorial", "binomial") for one in nodes)
    sides = [_everywhere(one, is_complex, positive) for one in (first, second)]
    found = []
    for place in range(max(map(len, sides))):
        both = [side[place % len(side)] for side in sides]
        is_near, least = any(one.is_near for one in both), max(one.digits for one in both)
        for n, node in enumerate((first, second)):
            if (both[n].is_near, both[n].digits) != (is_near, least):
                free = is_free(node)
                both[n] = _at(
                    place, node, is_complex or not free, positive, is_near=is_near, least=least
                )
        if any(one.is_lost for one in both):
            raise NotUnderstoodError(_APART)
        found.append((both[0].value, both[1].value, min(one.right for one in both)))
    return found


def proportional(first: Node, second: Node, *, positive: bool = False) -> bool:
    """Tell whether two expressions are the same but for a constant factor other than 0.

    `positive`: the factor must be greater than 0, as of two sides of an inequality.
    """
    pairs = _pairs(first, second)
    if any((a is None) != (b is None) for a, b, _ in pairs):
        return False
    defined = [pair for pair in pairs if pair[0] is not None]
    if len(defined) < 2 or any(isinstance(one, tuple) for pair in defined for one in pair):
        return False
    if any(not a or not b for a, b, _ in defined):
        return all(not a and not b for a, b, _ in defined)
    ratios = [divide(*pair) for pair in defined]
    if positive and not _real(ratios[0]) > 0:
        return False
    exact = [min(digits, defined[0][2]) for _, _, digits in defined]
    return all(_same(one, ratios[0], digits) for one, digits in zip(ratios, exact, strict=True))


def real_value(node: Node) -> Value | None:
    """Return the real number that a node without symbols stands for, None for any other."""
    if is_free(node):
        return None
    value = signature(node)[0]
    if value is None or isinstance(value, tuple):
        return None
    return value if isinstance(value, Fraction) else _real_part(value)


def constant(node: Node) -> Fraction | None:
    """Return the fraction that a node with symbols is everywhere, None for any other."""
    values = set(signature(node))
    value = values.pop()
    return value if not values and isinstance(value, Fraction) else None


def same_number(first: Value, second: Value) -> bool:
    """Tell whether two values are the same number."""
    return _same(first, second)


def _real_part(value: Value) -> Value | None:
    value = tidy(value)
    return None if hasattr(value, "_mpc_") else value


def _real(value: Value) -> Value:
    return value if isinstance(value, Fraction) else context().re(value)


def _same(first: Value, second: Value, digits: int = DIGITS) -> bool:
    if isinstance(first, tuple) or isinstance(second, tuple):
        if not isinstance(first, tuple) or not isinstance(second, tuple):
            return False
        rows = zip(first, second, strict=False)
        return len(first) == len(second) and all(_same(*row, digits) for row in rows)
    if isinstance(first, Fraction) and isinstance(second, Fraction):
        return first == second
    first, second = to_float(first, digits), to_float(second, digits)
    size = max(abs(first), abs(second))
    return bool(abs(first - second) <= tolerance(digits) * size)

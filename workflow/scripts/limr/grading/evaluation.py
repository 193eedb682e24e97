"""The value of an expression at fixed points: equal expressions have equal values everywhere.

Symbols stand for fractions drawn from their names, so that rational expressions are evaluated
exactly and all others to 50 digits. Two expressions that agree at the points are the same but for
a chance below 1e-20; what is too large to compute is not understood.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from limr.grading.arithmetic import AGREE, UndefinedError, Value, context, divide, tidy, to_float
from limr.grading.nodes import Node, is_free, walk
from limr.grading.points import Point
from limr.grading.tokens import NotUnderstoodError

POINTS = 8
MAX_NODES = 1_500


@lru_cache(maxsize=4_096)
def signature(
    node: Node, is_complex: bool = False, positive: bool = False
) -> tuple[Value | None, ...]:
    """Return the values at all points, None where the expression has none.

    `is_complex`: roots of negative numbers are numbers. `positive`: all symbols are positive.
    Raises NotUnderstoodError where a value would be too large to compute.
    """
    nodes = walk(node)
    if len(nodes) > MAX_NODES:
        raise NotUnderstoodError("too large")
    free = is_free(node)
    found = []
    for point in range(POINTS if free else 1):
        at = Point(point, is_complex=is_complex or not free, positive=positive)
        try:
            found.append(at.value(node))
        except (UndefinedError, ZeroDivisionError):
            found.append(None)
        except (OverflowError, ValueError, TypeError, RecursionError) as error:
            if isinstance(error, NotUnderstoodError):
                raise
            raise NotUnderstoodError("not to be computed") from None
    return tuple(found)


def agree(first: Node, second: Node) -> bool:
    """Tell whether two expressions have the same values wherever they have any."""
    if first == second:
        return True
    pairs = _pairs(first, second)
    if any((a is None) != (b is None) for a, b in pairs):
        return False
    defined = [(a, b) for a, b in pairs if a is not None]
    return bool(defined) and all(_same(a, b) for a, b in defined)


def _pairs(first: Node, second: Node) -> list[tuple[Value, Value]]:
    """Return the values of both at the same points; a constant has the same one at all."""
    nodes = walk(first) + walk(second)
    is_complex = any(one.op == "constant" and one.name == "i" for one in nodes)
    positive = any(one.op in ("factorial", "binomial") for one in nodes)
    values = [signature(one, is_complex, positive) for one in (first, second)]
    count = max(map(len, values))
    left, right = (one * count if len(one) == 1 else one for one in values)
    return list(zip(left, right, strict=True))


def proportional(first: Node, second: Node, *, positive: bool = False) -> bool:
    """Tell whether two expressions are the same but for a constant factor other than 0.

    `positive`: the factor must be greater than 0, as of two sides of an inequality.
    """
    pairs = _pairs(first, second)
    if any((a is None) != (b is None) for a, b in pairs):
        return False
    defined = [(a, b) for a, b in pairs if a is not None and b is not None]
    if len(defined) < 2 or any(isinstance(one, tuple) for pair in defined for one in pair):
        return False
    if any(not a or not b for a, b in defined):
        return all(not a and not b for a, b in defined)
    ratios = [divide(a, b) for a, b in defined]
    if positive and not _real(ratios[0]) > 0:
        return False
    return all(_same(ratio, ratios[0]) for ratio in ratios)


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


def _same(first: Value, second: Value) -> bool:
    if isinstance(first, tuple) or isinstance(second, tuple):
        if not isinstance(first, tuple) or not isinstance(second, tuple):
            return False
        return len(first) == len(second) and all(map(_same, first, second))
    if isinstance(first, Fraction) and isinstance(second, Fraction):
        return first == second
    first, second = to_float(first), to_float(second)
    size = max(abs(first), abs(second))
    return bool(abs(first - second) <= AGREE * size)

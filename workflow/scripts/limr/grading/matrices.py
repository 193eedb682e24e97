"""Matrices, columns and vectors in their several notations."""

from __future__ import annotations

from limr.grading import evaluation
from limr.grading.nodes import Node, symbol
from limr.grading.values import Listing, Quantity, Value


def _is_matrix(value: Value) -> bool:
    return isinstance(value, Quantity) and value.node.op == "matrix" and not value.unit


def as_matrices(gold: Value, answer: Value) -> tuple[Value, Value]:
    """Return both values, `[[1, 2], [3, 4]]` beside a matrix as a matrix."""
    if _is_matrix(gold):
        return gold, _matrix(answer)
    return (_matrix(gold), answer) if _is_matrix(answer) else (gold, answer)


def _matrix(value: Value) -> Value:
    """Return rows in brackets as a matrix, anything else unchanged."""
    items = value.items if isinstance(value, Listing) and value.opening == "[" else ()
    rows = [one.items for one in items if isinstance(one, Listing) and one.opening == "["]
    nodes = [tuple(one.node for one in row if isinstance(one, Quantity)) for row in rows]
    if not rows or len(rows) < len(items) or len({*map(len, rows), *map(len, nodes)}) > 1:
        return value
    return Quantity(Node("matrix", tuple(Node("row", row) for row in nodes)))


def column(value: Value) -> Listing | None:
    """Return a matrix of one column as a vector, None for anything else."""
    if not isinstance(value, Quantity) or not _is_matrix(value):
        return None
    rows = [row.args for row in value.node.args]
    if any(len(row) > 1 for row in rows):
        return None
    return Listing(tuple(Quantity(row[0]) for row in rows), "langle", "rangle")


def vector(gold: Listing, answer: Value) -> tuple[bool, str]:
    r"""Compare `\langle 2, 3 \rangle` with `2\mathbf{i} + 3\mathbf{j}`."""
    items = [item.node for item in gold.items if isinstance(item, Quantity)]
    if not isinstance(answer, Quantity) or len(items) < len(gold.items) or len(items) > 3:
        return False, "a vector and none"
    axes = [symbol(f"vec:{axis}") for axis in "ijk"]
    terms = tuple(Node("mul", pair) for pair in zip(items, axes, strict=False))
    return evaluation.agree(Node("add", terms), answer.node), "a vector by its components"

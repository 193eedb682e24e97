"""The same value in other letters: a function of t, a sequence by k, any integer n."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from limr.grading.nodes import Node
from limr.grading.quantifiers import INTEGER, WHOLE
from limr.grading.relations import Definition, symbols
from limr.grading.values import Value


def renamed(gold: Definition, answer: Definition) -> Value | None:
    """Return the answer's value in the gold answer's variables; None where the names differ."""
    if gold.name != answer.name or len(gold.variables) != len(answer.variables):
        return None
    if gold.variables == answer.variables:
        return answer.value
    names = dict(zip(answer.variables, gold.variables, strict=True))
    if set(names.values()) & (symbols(answer.value) - set(names)):
        return None
    found: Value = _substituted(answer.value, names)
    return found


def with_any_integer(gold: Value, answer: Value) -> tuple[Value, Value]:
    r"""Return both with one name for an integer that one side calls any: `k\pi`, `n\pi`."""
    names = symbols(gold), symbols(answer)
    if (INTEGER in names[0]) == (INTEGER in names[1]):
        return gold, answer
    found = list(WHOLE & (names[0] ^ names[1]))
    called = {INTEGER: found[0]} if len(found) == 1 else {}
    return _substituted(gold, called), _substituted(answer, called)


def is_graph(first: Definition, second: Definition) -> bool:
    """Tell whether one defines a function of a letter, and the other y by the same letter."""
    graph, function = (second, first) if first.variables else (first, second)
    is_function = len(function.variables) == 1 and graph.name not in symbols(function.value)
    return is_function and graph.name in ("y", function.name) and not graph.variables


def _substituted(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Node):
        args = tuple(_substituted(arg, names) for arg in value.args)
        is_variable = value.op == "symbol" and value.name in names
        return replace(value, args=args, name=names[value.name] if is_variable else value.name)
    if isinstance(value, tuple):
        return tuple(_substituted(item, names) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {
            field.name: _substituted(getattr(value, field.name), names) for field in fields(value)
        }
        return replace(value, **changed)
    return value

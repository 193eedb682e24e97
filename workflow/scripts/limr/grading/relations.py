"""Names and what they stand for: when an equation gives a value, and which."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from limr.grading import evaluation, pairs, phrases, strictness
from limr.grading.arithmetic import to_float
from limr.grading.nodes import Node, is_literal, letter_of, walk
from limr.grading.values import Choice, Listing, Quantity, Ratio, Relation, Text, Value

_INDEXED = re.compile(r"([a-zA-Z])_\{([a-z])\}")
_ABOUT = 0.02  # relative error of what follows an approximation sign


@dataclass(frozen=True)
class Definition:
    """A name, or a function of a variable, and its value."""

    name: str
    variables: tuple[str, ...]
    value: Value


def nodes(value: Any) -> list[Node]:
    """Return the expressions within a value."""
    if isinstance(value, Node):
        return [value]
    if isinstance(value, tuple):
        return [node for item in value for node in nodes(item)]
    if is_dataclass(value) and not isinstance(value, type):
        return [node for field in fields(value) for node in nodes(getattr(value, field.name))]
    return []


def symbols(value: Any) -> set[str]:
    """Return the names of symbols and functions within a value."""
    return {
        one.name for node in nodes(value) for one in walk(node) if one.op in ("symbol", "apply")
    }


def letter(value: Value) -> str:
    """Return the letter of a choice, or a single capital letter; "" for anything else."""
    if isinstance(value, Choice):
        return value.letter
    if isinstance(value, Quantity) and value.unit is None:
        return letter_of(value.node)
    return ""


def defined(value: Value) -> Definition | None:
    """Return what a relation defines: one fresh name on one side, `x = 5` or `f(x) = 2x`."""
    if not isinstance(value, Relation) or any(sign not in ("=", "in", "~") for sign in value.signs):
        return None
    if value.signs == ("in",):
        name = _name(value.terms[0])
        is_list = isinstance(value.terms[1], Listing)
        return replace(name, value=value.terms[1]) if name and is_list else None
    *left, last = value.terms
    if len(left) > 1 and _name(left[-1]):
        left = left[-1:]
    names = [_name(term) for term in left]
    if all(names) and names[0] and names[0].name not in symbols(last):
        indexed = _INDEXED.fullmatch(names[0].name)  # `a_n = 2n` is a function of n
        if indexed and indexed[2] in symbols(last) and not names[0].variables:
            return Definition(indexed[1] + "_{}", (indexed[2],), last)
        return replace(names[0], value=last)
    turned = _name(last)
    if turned and len(left) == 1 and not turned.variables and turned.name not in symbols(left[0]):
        return replace(turned, value=left[0])
    return None


def is_list_beside_interval(gold: Value, answer: Value) -> bool:
    r"""Tell whether one side is a list of values and the other `x \in (1, 2)`."""
    for one, other in ((gold, answer), (answer, gold)):
        if isinstance(one, Relation) and one.signs == ("in",) and isinstance(other, Listing):
            inside = one.terms[1]
            is_interval = isinstance(inside, Listing) and inside.opening in ("(", "[")
            is_list = not any(
                isinstance(item, Relation) and item.signs != ("=",) for item in other.items
            )
            if is_interval and not other.opening and is_list:
                return True
    return False


def named_sets(gold: Relation, answer: Relation) -> tuple[Value, Value]:
    """Return both, where one is a set by its name, `D = (0, 1)`, and the other `0 < x < 1`."""
    if ("=",) not in (gold.signs, answer.signs) or gold.signs == answer.signs:
        return gold, answer
    found = [defined(one) if one.signs == ("=",) else None for one in (gold, answer)]
    first, second = (
        one.value if one else side for one, side in zip(found, (gold, answer), strict=True)
    )
    return first, second


def is_product(found: Definition) -> bool:
    """Tell whether a name of two letters may be a product: `PV = nRT`, unlike `AB = 5`."""
    return len(found.name) == 2 and found.name.isupper() and bool(symbols(found.value))


def _name(term: Value) -> Definition | None:
    if isinstance(term, Choice) and term.content is None:
        return Definition(term.letter, (), term)
    if isinstance(term, Listing) and term.opening == "(" and all(map(_name, term.items)):
        return Definition(f"({', '.join(sorted(symbols(term)))})", (), term)
    if isinstance(term, Ratio) and all(node.op == "symbol" for node in term.terms):
        return Definition(":".join(node.name for node in term.terms), (), term)
    if not isinstance(term, Quantity) or term.unit is not None:
        return None
    node = term.node
    if node.op == "symbol":
        return Definition(node.name, (), term)
    if node.op == "div" and all(_is_differential(one) for one in node.args):
        return Definition("/".join("".join(sorted(symbols(one))) for one in node.args), (), term)
    if node.op == "mul" and _is_segment(node):
        return Definition("".join(sorted(symbols(node))), (), term)
    if node.op == "apply":
        variables = tuple(arg.name for arg in node.args if arg.op == "symbol")
        if len(variables) == len(node.args):
            return Definition(node.name, variables, term)
        return Definition(f"{node.name}({node.args})", (), term)
    return None


def _is_differential(node: Node) -> bool:
    """Tell whether a node is `dy`."""
    return node.op == "mul" and [one.name for one in node.args][:1] == ["d"] and len(node.args) == 2


def _is_segment(node: Node) -> bool:
    r"""Tell whether a product names a segment or an angle's size: `AB = 5`, `m\angle A = 5`."""
    letters = [one for one in walk(node) if not one.args]
    if len(letters) == 2 and any(one.name.startswith("\\angle") for one in letters):
        return any(one.name == "m" for one in letters)
    return len(letters) == 2 and all(re.fullmatch("[A-Z]", one.name) for one in letters)


def last_value(value: Relation) -> Value | None:
    r"""Return the value in which an answer's chain ends, None where the chain gives none.

    `m + n = 370 + 1 = 371` gives 371 and `3/7 \approx 0.43` gives 3/7. `2x = 10` gives nothing,
    nor does a chain of numbers that are not equal.
    """
    terms, signs = list(value.terms), list(value.signs)
    if signs[0] in ("=>", "->") and _number(terms[0]) is not None:
        return None  # `3 \to 5` is two numbers
    while "=>" in signs or "->" in signs:
        terms, signs = terms[1:], signs[1:]
    if not signs:
        return terms[0]
    if signs == ["in"]:
        return terms[1] if _name(terms[0]) else None
    if any(sign not in ("=", "~") for sign in signs):
        return None
    if not _name(terms[0]) and not _is_consistent(terms, signs):
        return None
    if "~" in signs:
        place = signs.index("~")
        exact = terms[: place + 1]
        terms = [*exact, terms[place + 1]] if len(exact) == 1 and _name(exact[0]) else exact
    if len(terms) == 1:
        return terms[0]
    if len(terms) == 2 and _name(terms[1]) and not _name(terms[0]):
        return terms[0]
    first = _name(terms[0])
    if first and first.name not in symbols(terms[-1]):
        return terms[-1]
    if _is_literal(terms[0]) and _number(terms[-1]) is not None:
        return terms[0] if not _is_literal(terms[-1]) else terms[-1]  # `9 = 3^2`
    return terms[-1] if all(_is_asked(term, terms[-1]) for term in terms[:-1]) else None


def _is_asked(term: Value, last: Value) -> bool:
    """Tell whether a left side may be what was asked for, and not an equation to be solved."""
    if isinstance(term, Text):
        return phrases.is_subject(term.words)
    if isinstance(term, Listing):
        return False
    found = nodes(term)
    if len(found) != 1:
        return bool(found)
    node = found[0]
    names = {one.name for one in walk(node) if one.op == "symbol"}
    if node.op == "apply" or not names:
        return True
    if names & symbols(last):
        return False
    is_built = node.op in ("add", "mul", "div", "power", "root") or node.name in ("ln", "log")
    return not (is_built and len(names) == 1)


def _is_literal(term: Value) -> bool:
    return isinstance(term, Quantity) and is_literal(term.node)


def _number(term: Value) -> Any:
    return evaluation.real_value(term.node) if isinstance(term, Quantity) else None


def _is_consistent(terms: list[Value], signs: list[str]) -> bool:
    """Tell whether numbers side by side are equal, or nearly so around an approximation sign."""
    for first, second, sign in zip(terms, terms[1:], signs, strict=False):
        left, right = _number(first), _number(second)
        if left is None or right is None:
            if sign == "~":
                return False
            continue
        if sign == "=" and not _is_same_amount(first, second):
            return False
        if getattr(first, "unit", None) != getattr(second, "unit", None):
            continue  # 36 seconds are about 1 minute
        left, right = to_float(left), to_float(right)
        if sign == "~" and abs(left - right) > abs(left) * _ABOUT:
            return False
    return True


def _is_same_amount(first: Value, second: Value) -> bool:
    """Tell whether two numbers are equal in their units: 1 hour and 60 minutes, 0.5 and 50 %."""
    if not isinstance(first, Quantity) or not isinstance(second, Quantity):
        return False
    possible = pairs.factors(first.unit, second.unit)
    if (first.unit is None) != (second.unit is None):
        possible += strictness.left_out(first, second)
    left, node = evaluation.real_value(first.node), second.node
    return any(
        evaluation.same_number(
            left, evaluation.real_value(Node("mul", (factor, node)) if factor else node)
        )
        for factor in possible
    )


def mapping(value: Value) -> dict[str, Value] | None:
    """Return values by name: `x = 1, y = 2` or `(x, y) = (1, 2)`; None for anything else."""
    if isinstance(value, Relation) and value.signs == ("=",):
        names, values = value.terms
        if not isinstance(names, Listing) or not isinstance(values, Listing):
            return None
        found = [_name(item) for item in names.items]
        if len(names.items) != len(values.items) or not all(found):
            return None
        return {one.name: item for one, item in zip(found, values.items, strict=True) if one}
    if not isinstance(value, Listing) or value.opening or value.joined == "or":
        return None
    definitions = [defined(item) for item in value.items]
    if not all(definitions):
        return None
    result = {one.name: one.value for one in definitions if one}
    bases = {name.partition("_")[0] for name in result}
    return result if len(result) == len(value.items) and len(bases) == len(result) else None


def item_names(value: Value) -> set[str]:
    """Return the names that the items of a list without brackets have, without their indices."""
    if not isinstance(value, Listing) or value.opening:
        return set()
    return {one.name.partition("_")[0] for one in map(defined, value.items) if one}


def have_other_names(gold: Value, answer: Value) -> bool:
    """Tell whether items have other names, or are of one name where the other side is a tuple."""
    names = item_names(gold), item_names(answer)
    is_tuple = any(isinstance(one, Listing) and one.opening == "(" for one in (gold, answer))
    return (all(names) and names[0] != names[1]) or (any(names) and is_tuple)


def unnamed(value: Value) -> Value:
    """Remove the one name of a list's items, `x = 1, x = 2`, `x_1 = 1, x_2 = 2` or `n = 1, 2`."""
    if not isinstance(value, Listing) or value.opening:
        return value
    definitions = [defined(item) for item in value.items]
    bases = {one.name.partition("_")[0] for one in definitions if one}
    bare = [
        isinstance(item, Relation)
        for item, one in zip(value.items, definitions, strict=True)
        if not one
    ]
    if len(bases) != 1 or any(bare) or not definitions[0]:
        return value
    items = tuple(
        one.value if one else item for item, one in zip(value.items, definitions, strict=True)
    )
    return replace(value, items=items)

"""The nodes of an expression, and what they say about it before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Node:
    """A node: `op`, its `args`, and the `value` of a number or the `name` of a symbol."""

    op: str
    args: tuple[Node, ...] = ()
    value: Fraction = Fraction(0)
    name: str = ""


def number(value: Fraction | int) -> Node:
    """Return a number's node."""
    return Node("number", value=Fraction(value))


def letter_of(node: Node) -> str:
    """Return the capital letter that a node is, or nothing."""
    is_letter = node.op == "symbol" and len(node.name) == 1 and "A" <= node.name <= "Z"
    return node.name if is_letter else ""


def symbol(name: str) -> Node:
    """Return a symbol's node."""
    return Node("symbol", name=name)


_E = Node("constant", name="e")
MINUS_ONE = number(-1)
PI = Node("constant", name="pi")


def negative(node: Node) -> Node:
    """Return a node's negative, a number as a number."""
    return number(-node.value) if node.op == "number" else Node("mul", (MINUS_ONE, node))


def walk(node: Node) -> list[Node]:
    """Return a node and all below it."""
    found, rest = [], [node]
    while rest:
        one = rest.pop()
        found.append(one)
        rest.extend(one.args)
    return found


def is_literal(node: Node) -> bool:
    """Tell whether a node writes a number out: digits, a fraction, a power of ten."""
    if node.op == "number":
        return True
    if node.op == "mul" and node.args[0] == MINUS_ONE:
        return is_literal(node.args[1])
    if node.op == "div":
        return all(map(is_literal, node.args))
    if node.op == "mul" and node.args[0].op == "number":
        return _is_power_of_ten(node.args[1])
    return _is_power_of_ten(node)


def _is_power_of_ten(node: Node) -> bool:
    return node.op == "power" and node.args[0] == number(10) and is_literal(node.args[1])


def has_functions(node: Node) -> bool:
    """Tell whether a node has a sine or its like, or a logarithm of a complex number."""
    found = walk(node)
    names = {one.name for one in found if one.op == "function"} - {"exp"}
    is_complex = any(one.op == "constant" and one.name == "i" for one in found)
    return bool(names if is_complex else names - {"ln", "log"})


def is_polar(node: Node) -> bool:
    """Tell whether a node has a power of e, which a sine and a cosine may write."""
    return any(one.op == "power" and one.args[0] == _E for one in walk(node))


def is_free(node: Node) -> bool:
    """Tell whether a node has a symbol, so that it is no number."""
    return any(one.op in ("symbol", "apply", "pm", "mp") for one in walk(node))


def both_signs(node: Node) -> list[Node]:
    r"""Return the two expressions that `1 \pm x` stands for; a node without such a sign alone."""
    if not any(one.op in ("pm", "mp") for one in walk(node)):
        return [node]
    return [_signed(node, turned) for turned in (False, True)]


def _signed(node: Node, turned: bool) -> Node:
    args = tuple(_signed(one, turned) for one in node.args)
    if node.op in ("pm", "mp"):
        return negative(args[0]) if (node.op == "mp") != turned else args[0]
    return replace(node, args=args)


def is_undone(node: Node) -> bool:
    """Tell whether a node is arithmetic that was left undone, or no number at all.

    Roots and constants such as pi may be as good as a number.
    """
    plain = ("number", "add", "mul", "div", "power", "factorial", "binomial", "symbol")
    return not is_literal(node) and all(
        one.op in plain or (one.op == "constant" and one.name in "ei") for one in walk(node)
    )

"""How strict a comparison is: `training` refuses what could be gamed, `evaluation` asks if equal.

`standard`, in between, is the default: it refuses arithmetic left undone, and asks for the gold
answer's unit. docs/grading.md counts the differences on real responses.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limr.grading import units
from limr.grading.nodes import (
    PI,
    Node,
    has_functions,
    is_free,
    is_literal,
    is_polar,
    is_undone,
    number,
    walk,
)
from limr.grading.values import Choice, Listing, Quantity, Value

STRICTNESS = STANDARD, TRAINING, EVALUATION = ("standard", "training", "evaluation")


def grader_of(grader: Mapping[str, Any], benchmark: Mapping[str, Any]) -> dict[str, Any]:
    """Return a study's `grader` with the strictness that a benchmark may ask for instead."""
    own = {"strictness": benchmark["strictness"]} if "strictness" in benchmark else {}
    return {**grader, **own}


def is_undone_answer(gold: Node, answer: Node, level: str) -> bool:
    r"""Tell whether an answer leaves to be computed what the gold answer has computed.

    `\cos 60^\circ` for 1/2 does, also in evaluation: an identity is what such problems ask for.
    `3+4` for 7 does elsewhere, and in training also `\sqrt{25}` for 5.
    """
    if is_literal(gold) and level == TRAINING and not is_literal(answer):
        return True
    if is_literal(gold) and level == STANDARD and is_undone(answer):
        return True
    may_have_functions = has_functions(gold) or is_free(gold) or is_polar(gold)
    return has_functions(answer) and not may_have_functions


def left_out(gold: Quantity, answer: Quantity) -> list[Node | None]:
    """Return by what an answer may be multiplied where one side alone has % or a degree sign.

    In evaluation 0.28 is 28 %, and pi/4 (radians) is 45 degrees.
    """
    if (gold.unit is None) == (answer.unit is None):
        return []
    unit = gold.unit or answer.unit
    if unit == units.PERCENT:
        size = number(100)
    elif unit == units.DEGREE and any(PI in walk(side.node) for side in (gold, answer)):
        size = Node("div", (number(180), PI))
    else:
        return []
    return [size if gold.unit else Node("div", (number(1), size))]


def same_letters(gold: Value, answer: Value) -> bool:
    """Tell whether two answers choose the same letters, as `b` for B and `A, C, D` for ACD do."""
    chosen = _letters(gold)
    if not chosen:
        return False
    if len(chosen) > 1:
        return sorted(chosen) == sorted(_letters(answer))
    is_letter = isinstance(answer, Quantity) and answer.unit is None and answer.node.op == "symbol"
    return is_letter and answer.node.name.upper() == chosen[0]  # type: ignore[union-attr]


def _letters(value: Value) -> list[str]:
    """Return the letters of choices: A, `A, C` or `AC`, each once; [] for any other value."""
    if isinstance(value, Choice) and value.content is None:
        return [value.letter]
    if isinstance(value, Listing) and not value.opening and value.joined != "or":
        found = [letter for item in value.items for letter in _letters(item)[:2] or ["", ""]]
    elif isinstance(value, Quantity) and value.unit is None:
        leaves = [one for one in walk(value.node) if one.op != "mul"]
        found = [one.name if one.op == "symbol" else "" for one in leaves]
    else:
        return []
    is_choice = all(len(one) == 1 and "A" <= one <= "J" for one in found)
    return found if is_choice and len(set(found)) == len(found) else []

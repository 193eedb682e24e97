"""Rules for two values of simple types: units, words, bases, times, ratios."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from limr.grading import evaluation, strictness, units
from limr.grading.arithmetic import to_float
from limr.grading.nodes import (
    PI,
    Node,
    both_signs,
    is_free,
    is_literal,
    negative,
    number,
    symbol,
    walk,
)
from limr.grading.tokens import NotUnderstoodError
from limr.grading.units import Unit
from limr.grading.values import (
    Based,
    Clock,
    Listing,
    Quantity,
    Ratio,
    Relation,
    Residue,
    Text,
    Value,
)

_EMPTY = symbol("emptyset")
_TEMPERATURES = {(("celsius", 1),), (("fahrenheit", 1),)}
UNDONE = "left to be computed, or no number"
_POUND, _STERLING = units.find("pound"), units.find("£")
_TEN = 10
_PRINTED = 10**12  # a decimal with a longer denominator was printed by a program


def has_order(gold: Value, answer: Value) -> bool:
    """Tell whether names stand in a tuple, whose order then counts."""
    return any(
        isinstance(value, Relation) and isinstance(value.terms[0], Listing)
        for value in (gold, answer)
    )


def factors(gold: Unit | None, answer: Unit | None) -> list[Node | None]:
    """Return by what an answer may be multiplied to be in the gold answer's unit; [] for nothing.

    A unit that one side leaves out is taken from the other; a percentage is also its number.
    """
    if gold is None or answer is None:
        return [None]
    if gold.is_known and answer.is_known:
        if gold.beside and answer.beside and not gold.beside & answer.beside:
            return []  # 3 km north, 3 km south
        if gold.dimension == answer.dimension:
            return [number(answer.scale / gold.scale)]
        turn = {gold.dimension, answer.dimension}
        if _POUND in (gold, answer) and _STERLING in (gold, answer):
            return [None]  # a pound is both
        lengths = [[(base.replace("m", "unit"), n) for base, n in dims] for dims in turn]
        if any(base == "unit" for dims in turn for base, _ in dims) and lengths[0] == lengths[1]:
            return [None]  # `12 square units` is 12 of any square
        if units.DEGREE.dimension in turn and turn & _TEMPERATURES:
            return [None]
        if turn == {units.DEGREE.dimension, units.RADIAN.dimension}:
            half = number(180)
            is_degree = gold.dimension == units.DEGREE.dimension
            return [Node("div", (half, PI)) if is_degree else Node("div", (PI, half))]
        return []
    shared = gold.words & answer.words
    return [None] if shared else []


def is_condition(value: Value) -> bool:
    """Tell whether a value is a list of conditions, such as `x > 0` and `x < 1`."""
    return isinstance(value, Listing) and any(
        isinstance(item, Relation) and item.signs != ("=",) for item in value.items
    )


def texts(gold: Value, answer: Value) -> tuple[bool, str]:
    if isinstance(gold, Text) and isinstance(answer, Text):
        stems = [[word.removesuffix("s") for word in one.words] for one in (gold, answer)]
        return stems[0] == stems[1], "words"
    text, other = (gold, answer) if isinstance(gold, Text) else (answer, gold)
    assert isinstance(text, Text)  # noqa: S101 - for mypy
    words = " ".join(text.words)
    name = other.node.name if isinstance(other, Quantity) and other.unit is None else ""
    known = {
        "no solution": ("emptyset",),
        "empty set": ("emptyset",),
        "all integers": ("\\mathbb:Z",),
        "all real numbers": ("\\mathbb:R",),
        "infinity": ("infty",),
    }
    if name and name in known.get(words, ()):
        return True, "words for a value"
    if isinstance(other, Quantity) and other.unit is None and _letters(other.node) == words:
        return True, "a word in letters"
    if text is answer:
        raise NotUnderstoodError("words where a value is asked")
    return False, "a value where words are asked"


def _letters(node: Node) -> str:
    """Return the letters that a product has, in order and in lower case; "" for anything else."""
    leaves = [one for one in walk(node) if one.op != "mul"]
    is_word = all(one.op in ("symbol", "constant") and len(one.name) == 1 for one in leaves)
    return "".join(one.name for one in leaves[::-1]).casefold() if is_word else ""


def bases(gold: Value, answer: Value) -> tuple[bool, str]:
    if isinstance(gold, Based) and isinstance(answer, Based):
        return gold == answer, "digits and base"
    based, other = (gold, answer) if isinstance(gold, Based) else (answer, gold)
    if (
        not isinstance(based, Based)
        or not isinstance(other, Quantity)
        or other.unit is not None
        or not based.digits.lstrip("-").isdecimal()
    ):
        return False, "a base and none"
    if based is answer and based.base != _TEN:
        return False, "a base where none is asked"
    return other.node == number(int(based.digits)), "digits, the base left out"


def clocks(gold: Clock, answer: Clock) -> tuple[bool, str]:
    same = (gold.hour, gold.minute) == (answer.hour, answer.minute)
    halves = {gold.half, answer.half} - {""}
    if same and len(halves) < 2:
        return True, "times of day"
    return _minutes(gold) is not None and _minutes(gold) == _minutes(answer), "times of day"


def _minutes(time: Clock) -> int | None:
    """Return the minutes since midnight, None where a half of the day is left open."""
    if time.half and 1 <= time.hour <= 12:
        return (time.hour % 12 + 12 * (time.half == "pm")) * 60 + time.minute
    is_sure = time.hour > 12 or time.hour == 0
    return time.hour % 24 * 60 + time.minute if is_sure else None


def as_ratio(value: Value) -> Ratio | None:
    """Return a ratio, or a time such as 3:20 that may be one, and 9:05 may not; else None."""
    if isinstance(value, Clock) and not value.half and value.minute > 9:
        return Ratio((number(value.hour), number(value.minute)))
    return value if isinstance(value, Ratio) else None


def ratios(gold: Ratio, answer: Ratio) -> tuple[bool, str]:
    if len(gold.terms) != len(answer.terms):
        return False, "ratios of different length"
    first, other = gold.terms[0], answer.terms[0]
    if any(not any(evaluation.signature(term)) for term in (*gold.terms, *answer.terms)):
        return False, "a ratio with 0"
    same = all(
        evaluation.agree(Node("mul", (first, b)), Node("mul", (other, a)))
        for a, b in zip(gold.terms[1:], answer.terms[1:], strict=True)
    )
    return same, "ratios in proportion"


def as_quotient(gold: Ratio, answer: Quantity) -> tuple[bool, str]:
    """Compare a ratio of two terms with a number that may stand for it, 3:2 with 3/2."""
    is_number = len(gold.terms) == 2 and answer.unit is None and is_literal(answer.node)
    same = is_number and evaluation.agree(Node("div", gold.terms), answer.node)
    return same, "a ratio as a quotient"


def is_rounding(gold: Node, answer: Node) -> bool:
    """Tell whether a gold answer is an irrational number printed to 13 decimals or more."""
    if gold.op != "number" or gold.value.denominator <= _PRINTED or is_free(answer):
        return False
    value = evaluation.real_value(answer)
    if value is None or isinstance(value, Fraction):
        return False
    return bool(abs(value - to_float(gold.value)) <= 2e-15 * abs(value))


def spread(value: Value) -> Value:
    r"""Write `1 \pm x` as the list of both values; items of a list or set likewise."""
    if isinstance(value, Quantity):
        both = _both(value)
        return Listing(both) if len(both) > 1 else value
    if isinstance(value, Listing) and value.opening in ("", "\\{"):
        items: list[Value] = []
        for item in value.items:
            items += _both(item) if isinstance(item, Quantity) else [item]
        return replace(value, items=tuple(items))
    return value


def _both(value: Quantity) -> tuple[Value, ...]:
    return tuple(replace(value, node=node) for node in both_signs(value.node))


def residues(gold: Value, answer: Value) -> tuple[bool, str]:
    """Compare residues of one modulus, or a residue and a number: the modulus may be left out."""
    if not isinstance(gold, Residue) or not isinstance(answer, Residue):
        sides = [value for value in (gold, answer) if isinstance(value, Residue | Quantity)]
        if len(sides) < 2:
            return False, "a residue and none"
        if _is_class(gold, answer) or _is_class(answer, gold):
            return True, "a residue class by its members"
        reduced = [one for one in sides if isinstance(one, Residue) and not _is_reduced(one)]
        same = not reduced and evaluation.agree(sides[0].node, sides[1].node)
        return same, "a residue, the modulus left out"
    if not evaluation.agree(gold.modulus, answer.modulus):
        return False, "another modulus"
    first, second, modulus = (
        evaluation.real_value(node) for node in (gold.node, answer.node, gold.modulus)
    )
    if isinstance(first, Fraction) and isinstance(second, Fraction) and modulus:
        return (first - second) % modulus == 0, "residues"
    return evaluation.agree(gold.node, answer.node), "residues"


def _is_class(residue: Value, members: Value) -> bool:
    """Tell whether `9k + 2` writes the members of a class of residues."""
    if not isinstance(residue, Residue) or not isinstance(members, Quantity) or members.unit:
        return False
    names = {one.name for one in walk(members.node) if one.op == "symbol"}
    modulus, node = (evaluation.real_value(one) for one in (residue.modulus, residue.node))
    if len(names) != 1 or not isinstance(node, Fraction) or not isinstance(modulus, Fraction):
        return False
    step = Node("mul", (number(modulus), symbol(names.pop())))
    start = evaluation.constant(Node("add", (members.node, negative(step))))
    return start is not None and modulus != 0 and (start - node) % modulus == 0


def _is_reduced(value: Residue) -> bool:
    """Tell whether a residue is less than its modulus, so that it may stand for the class."""
    node, modulus = evaluation.real_value(value.node), evaluation.real_value(value.modulus)
    return node is None or modulus is None or bool(0 <= to_float(node) < to_float(modulus))


def quantities(gold: Quantity, answer: Quantity, level: str) -> tuple[bool, str]:
    """Compare two expressions with their units; `level` as in `limr.grading.strictness`."""
    if is_rounding(gold.node, answer.node):
        return True, "a gold answer printed to many digits"
    if strictness.is_undone_answer(gold.node, answer.node, level):
        return False, UNDONE
    words_only = answer.unit is not None and not answer.unit.is_known
    if level == strictness.TRAINING and words_only and gold.unit is None:
        return False, "words that no table has as a unit"
    if {gold.node, answer.node} == {_EMPTY}:
        return True, "the empty set"
    rule = "values at fixed points" if not is_literal(gold.node) else "numbers"
    if gold.unit is None and answer.unit is None:
        return evaluation.agree(gold.node, answer.node), rule
    possible = factors(gold.unit, answer.unit)
    if level == strictness.EVALUATION:
        possible += strictness.left_out(gold, answer)
    if not possible:
        return False, "another unit"
    same = any(
        evaluation.agree(gold.node, Node("mul", (factor, answer.node)) if factor else answer.node)
        for factor in possible
    )
    return same, rule + (" and units" if gold.unit and answer.unit else ", a unit on one side")

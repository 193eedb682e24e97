"""Comparing two typed values: each pair of types has its rule, and every judgement names it."""

from __future__ import annotations

from collections.abc import Sequence

from limr.grading import equations, matrices, pairs, relations, renaming, strictness
from limr.grading.nodes import symbol
from limr.grading.outcomes import DIFFERENT, EQUAL, NOT_UNDERSTOOD, Judgement
from limr.grading.regions import interval, region
from limr.grading.strictness import EVALUATION, STANDARD
from limr.grading.tokens import NotUnderstoodError
from limr.grading.values import (
    Based,
    Cases,
    Choice,
    Clock,
    Combined,
    Listing,
    Quantity,
    Ratio,
    Relation,
    Residue,
    Text,
    Unread,
    Value,
)  # fmt: skip

_VECTORS = [{one, ("langle", "rangle")} for one in (("(", ")"), ("[", "]"))]
_ALIKE = ([False, False], [True, True])
MAX_QUESTIONS = 2_500  # comparisons of parts about one pair


def compare(gold: Value, answer: Value, level: str = STANDARD) -> Judgement:
    """Compare two values; `answer` may name its variable where `gold` does not.

    `level` is one of `limr.grading.strictness.STRICTNESS`.
    """
    for side, value in (("gold answer", gold), ("answer", answer)):
        if isinstance(value, Unread):
            return Judgement(NOT_UNDERSTOOD, gold.kind, f"no reading of the {side}: {value.why}")
    try:
        same, rule = _Comparison(level).same(*renaming.with_any_integer(gold, answer))
    except NotUnderstoodError as error:
        return Judgement(NOT_UNDERSTOOD, gold.kind, str(error))
    except (ArithmeticError, RecursionError, TypeError, ValueError) as error:  # as a huge number's
        return Judgement(NOT_UNDERSTOOD, gold.kind, f"not to be computed: {error}")
    return Judgement(EQUAL if same else DIFFERENT, gold.kind, rule)


class _Comparison:
    def __init__(self, level: str) -> None:
        self._questions, self._level = MAX_QUESTIONS, level

    def same(self, gold: Value, answer: Value) -> tuple[bool, str]:
        """Return whether two values are the same, and the rule that said so."""
        self._questions -= 1
        if self._questions < 0:
            raise NotUnderstoodError("too many parts to compare")
        if gold == answer:
            return True, "the same value"
        if self._level == EVALUATION and strictness.same_letters(gold, answer):
            return True, "the letters of choices"
        if isinstance(gold, Choice) or isinstance(answer, Choice):
            return self._choices(gold, answer)
        if isinstance(gold, Relation) or isinstance(answer, Relation):
            found = self._relations(gold, answer)
            if found is not None:
                return found
        named = self._mappings(gold, answer)
        if named is not None:
            return named
        if relations.have_other_names(gold, answer):
            return False, "other names"
        gold, answer = map(pairs.spread, map(relations.unnamed, (gold, answer)))
        conditions = [pairs.is_condition(value) for value in (gold, answer)]
        if isinstance(gold, Listing) and isinstance(answer, Listing) and conditions in _ALIKE:
            return self._listings(gold, answer)
        regions = self._regions(gold, answer)
        if regions is not None:
            return regions
        if isinstance(answer, Listing) and answer.joined == "or" and not isinstance(gold, Text):
            return all(self.is_same(gold, item) for item in answer.items), "each alternative"
        return self._by_type(gold, answer)

    def is_same(self, gold: Value, answer: Value) -> bool:
        """Tell whether two parts are the same."""
        return self.same(gold, answer)[0]

    def _by_type(self, gold: Value, answer: Value) -> tuple[bool, str]:
        gold, answer = matrices.as_matrices(gold, answer)
        if isinstance(gold, Quantity) and isinstance(answer, Quantity):
            return pairs.quantities(gold, answer, self._level)
        if isinstance(gold, Text) or isinstance(answer, Text):
            return pairs.texts(gold, answer)
        if isinstance(gold, Based) or isinstance(answer, Based):
            return pairs.bases(gold, answer)
        if isinstance(gold, Clock) and isinstance(answer, Clock):
            return pairs.clocks(gold, answer)
        first, second = pairs.as_ratio(gold), pairs.as_ratio(answer)
        if first and second:
            return pairs.ratios(first, second)
        if isinstance(gold, Ratio) and isinstance(answer, Quantity):
            return pairs.as_quotient(gold, answer)
        if isinstance(gold, Residue) or isinstance(answer, Residue):
            return pairs.residues(gold, answer)
        if isinstance(gold, Cases) and isinstance(answer, Cases):
            rows = [Listing(row, "(", ")") for row in gold.rows]
            others = [Listing(row, "(", ")") for row in answer.rows]
            return self._matched(rows, others), "cases in any order"
        if isinstance(gold, Combined) and isinstance(answer, Combined) and gold.sign == answer.sign:
            return self._sets(gold, answer)
        column = matrices.column(gold) or matrices.column(answer)
        if column and (isinstance(gold, Listing) or isinstance(answer, Listing)):
            return self.same(column, answer if matrices.column(gold) else gold)
        for one, other in ((gold, answer), (answer, gold)):
            if isinstance(one, Listing) and one.opening == "langle":
                return matrices.vector(one, other)
        return False, f"{gold.kind} and {answer.kind}"

    def _sets(self, gold: Combined, answer: Combined) -> tuple[bool, str]:
        """Compare sets combined by one sign; a difference has an order."""
        if gold.sign == "setminus":
            in_order = len(gold.parts) == len(answer.parts)
            in_order = in_order and all(map(self.is_same, gold.parts, answer.parts))
            return in_order, "sets in order"
        return self._matched(gold.parts, answer.parts), "sets part by part"

    def _choices(self, gold: Value, answer: Value) -> tuple[bool, str]:
        letters = [relations.letter(value) for value in (gold, answer)]
        contents = [value.content for value in (gold, answer) if isinstance(value, Choice)]
        if len(contents) == 2 and contents[0] is not None and contents[1] is not None:
            same = letters[0] == letters[1] and self.is_same(contents[0], contents[1])
            return same, "the letter of a choice and its value"
        if isinstance(gold, Choice) and letters[1]:
            return gold.letter == letters[1], "the letter of a choice"
        if isinstance(answer, Choice) and letters[0]:
            return answer.letter == letters[0], "the letter of a choice"
        if isinstance(gold, Choice) and gold.content is not None:
            return self.same(gold.content, answer)
        if (
            isinstance(answer, Choice)
            and answer.content is not None
            and not isinstance(gold, Choice)
        ):
            return self.same(gold, answer.content)
        return False, "a choice and no choice"

    def _relations(self, gold: Value, answer: Value) -> tuple[bool, str] | None:
        """Compare where one side at least is a relation; None where its value is to be compared."""
        if relations.is_list_beside_interval(gold, answer):
            return False, "a list and an interval"
        if relations.mapping(gold) is not None or relations.mapping(answer) is not None:
            return None
        if not isinstance(gold, Relation):
            if region(answer) is not None and not relations.defined(answer):
                return None
            found = relations.last_value(answer) if isinstance(answer, Relation) else None
            if found is None:
                return self._regions(gold, answer) or (False, "a relation where a value is asked")
            return self.same(gold, found)
        if not isinstance(answer, Relation):
            definition = relations.defined(gold)
            if definition is not None and not relations.is_product(definition):
                return self.same(definition.value, answer)
            if region(gold) is not None:
                return None
            return self._regions(gold, answer) or (False, "a relation is not one of its sides")
        return self._both_relations(gold, answer)

    def _both_relations(self, gold: Relation, answer: Relation) -> tuple[bool, str] | None:
        first, second = relations.defined(gold), relations.defined(answer)
        if first and second:
            renamed = renaming.renamed(first, second)
            if renamed is not None:
                return self.same(first.value, renamed)
            if renaming.is_graph(first, second):
                return self.same(first.value, second.value)
        elif first and answer.signs[0] == "=" and answer.terms[0] in gold.terms:
            last = relations.last_value(answer)
            if last is not None:
                return self.same(first.value, last)
        regions = self._regions(*relations.named_sets(gold, answer))
        if regions is not None:
            return regions
        if equations.same_equation(gold, answer):
            return True, "the same equation or inequality"
        if len(gold.terms) != len(answer.terms):
            return False, "relations of different length"
        for terms, signs in ((answer.terms, answer.signs), equations.turned(answer)):
            if signs == gold.signs and all(map(self.is_same, gold.terms, terms)):
                return True, "relations term by term"
        return False, "relations"

    def _regions(self, gold: Value, answer: Value) -> tuple[bool, str] | None:
        r"""Compare sets of real numbers; None where one is none, or both may be tuples."""
        if (
            isinstance(gold, Listing)
            and isinstance(answer, Listing)
            and gold.opening
            and answer.opening
        ):
            return None
        left, right = region(gold), region(answer)
        if left is not None and right is not None:
            same_letter = not left.letter or not right.letter or left.letter == right.letter
            is_point_list = isinstance(gold, Listing) and not gold.opening
            if is_point_list and not left.letter and not isinstance(answer, Relation | Combined):
                return None
            return same_letter and left.cuts == right.cuts, "sets of real numbers"
        return self._ends(gold, answer)

    def _ends(self, gold: Value, answer: Value) -> tuple[bool, str] | None:
        """Compare an inequality and an interval whose ends are expressions."""
        found = [
            interval(value) if isinstance(value, Relation) else None for value in (gold, answer)
        ]
        if not any(found):
            return None
        if all(found) and found[0] and found[1] and found[0][0] != found[1][0]:
            return None
        sides = [one[1] if one else value for one, value in zip(found, (gold, answer), strict=True)]
        if not all(isinstance(side, Listing) and side.opening in ("(", "[") for side in sides):
            return None
        return self.same(*sides)

    def _mappings(self, gold: Value, answer: Value) -> tuple[bool, str] | None:
        """Compare values by their names, `x = 3, y = 5` and `(x, y) = (3, 5)`."""
        first, second = relations.mapping(gold), relations.mapping(answer)
        if first is None and second is None:
            return None
        if first is not None and second is not None:
            if set(first) != set(second):
                return False, "other names"
            return all(self.is_same(first[name], second[name]) for name in first), "values by name"
        named, other = (first, answer) if first is not None else (second, gold)
        if relations.item_names(other):
            return False, "other names"
        if named is None or not isinstance(other, Listing) or other.opening not in ("", "("):
            return None
        ordered = (
            sorted(named.items()) if not pairs.has_order(gold, answer) else list(named.items())
        )
        values = Listing(tuple(value for _, value in ordered), "(", ")")
        pair = (values, other) if first is not None else (other, values)
        return self.same(*pair)

    def _listings(self, gold: Listing, answer: Listing) -> tuple[bool, str]:
        unordered = ("", "\\{")
        if "\\{" in (gold.opening, answer.opening) and not (
            gold.opening in unordered and answer.opening in unordered
        ):
            return False, "a set and a tuple"
        is_all_asked = gold.joined == "and" or all(map(relations.letter, gold.items))
        if is_all_asked and gold.joined != "or" and answer.joined == "or":
            return False, "alternatives where all are asked"
        if gold.opening in unordered and answer.opening in unordered:
            return self._unordered(gold, answer)
        brackets = {(one.opening, one.closing) for one in (gold, answer) if one.opening}
        if len(brackets) > 1 and brackets not in _VECTORS:
            return False, "other brackets"
        if "" in (gold.opening, answer.opening) and brackets != {("(", ")")}:
            return False, "a list and an interval"
        if len(gold.items) != len(answer.items):
            return False, "lists of different length"
        return all(map(self.is_same, gold.items, answer.items)), "items in order"

    def _unordered(self, gold: Listing, answer: Listing) -> tuple[bool, str]:
        items, others = list(gold.items), list(answer.items)
        if (gold.opening and answer.opening) or all(
            isinstance(item, Listing) for item in (*items, *others)
        ):
            items, others = self._distinct(items), self._distinct(others)
        if len(items) != len(others):
            return self._regions(gold, answer) or (False, "lists of different length")
        if any(isinstance(item, Quantity) and item.node == symbol("ldots") for item in items):
            return all(map(self.is_same, items, others)), "items in order"
        if gold.joined == "and" and isinstance(items[0], Relation):
            return self._matched(items, others), "conditions in any order"
        is_other_word = {gold.joined, answer.joined} == {"and", "or"} and pairs.is_condition(gold)
        if not is_other_word and self._matched(items, others):
            return True, "items in any order"
        return self._regions(gold, answer) or (False, "items in any order")

    def _distinct(self, items: Sequence[Value]) -> list[Value]:
        kept: list[Value] = []
        for item in items:
            if not any(self.is_same(one, item) for one in kept):
                kept.append(item)
        return kept

    def _matched(self, items: Sequence[Value], others: Sequence[Value]) -> bool:
        """Tell whether each item has a partner of its own."""
        rest = list(others)
        for item in items:
            partner = next((other for other in rest if self.is_same(item, other)), None)
            if partner is None:
                return False
            rest.remove(partner)
        return not rest

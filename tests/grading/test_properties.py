"""Properties of the grader: what no change of an answer may do to its verdict.

`make test-long` tries each of the nine 100,000 times: three quarters of an hour of one core.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import hypothesis.strategies as st
import pytest
from answer_grammar import (
    ALTERNATIVES,
    REWRITES,
    SPELLINGS,
    VALUES,
    answers,
    computed,
    numbers,
    trees,
    written,
)
from hypothesis import HealthCheck, assume, given, settings

from limr.grading import evaluation
from limr.grading.equality import equal, judge
from limr.grading.grade import Grader
from limr.grading.outcomes import EQUAL
from limr.grading.units import find

SIGN, LETTER = r"[+-]", r"(?<![a-zA-Z\\{])(?![ei])[a-zA-Z](?![a-zA-Z.])"
MANY = 100_000  # examples of each property in test-long


def no_alternative(answer, form):
    assert not equal(answer, form.format(answer))


def every_rewrite(answer, form, spelling):
    assert equal(answer, answer)
    assert equal(answer, form.format(answer))
    old, new = spelling
    if old == r"\text" and " " in answer.partition(r"\text")[2]:
        return
    if old != "x" or not re.search(r"\\(?:text|begin)", answer):
        assert equal(answer, answer.replace(old, new))


def no_other_sign(answer, place):
    signs = [found.start() for found in re.finditer(SIGN, answer)]
    at = signs[place % len(signs)]
    other = "-" if answer[at] == "+" else "+"
    assert not equal(answer, answer[:at] + other + answer[at + 1 :])


def no_other_case(answer, place):
    letters = [found.start() for found in re.finditer(LETTER, answer)]
    at = letters[place % len(letters)]
    assert not equal(answer, answer[:at] + answer[at].swapcase() + answer[at + 1 :])


def no_other_digit(answer, place, change):
    assume("pmod" not in answer)  # the same class, by chance
    digits = [found.start() for found in re.finditer(r"\d", answer)]
    at = digits[place % len(digits)]
    digit = (int(answer[at]) + change) % 10
    changed = answer[:at] + str(digit) + answer[at + 1 :]
    assume(not re.search(r"(?<!\d)0|\.\d*0(?!\d)", changed))  # `0{x}`, `-0` and `1.20` say no more
    if ":" in answer and "text" not in answer:  # in proportion, by chance
        terms = [Fraction(*map(int, text.split(":"))) for text in (answer, changed)]
        assume(terms[0] != terms[1])
    if r"\frac" in answer or answer.count(",") == 2:
        assume(sorted(re.findall(r"\d+", answer)) != sorted(re.findall(r"\d+", changed)))
        first, second = (re.findall(r"\d+", text) for text in (answer, changed))
        assume(int(first[0]) * int(second[1]) != int(first[1]) * int(second[0]))
    assert not equal(answer, changed)


def scales(amount, first, second):
    """Units are equal after conversion, and only then."""
    one, other = find(first), find(second)
    same = one.dimension == other.dimension and one.scale == other.scale
    assert equal(f"{amount}\\text{{ {first}}}", f"{amount}\\text{{ {second}}}") is same
    if one.dimension == other.dimension:
        converted = amount * one.scale / other.scale
        text = f"\\frac{{{converted.numerator}}}{{{converted.denominator}}}"
        assert equal(f"{amount}\\text{{ {first}}}", f"{text}\\text{{ {second}}}")


def the_same_tree(tree, style, other):
    """However an expression is written, it is the same."""
    first, second = written(tree, style), written(tree, other)
    assume(any(letter in first for letter in "xyn"))
    assume(values(tree) is not None)
    assert equal(first, second)


def another_tree(tree, other, style):
    """Two expressions are equal where Python computes the same values, and only there."""
    first, second = written(tree, style), written(other, ~style)
    assume(any(letter in first for letter in "xyn"))
    found = values(tree), values(other)
    assume(None not in found)
    assert equal(first, second) is (found[0] == found[1])


def values(tree):
    try:
        return [computed(tree, at) for at in VALUES]
    except ZeroDivisionError:
        return None


def no_memory(pairs, order):
    """Verdicts do not depend on the order, on threads, or on what was judged before."""
    items = [pairs[place % len(pairs)] for place in order]
    grader = Grader()
    responses = [(gold, f"\\boxed{{{answer}}}") for gold, answer in items]
    with ThreadPoolExecutor(4) as threads:
        together = list(
            threads.map(lambda item: grader.grade(*item, truncated=False).verdict, responses)
        )
    alone = {}
    for gold, answer in pairs:
        judge.cache_clear()
        evaluation.signature.cache_clear()
        alone[gold, answer] = judge(gold, answer).outcome == EQUAL
    assert [verdict == "correct" for verdict in together] == [alone[item] for item in items]


PROPERTIES = {
    "no alternative": (no_alternative, (answers(), st.sampled_from(ALTERNATIVES))),
    "every rewrite": (
        every_rewrite,
        (answers(), st.sampled_from(REWRITES), st.sampled_from(SPELLINGS)),
    ),
    "no other sign": (no_other_sign, (answers(SIGN), st.integers(0, 9))),
    "no other case": (no_other_case, (answers(LETTER), st.integers(0, 9))),
    "no other digit": (no_other_digit, (answers(), st.integers(0, 30), st.integers(1, 9))),
    "the same tree": (the_same_tree, (trees(), st.integers(0, 255), st.integers(0, 255))),
    "another tree": (another_tree, (trees(2), trees(2), st.integers(0, 255))),
    "no memory": (
        no_memory,
        (
            st.lists(
                st.tuples(answers(), answers()) | answers().map(lambda one: (one, one)),
                min_size=2,
                max_size=4,
            ),
            st.lists(st.integers(0, 9), min_size=2, max_size=6),
        ),
    ),
    "scales": (
        scales,
        (
            numbers,
            st.sampled_from(["mm", "cm", "m", "km", "kg", "g", "s", "min", "hours", "mL", "L"]),
            st.sampled_from(["mm", "inches", "miles", "grams", "lb", "hours", "days", "liters"]),
        ),
    ),
}


@pytest.mark.parametrize("name", PROPERTIES)
@pytest.mark.parametrize(
    "examples",
    [pytest.param(100, id="some"), pytest.param(MANY, id="many", marks=pytest.mark.long)],
)
def test_property(name, examples):
    check, strategies = PROPERTIES[name]
    quiet = settings(
        max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.filter_too_much]
    )
    run = given(*strategies)(check)
    quiet(run)()

"""Judgements by kind, and what no mutation of an answer may do to them."""

import math
import time
from fractions import Fraction

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from judgement_pairs import judged

from limr.grading.answers import read
from limr.grading.equality import equal, judge
from limr.grading.outcomes import DIFFERENT, EQUAL, NOT_UNDERSTOOD
from limr.grading.regions import region

PAIRS = judged()


@pytest.mark.parametrize(
    ("gold", "answer", "same"),
    [pair[1:4] for pair in PAIRS],
    ids=[f"{kind}: {answer} ({why})" for kind, _, answer, _, why in PAIRS],
)
def test_kind(gold, answer, same):
    found = judge(gold, answer)
    assert (found.outcome == EQUAL) is same, found
    assert found.kind
    assert found.rule


def test_outcomes_are_three():
    assert judge("5", "6").outcome == DIFFERENT
    assert judge("5", "5.0").outcome == EQUAL
    assert judge("5", "5 \\text{ is a guess}").outcome == NOT_UNDERSTOOD
    assert judge("", "5").outcome == DIFFERENT


@given(st.integers(-9, 9), st.integers(1, 9), st.integers(-9, 9), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_unions_agree_with_membership(a, first_length, c, second_length):
    """An independent count: two unions are equal where the same half integers are members."""
    b, d = a + first_length, c + second_length
    first = f"({a},{b}]\\cup[{c},{d})"
    second = f"[{c},{d})\\cup({a},{b}]"
    assert region(read(first)).cuts == region(read(second)).cuts

    def members(low, high, opening, closing):
        points = [Fraction(n, 2) for n in range(-40, 41)]
        return {
            p
            for p in points
            if (low < p or (low == p and opening == "["))
            and (p < high or (p == high and closing == "]"))
        }

    union = members(a, b, "(", "]") | members(c, d, "[", ")")
    whole = members(min(a, c), max(b, d), "[" if c <= a else "(", "]" if b >= d else ")")
    hull = f"{'[' if c <= a else '('}{min(a, c)},{max(b, d)}{']' if b >= d else ')'}"
    assert equal(hull, first) is (union == whole)


@given(st.integers(1, 30), st.integers(0, 29))
@settings(max_examples=40, deadline=None)
def test_numbers_agree_with_python(n, k):
    k = k % n + 1
    gold = f"{math.comb(n, k)}x"
    assert equal(gold, f"\\binom{{{n}}}{{{k}}}x")
    assert not equal(gold, f"\\binom{{{n + 1}}}{{{k}}}x") or math.comb(n, k) == math.comb(n + 1, k)


@pytest.mark.parametrize(
    "answer",
    [
        "5\\text{ kg}^{99}",
        "10^{10}\\text{ kg}^{99}\\text{ m}^{99}",
        "\\cup".join(f"[{n},{n + 1})" for n in range(300)),
        " \\text{ or } ".join(map(str, range(800))),
        ", ".join(f"\\sqrt{{{n}}}" for n in range(64)),
        "((((((5!)!)!)!)!)!)!",
        "(x!)!!",
        "\\sin(10^{10^{10}})",
        "\\lfloor 10^{10^{9}} \\rfloor",
        "\\binom{x^{999}}{y^{999}}",
        "\\frac{1}{" * 30 + "1" + "}" * 30,
        "|" * 400,
        "\\begin{pmatrix}" + "1 & " * 150 + "1\\end{pmatrix}" * 3,
        "x^{x^{x^{x^{x}}}}",
        "+".join(f"{n}^{{{n}x}}" for n in range(2, 30)),
        "-" * 500 + "5",
        "\\text{" * 15 + "5" + "}" * 15,
    ],
)
@pytest.mark.timeout(20)
def test_what_explodes_is_bounded(answer):
    start = time.process_time()
    assert not equal("7", answer)
    assert not equal("x^2+1", answer)
    assert not equal(answer, "7")
    assert time.process_time() - start < 5

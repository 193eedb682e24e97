"""Judgements by kind, and what no mutation of an answer may do to them."""

import math
import re
import time
from fractions import Fraction

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, assume, given, settings
from judgement_pairs import judged

from limr.grading.answers import read
from limr.grading.comparison import DIFFERENT, EQUAL, NOT_UNDERSTOOD
from limr.grading.equality import equal, judge
from limr.grading.regions import region
from limr.grading.units import find

PAIRS = judged()
MANY = 20_000  # examples of each of the six properties in test-long: 120,000


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


# --- answers by grammar: (text, a text that differs in value), both well formed
numbers = st.integers(2, 10**6)
units = st.sampled_from(["cm", "km", "kg", "mL", "hours", "minutes", "m/s", "km/h", "dollars"])


@st.composite
def answers(draw):
    """Return an answer of any of the common types."""
    a, b = draw(numbers), draw(numbers)
    letters = draw(st.permutations("abkmnpqrtuvxyz"))
    x, y = letters[:2]
    return draw(
        st.sampled_from(
            [
                f"{a}",
                f"-{a}",
                f"{a}.{b}",
                f"\\frac{{{a}}}{{{b}}}",
                f"{a}\\sqrt{{{b}}}",
                f"{a}+{b}i",
                f"({a}, {b})",
                f"\\{{{a}, {b}\\}}",
                f"[{min(a, b)}, {max(a, b) + 1})",
                f"{a}, {b}, {a}",
                f"{a}:{b}",
                f"{a}{x}^2-{b}{y}",
                f"{x} = {a}{y}",
                f"{x} \\le {a}",
                f"{a}\\pi",
                f"{a}\\text{{ {draw(units)}}}",
                f"\\begin{{pmatrix}} {a} \\\\ {b} \\end{{pmatrix}}",
                f"{a} \\text{{ and }} {b}",
            ]
        )
    )


ALTERNATIVES = (
    "{} \\text{{ or }} 1000003",
    "1000003 \\text{{ or }} {}",
    "{}, 1000003",
    "{} or 1000003",
    "{} \\text{{ or }} not",
    "\\text{{not }} {}",
    "{}\\text{{ is wrong}}",
    "{}\\text{{ or more}}",
    "{}\\text{{ and a half}}",
    "{} \\sim 1000003",
    "{} \\ne 1000003",
    "{} < 1000003",
    "{}; 1000003",
    "{}?",
    "\\text{{at least }} {}",
    "\\{{{}, 1000003\\}}",
)
REWRITES = (
    "${}$",
    "\\({}\\)",
    "{{{}}}",
    "{}.",
    " {} ",
    "\\displaystyle {}",
    "\\Large {}",
    "\\boldsymbol{{{}}}",
    "{{\\bf {}}}",
    "\\color{{red}}{{{}}}",
    "\\boxed{{{}}}",
    "**{}**",
    "\\text{{The answer is }} {}",
    "\\text{{Answer: }} {}",
    "\\quad {} \\quad",
)
SPELLINGS = (
    (r"\frac", r"\dfrac"),
    ("(", r"\left("),
    (")", r"\right)"),
    (", ", ",\\ "),
    ("-", "−"),
    (r"\le", r"\leq"),
    (r"\text", r"\mathrm"),
    ("^2", "^{2}"),
    ("x", "{x}"),
    (r"\sqrt", r"\sqrt "),
)


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
    signs = [found.start() for found in re.finditer(r"[+-]", answer)]
    assume(signs)
    at = signs[place % len(signs)]
    other = "-" if answer[at] == "+" else "+"
    assert not equal(answer, answer[:at] + other + answer[at + 1 :])


def no_other_case(answer, place):
    letters = [
        found.start() for found in re.finditer(r"(?<![a-zA-Z\\{])[a-zA-Z](?![a-zA-Z])", answer)
    ]
    letters = [at for at in letters if answer[at] not in "ei"]
    assume(letters)
    at = letters[place % len(letters)]
    assert not equal(answer, answer[:at] + answer[at].swapcase() + answer[at + 1 :])


def no_other_digit(answer, place, change):
    digits = [found.start() for found in re.finditer(r"\d", answer)]
    at = digits[place % len(digits)]
    digit = (int(answer[at]) + change) % 10
    changed = answer[:at] + str(digit) + answer[at + 1 :]
    assume(not re.search(r"(?<!\d)0|\.\d*0(?!\d)", changed))  # `0{x}`, `-0` and `1.20` say no more
    if ":" in answer:  # in proportion, by chance
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


PROPERTIES = {
    "no alternative": (no_alternative, (answers(), st.sampled_from(ALTERNATIVES))),
    "every rewrite": (
        every_rewrite,
        (answers(), st.sampled_from(REWRITES), st.sampled_from(SPELLINGS)),
    ),
    "no other sign": (no_other_sign, (answers(), st.integers(0, 9))),
    "no other case": (no_other_case, (answers(), st.integers(0, 9))),
    "no other digit": (no_other_digit, (answers(), st.integers(0, 30), st.integers(1, 9))),
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
    [pytest.param(150, id="some"), pytest.param(MANY, id="many", marks=pytest.mark.long)],
)
def test_property(name, examples):
    check, strategies = PROPERTIES[name]
    quiet = settings(
        max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.filter_too_much]
    )
    run = given(*strategies)(check)
    quiet(run)()


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

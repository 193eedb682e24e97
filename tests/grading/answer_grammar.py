"""Answers by grammar, of all common types, and what may and may not be done to them.

Also expressions as trees, which are written in several ways and computed by Python's fractions: a
second opinion on whether two of them are equal.
"""

import re
from fractions import Fraction
from itertools import permutations

import hypothesis.strategies as st

numbers = st.integers(2, 10**6)
small = st.integers(2, 9)
TWO_LETTERS = list(permutations("abkmnpqrtuvxyz", 2))
UNITS = ["cm", "km", "kg", "mL", "hours", "minutes", "m/s", "km/h", "dollars"]


@st.composite
def answers(draw, having=""):
    """Return an answer of any of the common types that matches a pattern."""
    a, b = draw(numbers), draw(numbers)
    k = draw(small)
    x, y = draw(st.sampled_from(TWO_LETTERS))
    low, high = min(a, b), max(a, b) + 1
    forms = [
        f"{a}",
        f"-{a}",
        f"{a}.{b}",
        f"\\frac{{{a}}}{{{b}}}",
        f"{a}\\sqrt{{{b}}}",
        f"{a}+{b}i",
        f"({a}, {b})",
        f"\\{{{a}, {b}\\}}",
        f"[{low}, {high})",
        f"(-\\infty, {low}] \\cup ({high}, \\infty)",
        f"{a}, {b}, {a}",
        f"{a}:{b}",
        f"{a}{x}^2-{b}{y}",
        f"{a}^{{{x}-{k}}}",
        f"{x}_{{{k}}}+{a}{y}",
        f"{x} = {a}{y}",
        f"{x} = {a}, {y} = -{b}",
        f"{x} \\le {a}",
        f"{low} < {x} \\le {high}",
        f"f({x}) = {a}{x}+{b}",
        f"{a}\\pi",
        f"\\log_{{{k}}} {a}",
        f"{a}\\text{{ {draw(st.sampled_from(UNITS))}}}",
        f"{a} \\text{{ hours }} {k} \\text{{ minutes}}",
        f"{k}:{30 + k} \\text{{ p.m.}}",
        f"{a} \\pmod{{{a + b}}}",
        f"1{k}2_{{1{k}}}",
        f"\\begin{{pmatrix}} {a} \\\\ {b} \\end{{pmatrix}}",
        f"{a} \\text{{ and }} {b}",
    ]
    return draw(st.sampled_from([form for form in forms if re.search(having, form)]))


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
    "{} / 1000003",
    "{} \\text{{ minus }} 1000003",
    "\\text{{not }} {} \\text{{ but }} 1000003",
    "1000003 \\lor {}",
    "\\text{{at least }} {}",
    "\\{{{}, 1000003\\}}",
    "\\text{{only }} {} \\text{{ fails}}",
    "{} \\text{{ fails}}",
    "{} \\text{{ withdrawn}}",
    "\\text{{wrong}} = {}",
    "\\text{{twice the number}} = {}",
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
    "= {}",
    "\\text{{exactly }} {}",
    "{} \\text{{ is the answer}}",
    "\\framebox{{{}}}",
    "\\textcolor{{blue}}{{{}}}",
    "\\therefore {}",
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


# --- trees: a number, a letter, or (operation, left, right)
VALUES = [{"x": 101, "y": 211, "n": 3}, {"x": 307, "y": 53, "n": 4}, {"x": 997, "y": 13, "n": 6}]


EXPONENTS = st.one_of(
    st.integers(2, 4),
    st.just("n"),
    st.tuples(st.sampled_from("+-"), st.just("n"), st.integers(1, 2)),
)


def trees(depth=3):
    """Return expressions in x, y and n that no value of the letters makes large."""
    leaves = st.one_of(st.integers(1, 9), st.sampled_from("xyn"))
    powers = st.tuples(st.just("^"), st.sampled_from("xy2"), EXPONENTS)
    parts = st.one_of(leaves, powers)
    for _ in range(depth):
        parts = st.one_of(parts, st.tuples(st.sampled_from("+-*/"), parts, parts))
    return parts


def computed(tree, at):
    """Return a tree's value as a fraction; ZeroDivisionError where it has none."""
    if isinstance(tree, int):
        return Fraction(tree)
    if isinstance(tree, str):
        return Fraction(at.get(tree, 2))
    op, left, right = tree
    first, second = computed(left, at), computed(right, at)
    if op == "^":
        return first ** int(second)
    return (
        {"+": first + second, "-": first - second, "*": first * second}[op]
        if op != "/"
        else (first / second)
    )


def written(tree, style, place=0):
    """Return a tree as a text; `style` chooses among spellings, by place."""
    if not isinstance(tree, tuple):
        return str(tree)
    op, left, right = tree
    first, second = written(left, style, 2 * place + 1), written(right, style, 2 * place + 2)
    choice = style >> (place % 8) & 1
    if op == "^":
        return f"{first}^{{{second}}}" if choice or len(second) > 1 else f"{first}^{second}"
    if op == "/" and choice:
        return f"\\frac{{{first}}}{{{second}}}"
    brackets = "\\left({}\\right)" if choice else "({})"
    first = brackets.format(first) if isinstance(left, tuple) and left[0] != "^" else first
    second = brackets.format(second) if isinstance(right, tuple) and right[0] != "^" else second
    if op == "*":
        return first + (" \\cdot " if choice else "*") + second
    return f"{first} {op} {second}"

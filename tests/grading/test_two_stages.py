"""math-verify's LaTeX parsed by SLL first: the same trees and the same errors as by LL alone."""

import json

import pytest
from latex2sympy2_extended.latex2sympy2 import _Latex2Sympy

from limr.grading import two_stages

BY_LL = _Latex2Sympy.create_parser
TEXTS = [
    r"\frac{1}{2}",
    r"3\sqrt{13}+x^{2}",
    r"(3,\frac{\pi}{2})",
    r"x\le 3, x > -1",
    r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}",
    r"\{1,2\}\cup[3,4)",
    r"f(x)=x!\cdot\log_2 8",
    r"\deg f=4",  # an error of the lexer
    r"\frac{1}{2",  # of the parser
    r"66\frac{2}{3}\%",
]


@pytest.fixture
def by_both(monkeypatch):
    monkeypatch.setattr(_Latex2Sympy, "create_parser", BY_LL)
    two_stages.install.__wrapped__()
    return {"LL": BY_LL, "SLL first": _Latex2Sympy.create_parser}


def said(create_parser, text):
    parser = create_parser(_Latex2Sympy(), text)
    try:
        return parser.math().toStringTree(recog=parser)
    except Exception as error:  # noqa: BLE001 - also what it says
        return repr(error)


@pytest.mark.parametrize("text", TEXTS)
def test_trees_and_errors_are_the_same(by_both, text):
    found = {name: said(parser, text) for name, parser in by_both.items()}
    assert found["LL"] == found["SLL first"]


def test_nothing_but_an_error_of_syntax_is_tried_again(by_both):
    parser = by_both["SLL first"](_Latex2Sympy(), "x+1")
    parser.getTokenStream().LT = lambda _: 1 / 0
    with pytest.raises(ZeroDivisionError):
        parser.math()


@pytest.mark.long
def test_all_gold_answers(by_both, mirror):
    rows = json.loads((mirror / "limr/math_full.json").read_text())
    for text in {row["answer"] for row in rows}:
        assert said(by_both["LL"], text) == said(by_both["SLL first"], text), text

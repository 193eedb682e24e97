"""Format rules one by one, the reason of each verdict, and the preset."""

import sys
import types

import pytest

from limr import grading
from limr.grading import formats, notation
from limr.grading.boxes import last_box
from limr.grading.equality import why_not
from limr.grading.grade import GRADER_VERSION, Grade, Grader


def test_format_rules_one_by_one():
    assert formats.has_no_box("boxed{5}")
    assert not formats.has_no_box("\\boxed{5}")
    assert formats.has_too_many_boxes("\\boxed{5}" * 5, 4)
    assert not formats.has_too_many_boxes("\\boxed{5}" * 4, 4)
    assert not formats.has_too_many_boxes("\\boxed{5}" * 500, None)
    assert formats.is_too_long("x" * 200_001)
    assert not formats.is_too_long("x" * 200_000)


def test_repeated_mathematics_is_no_repetition():
    assert not formats.is_repeated(
        "9 \\times 10 \\times 10 \\times 10 \\times 10 \\times 10 \\times 10"
    )
    assert not formats.is_repeated("(1-i)" * 8)
    assert formats.is_repeated("(1-i)" * 40)  # 200 characters
    assert formats.is_repeated("we go " * 5)
    assert formats.is_repeated("\\times word " * 5)
    assert formats.is_repeated("imes \\times xyz \\t" * 5)


@pytest.mark.parametrize(
    ("gold", "response", "truncated", "verdict", "reason"),
    [
        ("5", "\\boxed{5}", False, "correct", ""),
        ("5", "\\boxed{6}", False, "incorrect", "different"),
        ("5", "\\boxed{3+2}", False, "incorrect", "not-compared"),
        ("x", "\\boxed{x^{x^{x}}}", False, "incorrect", "different"),
        (
            "x",
            "\\boxed{" + "+".join(f"x^{i}" for i in range(999)) + "}",
            False,
            "incorrect",
            "not-understood",
        ),
        ("x", "\\boxed{\\sum_{k=1}^n k}", False, "incorrect", "different"),
        ("5", "\\boxed{5 \\text{ probably}}", False, "incorrect", "not-understood"),
        ("x", "\\boxed{y}", False, "incorrect", "different"),
        ("\\text{even}", "\\boxed{odd}", False, "incorrect", "different"),
        ("5", "\\boxed{}", False, "incorrect", "different"),
        ("", "\\boxed{5}", False, "incorrect", "no-gold"),
        (" ", "\\boxed{}", False, "incorrect", "no-gold"),
        ("5", "5", False, "malformed", "no-box"),
        ("5", "\\boxed{5", False, "malformed", "no-box"),
        ("5", "\\boxed{5}", True, "malformed", "truncated"),
        ("5", "\\boxed{5}" * 5, False, "malformed", "too-many-boxes"),
        ("5", "中文" * 40 + "\\boxed{5}", False, "malformed", "garbled"),
        ("5", "so then " * 5 + "\\boxed{5}", False, "malformed", "repeated"),
        ("5", "\\boxed{5}" + "x" * 200_000, False, "malformed", "too-long"),
    ],
)
def test_each_verdict_has_its_reason(gold, response, truncated, verdict, reason):
    found = Grader().grade(gold, response, truncated=truncated)
    assert (found.verdict, found.reason) == (verdict, reason)
    assert found.format == (reason if verdict == "malformed" else "")


def test_what_is_not_understood_is_not_called_different():
    assert why_not("\\sqrt{2}", "\\sqrt{3}") == "different"
    assert why_not("2", "1+1") == "not-compared"  # left undone
    assert why_not("2", "2 \\clubsuit [") == "not-understood"
    assert why_not("2", "it seems to be 2") == "not-understood"


def test_version():
    assert GRADER_VERSION == 7


def test_the_papers_preset(monkeypatch):
    paper = types.ModuleType("limr.grading.paper")
    paper.broken_rule = lambda response, truncated: "repeated" if "again" in response else ""
    paper.equal = lambda gold, answer: (gold, answer) == ("5", "\\frac{5}{1}")
    paper.last_box = lambda response: last_box(response) if "hidden" not in response else None
    monkeypatch.setitem(sys.modules, "limr.grading.paper", paper)
    monkeypatch.setattr("limr.grading.paper", paper, raising=False)
    grader = Grader({"preset": "paper", "max_boxes": 1})
    assert grader.grade("5", "\\boxed{5}", truncated=False) == Grade(
        "incorrect", "", "5", "different"
    )
    answer = "\\frac{5}{1}"
    right = grader.grade("5", f"\\boxed{{5}} or \\boxed{{{answer}}}", truncated=False)
    assert right == Grade("correct", "", answer, "")
    assert grader.grade("5", "again \\boxed{5}", truncated=False).format == "repeated"
    assert grader.grade("5", "hidden \\boxed{5}", truncated=False).reason == "no-box"
    assert grader.grade("2, 3", "\\boxed{2}, \\boxed{3}", truncated=False).answer == "3"


def test_the_default_does_not_load_the_preset(monkeypatch):
    monkeypatch.delattr(grading, "paper", raising=False)
    monkeypatch.setitem(sys.modules, "limr.grading.paper", None)  # an import of it fails
    assert Grader().grade("5", "\\boxed{5}", truncated=False).verdict == "correct"
    with pytest.raises(ImportError):
        Grader({"preset": "paper"})


def test_notation():
    assert notation.latin("x¹²+½") == "x^{12}+\\frac{1}{2}"
    assert notation.latin("x₁＝２") == "x_1=2"


@pytest.mark.parametrize(
    "text",
    [
        "1" + "\\text{ a}" * 400,
        "1^{\\text{th}" * 400,
        "1 " + "word " * 800,
        "(" * 4000,
        "{" * 2000 + "}" * 2000,
        "\\color{" * 500,
        "1\\dot" * 900,
        "x<" * 2000,
        "\\pm" * 1300,
        "is " * 1300,
        "a, " * 1300,
        "或" * 4000,
        "１" * 4000,
        "^" * 4000,
        "0.\\overline{" + "3" * 3900 + "}",
    ],
)
@pytest.mark.timeout(10)
def test_long_texts_are_fast(text):
    assert Grader({"max_boxes": None}).grade(
        "5", f"\\boxed{{{text}}}", truncated=False
    ).verdict in (
        "incorrect",
        "malformed",
    )

"""Format rules one by one, the reason of each verdict, and the preset."""

import sys
import types

import pytest

from limr import grading
from limr.grading import formats, names, notation, regions
from limr.grading.boxes import last_box
from limr.grading.equality import why_not
from limr.grading.grade import GRADER_VERSION, Grade, Grader
from limr.grading.normalise import normalise, same_unit


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
        ("x", "\\boxed{x^{x^{x}}}", False, "incorrect", "not-compared"),
        (
            "x",
            "\\boxed{" + "+".join(f"x^{i}" for i in range(999)) + "}",
            False,
            "incorrect",
            "not-compared",
        ),
        ("x", "\\boxed{\\sum_{k=1}^n k}", False, "incorrect", "not-compared"),
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


def test_why_not_asks_no_algebra_system(monkeypatch):
    monkeypatch.setattr("limr.grading.algebra.equal", lambda *pair: pytest.fail("asked"))
    assert why_not("\\sqrt{2}", "\\sqrt{3}") == "different"
    assert why_not("2", "1+1") == "not-compared"


def test_version():
    assert GRADER_VERSION == 2


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


def test_names_are_taken_off():
    assert names.split_name("x = 5") == ("x", "5")
    assert names.split_name("5 = x") == ("x", "5")
    assert names.split_name("x \\in [1,2]") == ("x", "[1,2]")
    assert names.split_name("x + y = 5") == ("", "x + y = 5")
    assert names.named_items("x = 1, x = 2") == "1, 2"
    assert names.named_items("y = 1, x = 3") == "(3, 1)"
    assert names.named_items("x = 1, y^2 = 2") == "x = 1, y^2 = 2"
    assert names.point("P(3,1)") == "(3,1)"
    assert names.without_opening("The answer is 5") == "5"
    assert names.without_opening("The answer is not 5") == "The answer is not 5"
    assert names.last_value("-x = 4") == "-x = 4"
    assert names.label("Option C") == names.label("(C)") == "C"
    assert names.label("c") is None
    assert names.labelled("(C) 12") == ("C", "12")


def test_regions():
    assert regions.parts("1 < x \\le 3") == [regions.Part("(", "1", "3", "]", "x")]
    assert regions.parts("3 \\ge x > 1") == regions.parts("1 < x \\le 3")
    assert regions.parts("x \\ge 5") == [regions.Part("[", "5", "\\infty", ")", "x")]
    assert regions.parts("5 > x") == [regions.Part("(", "-\\infty", "5", ")", "x")]
    assert regions.parts("(1,2) \\cup [3,4]") is not None
    for text in ("x^2 < 4", "1 < x > 0", "x < y < z < w", "5", "(1,2,3)", "1 < 2 < 3"):
        assert regions.parts(text) is None, text


def test_notation():
    assert notation.latin("x¹²+½") == "x^{12}+\\frac{1}{2}"
    assert notation.latin("x₁＝２") == "x_1=2"
    assert same_unit("5 \\text{ cents}", "5 \\text{ cent}")
    assert same_unit("5 \\text{ cm}", "5 \\text{ centimeters}")
    assert same_unit("5 \\text{ apples}", "5 \\text{ pears}")
    assert not same_unit("5 \\text{ cents}", "5 \\text{ dollars}")
    assert not same_unit("5 \\text{ ft}", "5 \\text{ inches}")


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
def test_normalising_is_fast_and_settles(text):
    once = normalise(text)
    assert normalise(once) == once or len(once) <= len(text)
    assert Grader({"max_boxes": None}).grade(
        "5", f"\\boxed{{{text}}}", truncated=False
    ).verdict in (
        "incorrect",
        "malformed",
    )

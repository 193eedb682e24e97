import subprocess
import sys
import threading

import pytest

from limr.core import validation
from limr.grading import formats, guards, settings
from limr.grading.boxes import boxes, joined_boxes, last_box
from limr.grading.equality import equal, form, is_number
from limr.grading.grade import DEFAULTS, Grade, Grader

EQUAL = [
    ("15", "15"),
    ("15", " 15. "),
    ("15", "15.0"),
    ("27.0", "27"),
    ("15", "x = 15"),
    ("15", "$15$"),
    ("15", "\\$15"),
    ("15", "{15}"),
    ("371", "m + n = 370 + 1 = 371"),
    ("5400", "5,400"),
    ("5400", "5{,}400"),
    ("10,\\!080", "10080"),
    ("11,\\! 111,\\! 100", "11111100"),
    ("22,500", " 22 , 500 "),
    ("1500", "1.5 \\times 10^3"),
    ("1/2", "0.5"),
    ("1/2", "\\dfrac{2}{4}"),
    ("\\frac{3}{4}", "\\frac34"),
    ("\\frac{3}{4}", "3/4"),
    ("-\\frac{5}{2}", "\\frac{-5}{2}"),
    ("-\\frac{5}{2}", "-2.5"),
    ("\\frac{5}{2}", "2\\frac{1}{2}"),
    ("\\frac{1}{3}", "\\left( \\frac{1}{3} \\right)"),
    ("\\frac{8}{21}", "\\frac{4}{10.5}"),
    ("11\\%", "11"),
    ("90^\\circ", "90"),
    ("90", "90°"),
    ("5.4 \\text{ cents}", "5.4"),
    ("3", "3 \\text{ cm}^2"),
    ("\\text{even}", "Even"),
    ("\\text{(C)}", "C"),
    ("\\text{4:30 p.m.}", "4:30 \\text{ p.m.}"),
    ("204_5", "204_{5}"),
    ("52_8", "52"),
    ("3, 5, 7", "7, 5, 3"),
    ("3,5,7", "3, 5 \\text{ and } 7"),
    ("\\{3, 2, 1\\}", "\\{1,2,3\\}"),
    ("(1,\\frac{9}{2})", "(1,4.5)"),
    ("(1,2),(3,4)", "(3,4), (1,2)"),
    ("[-36,104]", " [-36 , 104] "),
    ("[1/2, \\infty)", "x \\in [0.5, \\infty)"),
    ("(-\\infty,2) \\cup (3,\\infty)", "(-\\infty, 2)\\cup(3, \\infty)"),
    ("3\\sqrt{13}", "3√13"),
    ("3\\sqrt{13}", "\\sqrt{117}"),
    ("\\frac{\\sqrt{3}}{3}", "\\frac{1}{\\sqrt{3}}"),
    ("5\\pi", "5π"),
    ("x^2+2x+1", "(x+1)^2"),
    ("2k+2", "2 + 2k"),
    ("\\frac{x+2}{7}", "\\frac{x}{7}+\\frac{2}{7}"),
    ("y = 2x + 3", "y = 3 + 2x"),
    ("2x + 3", "f(x) = 2x + 3"),
    ("x \\leq 5", "5 \\geq x"),
    ("6+9i", "6 + 9i"),
    ("\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "\\begin{pmatrix}1\\\\2\\end{pmatrix}"),
    ("\\emptyset", "\\varnothing"),
    ("\\infty", "infinity"),
    ("0", "\\sqrt{2} - \\sqrt{2}"),
    ("p - q", "p-q"),
    ("1 \\pm \\sqrt{19}", "1 \\pm \\sqrt{19}"),
    ("3^{2025}", "3^{2025}"),
]
UNEQUAL = [
    ("15", "16"),
    ("15", "-15"),
    ("15", "15.5"),
    ("1", "100"),
    ("81", "0.81"),
    ("10000", "9999"),
    (".0000672", "0.000067"),
    ("\\frac{3}{4}", "\\frac{4}{3}"),
    ("3.14", "\\pi"),
    ("7", "3+4"),  # arithmetic left undone
    ("7", "\\frac{14}{1+1}"),
    ("1024", "2^{10}"),
    ("7", "x"),
    ("7", "7x"),
    ("7", "7)("),
    ("1", ""),
    ("", ""),
    ("", "5"),
    ("3\\sqrt{13}", "3"),
    ("3\\sqrt{13}", "313"),
    ("5\\pi", "5"),
    ("18+2\\pi", "18+18\\pi"),
    ("6 - 5i", "5"),
    ("(3, \\frac{\\pi}{2})", "3"),
    ("(3,1)", "(1,3)"),
    ("(3,1)", "\\{1,3\\}"),
    ("3,5,7", "7"),
    ("3,5,7", "3,5"),
    ("(-\\infty,0]", "(-\\infty,0)"),
    ("[0,1)", "(0,1)"),
    ("(-\\infty,2) \\cup (3,\\infty)", "2"),
    ("4210_7", "4210_8"),
    ("204_5", "205_5"),
    ("\\text{even}", "odd"),
    ("\\text{(C)}", "D"),
    ("2k+2", "2k+3"),
    ("x^2-1", "(x-1)^2"),
    ("\\frac{1}{3x}", "\\frac{1}{3}x"),
    ("2x + z = 1", "1"),
    ("x < 1", "x > -1"),
    ("\\frac{1}{2^{98}}", "\\frac{1}{2^{99}}"),
    ("3^{2025}", "2^{2025}"),
    ("\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "\\begin{pmatrix} 2 \\\\ 1 \\end{pmatrix}"),
]
HOSTILE = [
    "9^{9^{9^9}}",
    "9**9**9",
    "2^{10000000}",
    "((9^{999})^{999})^{999}",
    "(1+\\frac{1}{10^{50}})^{10^{50}}",
    "1000000000!",
    "3,628,800!",
    "(5!)!",
    "\\binom{1000000}{500000}",
    "\\prod_{k=1}^{1000000} k",
    "\\sum_{k=1}^{\\infty} k",
    "\\log_2 2^{2^{2^{20}}}",
    "__import__('os').system('touch hostile-was-here')",
    "().__class__.__bases__[0].__subclasses__()",
    "'a'*10**10",
    "1e99999",
    "1/0",
    "\\frac{1}{0}",
    "7" * 3900,
    "{" * 1500 + "x" + "}" * 1500,
    "(" * 300 + "x",
    "\\frac{1}{1+" * 50 + "1" + "}" * 50,
    "\\text{a} " * 300 + "x",
    "1 " + "\\text{a} " * 300 + "x",
    "\\sqrt" * 300,
    "^" * 1000,
    "=" * 3000,
    "1," * 1500,
    ",000" * 900,
    "\\\\" * 1500,
    "\x00" * 1000,
    "\u202e\U0001f600" * 100,
    "\\",
    "{",
    "}",
    "$",
]


@pytest.mark.parametrize(("gold", "answer"), EQUAL)
def test_equal(gold, answer):
    assert equal(gold, answer)


@pytest.mark.parametrize(("gold", "answer"), UNEQUAL)
def test_unequal(gold, answer):
    assert not equal(gold, answer)


@pytest.mark.parametrize("answer", HOSTILE)
def test_hostile_answers_are_wrong(answer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for gold in ("3", "\\sqrt{3}"):
        grade = Grader().grade(gold, f"So \\boxed{{{answer}}}", truncated=False)
        assert grade.verdict in ("incorrect", "malformed")
    assert list(tmp_path.iterdir()) == []


def test_hostile_responses():
    grader = Grader({"max_boxes": None})
    nested = grader.grade("5", "\\boxed{" * 10_000 + "5" + "}" * 10_000, truncated=False)
    assert nested.answer == "5"
    assert Grader().grade("5", "\\boxed{" * 10_000, truncated=False).format == "too-many-boxes"
    assert grader.grade("5", "\\boxed{5}" + "a" * 1_000_000, truncated=False).format == "too-long"
    assert grader.grade("5", "\\boxed{" + "{" * 100_000, truncated=False).format != ""
    assert grader.grade("5", "\\boxed{5\x00}", truncated=False).verdict == "correct"


def test_last_box():
    assert last_box("so \\boxed{3} or \\boxed{\\frac{1}{2}}.") == "\\frac{1}{2}"
    assert last_box("\\boxed{\\{1,2\\}}") == "\\{1,2\\}"
    assert last_box("\\boxed{1\\\\2}") == "1\\\\2"
    assert last_box("\\boxed{\\boxed{5}}") == "5"
    assert last_box("\\boxed{3} and then \\boxed{4") == "3"
    assert last_box("no box, {5}") is None
    assert last_box("\\\\boxed{5}") == "5"  # doubly escaped text
    assert [box.content for box in boxes("\\boxed{1}}}{\\boxed{2}")] == ["1", "2"]


def test_joined_boxes():
    text = "$\\boxed{2}$, $\\boxed{3}$ and $\\boxed{5}$"
    assert joined_boxes(text, 3) == "2, 3, 5"
    assert joined_boxes(text, 4) is None
    assert joined_boxes("\\boxed{2}\n\nso \\boxed{3}", 2) is None
    assert Grader().grade("2,3,5", text, truncated=False) == Grade("correct", "", "2, 3, 5")
    assert Grader().grade("2,3,7", text, truncated=False) == Grade(
        "incorrect", "", "5", "different"
    )
    assert Grader().grade("5", text, truncated=False).verdict == "correct"


def test_garbled():
    assert not formats.is_garbled("")
    assert not formats.is_garbled("x ∈ ∅\n" * 9)  # mathematical operators are at home
    assert formats.is_garbled("中" * 4 + "a" * 6)  # 40 %
    assert not formats.is_garbled("中" * 3 + "a" * 7)  # 30 %, not more


def test_repeated():
    block = "abcde"
    assert formats.is_repeated("x" + block * 5)
    assert not formats.is_repeated("x" + block * 4 + "abcd")
    assert not formats.is_repeated("abcd" * 6)  # blocks of four: 24 characters
    assert formats.is_repeated("abcd" * 10)  # five blocks of eight
    assert not formats.is_repeated((block + "\n") * 9)  # not within a line
    assert not formats.is_repeated("-" * 400 + " " * 400 + "_" * 400 + "12 " * 400)
    assert formats.is_repeated("Wait, so " * 5)
    assert formats.is_repeated("start " + "longer block of text; " * 6 + "end")


def test_broken_rule_in_order():
    def rule(text, truncated=False, max_boxes=4, repetition=True):
        return formats.broken_rule(
            text, truncated=truncated, max_boxes=max_boxes, repetition=repetition
        )

    assert rule("\\boxed{5}") == ""
    assert rule("\\boxed{5}", truncated=True) == "truncated"
    assert rule("5") == "no-box"
    assert rule("\\boxed{5} " * 4) == ""
    assert rule("\\boxed{5} " * 5) == "too-many-boxes"
    assert rule("".join(f"\\boxed{{{i}}}" for i in "abcde"), max_boxes=None) == ""
    assert rule("中" * 50 + "\\boxed{5}") == "garbled"
    assert rule("abcde" * 5 + "\\boxed{5}") == "repeated"
    assert rule("abcde" * 5 + "\\boxed{5}", repetition=False) == ""


def test_grades():
    grader = Grader()
    assert grader.grade("5", "2+3=\\boxed{5}", truncated=False) == Grade("correct", "", "5")
    assert grader.grade("5", "2+3=\\boxed{6}", truncated=False) == Grade(
        "incorrect", "", "6", "different"
    )
    assert grader.grade("5", "2+3=5", truncated=False) == Grade(
        "malformed", "no-box", None, "no-box"
    )
    assert grader.grade("5", "\\boxed{5", truncated=False) == Grade(
        "malformed", "no-box", None, "no-box"
    )
    cut = grader.grade("5", "\\boxed{5}", truncated=True)
    assert cut == Grade("malformed", "truncated", "5", "truncated")


def test_settings_have_defaults_and_descriptions():
    for key, part in settings.Grader.model_fields.items():
        assert part.description, key
    assert validation.complete({}, settings.Grader, "grader") == DEFAULTS
    many = "".join(f"\\boxed{{{i}}} " for i in range(5, 0, -1))
    assert Grader().grade("1", many, truncated=False).format == "too-many-boxes"
    assert Grader({"max_boxes": None}).grade("1", many, truncated=False).verdict == "correct"


def test_verdicts_are_remembered(monkeypatch):
    calls = []
    monkeypatch.setattr(
        "limr.grading.grade.equal",
        lambda gold, answer, strictness: calls.append(answer) or gold == answer,
    )
    grader = Grader()
    for filler in ("", "so ", "x" * 300):
        assert grader.grade("5", filler + "\\boxed{5}", truncated=False).verdict == (
            "malformed" if filler.startswith("x") else "correct"
        )
    assert grader.grade("5", "so \\boxed{5}", truncated=False).verdict == "correct"
    assert calls == ["5"]


def test_works_outside_the_main_thread():
    results = []
    pairs = [("3\\sqrt{13}", "\\sqrt{117}"), ("3\\sqrt{13}", "\\sqrt{118}")]
    thread = threading.Thread(target=lambda: results.extend(equal(*pair) for pair in pairs))
    thread.start()
    thread.join()
    assert results == [True, False]


def test_numbers_are_graded_without_the_algebra_system():
    code = (
        "import sys\n"
        "from limr.grading.grade import Grader\n"
        "grader = Grader()\n"
        "for answer in ('5', '6', '10/2', '2+3', '5x', '1(2', ')', 'x=5', '5,5', '', '=', '?'):\n"
        "    grader.grade('5', f'so \\\\boxed{{{answer}}}', truncated=False)\n"
        "    grader.grade('5/6', f'so \\\\boxed{{{answer}}}', truncated=False)\n"
        "print('sympy' in sys.modules, 'math_verify' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"


def test_numbers_are_read_exactly():
    for text, value in (
        ("-2.50", "-5/2"),
        ("3 \\frac{1}{2}", "7/2"),
        ("2.5 \\times 10^{-1}", "1/4"),
        (".5", "1/2"),
        ("(\\frac{1}{2})", "1/2"),
        ("0.1\\overline{6}", "1/6"),
        ("1,234", "1234"),
    ):
        assert form(text) == value, text
    for text in ("", ".", "-", "1/0", "x", "1+1", "1 2", "\\frac{1}{x}"):
        assert not is_number(text), text


def test_guards():
    assert guards.is_cheap("x^2 + 3x^{10} - \\frac{1}{2^{98}}")
    assert guards.is_cheap("10!")
    assert not guards.is_cheap("21!")
    assert not guards.is_cheap("x^{2^2}")
    assert not guards.is_cheap("2^{1001}")
    assert not guards.is_cheap("((x^{100})^{100})^{100}")
    assert not guards.is_cheap("(" * 13 + "x" + ")" * 13)
    assert not guards.is_cheap("x" * 401)

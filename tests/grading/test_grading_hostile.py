"""Hostile texts: all get a verdict, none runs, none takes longer than the pool allows."""

import importlib
import json
import pkgutil
import re
import time

import pytest

from limr import grading
from limr.core.tables import VERDICTS
from limr.grading import screen
from limr.grading.boxes import last_box
from limr.grading.formats import broken_rule
from limr.grading.pool import SECONDS, START_SECONDS, GradingPool

FACTOR = 6  # CI machines are slow and shared; the pool's own limit is a wall time
CANARY = "canary"
POWERS = [
    "9^{9^{9^9}}",
    "2^{10^7}",
    "2**10**10",
    "99999999^{99999999}",
    "(1+\\frac{1}{10^{50}})^{10^{50}}",
    "((2^{99})^{99})^{99}",
    "10^{-10^{10}}",
    "(x+y)^{999}",
    "x^{x^{x^{x^x}}}",
    "1e999999999",
    "\\log_2 2^{2^{2^{20}}}",
]
FACTORIALS = [
    "3,628,800!",
    "1000000000!",
    "((9!)!)!",
    "20!!!!",
    "\\binom{10^9}{5*10^8}",
    "\\prod_{k=1}^{10^9} k",
    "\\sum_{k=1}^{10^{12}} \\frac{1}{k}",
    "\\int_0^{10^6} e^{x^2} \\sin x^x dx",
    "\\lim_{n\\to\\infty} n!^{1/n}",
]
NESTED = [
    "{" * 5_000 + "1" + "}" * 5_000,
    "(" * 2_000 + "1" + ")" * 2_000,
    "\\frac{1}{1+" * 500 + "1" + "}" * 500,
    "\\sqrt{" * 300 + "2" + "}" * 300,
    "\\{" * 3_000,
    "-" * 3_000 + "1",
    "[" * 300,
    "x_{" * 300 + "1" + "}" * 300,
    "\\left(" * 300 + "1" + "\\right)" * 300,
    "\\begin{pmatrix}" * 50,
    "\\sin" * 200 + "1",
]
LONG = [
    "7" * 100_000,
    "7" * 1_000_000,
    "a" * 1_000_000,
    ("x + " * 250_000)[:1_000_000],
    ",".join(map(str, range(20_000))),
    ",".join(f"\\sqrt{{{n}}}" for n in range(300)),
    "x=" * 1_500,
    "|x|" * 1_000,
]
ODD = ["\x00", "5\x00", "\ud800", "5\udfff", "\u202e5", "\ufeff5", "\r\n5", "∞" * 50, "٥", "５"]
ODD += ["", " ", "\\", "$", "}{", "\\\\", "^", "_", "&", "#", "%", "~", "\\frac", "\\frac{1}{0}"]
ODD += ["\\infty-\\infty", "\\tan 90^\\circ", "0^0", "\\sqrt[0]{2}", "\\log_1 5", "\\log 0", "nan"]
CODE = [
    "__import__('os').system('touch {canary}')",
    "__import__(\\'os\\').system(\\'touch {canary}\\')",
    "open('{canary}','w').write('x')",
    "exec(\"open('{canary}','w')\")",
    "eval(compile(\"open('{canary}','w')\",'','exec'))",
    "().__class__.__bases__[0].__subclasses__()",
    'lambdify(x,\'__import__("os").system("touch {canary}")\')(1)',
    'sympify(\'__import__("os").system("touch {canary}")\')',
    'S(\'open("{canary}","w")\')',
    'f\'{{open("{canary}","w")}}\'',
    "\\text{{__import__('pathlib').Path('{canary}').touch()}}",
    "\\operatorname{{exec}}(\"open('{canary}','w')\")",
    "\\input{{|touch {canary}}}\\write18{{touch {canary}}}",
    "$(touch {canary})`touch {canary}`; touch {canary}",
    "'a'*10**10",
    "[0]*10**10",
]
GOLDS = ["5", "\\frac{1}{2}", "3\\sqrt{13}", "x^2+1", "1,2,3", "(-\\infty, 2]", "\\text{even}", ""]


@pytest.fixture(scope="module")
def pool():
    with GradingPool(workers=2) as one:
        yield one


def judged(pool, items):
    """Grade one at a time, so that each has the time limit to itself; return the grades."""
    found = []
    for item in items:
        start = time.monotonic()
        found += pool.grade_many([item])
        # A worker may have to start first, on a busy machine.
        assert time.monotonic() - start < START_SECONDS + FACTOR * SECONDS, item[1][:100]
    assert {grade.verdict for grade in found} <= set(VERDICTS)
    return found


def boxed(answers, golds=GOLDS):
    return [(gold, f"\\boxed{{{answer}}}", False) for answer in answers for gold in golds]


@pytest.mark.slow_cases("powers", "factorials")
@pytest.mark.parametrize(
    "answers", [POWERS, FACTORIALS, NESTED, ODD], ids=["powers", "factorials", "nested", "odd"]
)
def test_costly_and_odd_answers(pool, answers):
    found = judged(pool, boxed(answers, GOLDS[:4]))
    for item, grade in zip(boxed(answers, GOLDS[:4]), found, strict=True):
        readable = "5" in item[1] or "٥" in item[1] or "５" in item[1]
        assert grade.verdict != "correct" or readable, item


@pytest.mark.slow
@pytest.mark.parametrize(
    "answers", [POWERS, FACTORIALS, NESTED], ids=["powers", "factorials", "nested"]
)
def test_costly_gold_answers(pool, answers):
    judged(pool, [(gold, "\\boxed{x + 5}", False) for gold in answers])


@pytest.mark.slow
def test_long_answers(pool):
    found = judged(pool, boxed(LONG, GOLDS[:3]) + [(text, "\\boxed{x}", False) for text in LONG])
    assert {grade.verdict for grade in found} <= {"incorrect", "malformed"}


@pytest.mark.parametrize(
    "response",
    [
        "x" * 1_000_000 + "\\boxed{5}",
        "ab " * 60_000 + "\\boxed{5}",
        "\\boxed{5}" * 10_000,
        "\\boxed{" * 10_000 + "5" + "}" * 10_000,
        "\\boxed{" * 100_000,
        "\\boxed" * 150_000,
        "\\\\" * 90_000 + "boxed{5}",
        "}" * 100_000 + "\\boxed{5}" + "{" * 90_000,
        "a" * 199_000 + "\\boxed{5}",
        ("abcde" * 4 + "x") * 9_000 + "\\boxed{5}",
        "\x00" * 199_000,
        "\ud800" * 1_000 + "\\boxed{5}",
        "",
    ],
    ids=lambda text: f"{len(text)} of {text[:8]!a}",
)
@pytest.mark.parametrize("settings", [{}, {"max_boxes": None}], ids=["default", "any boxes"])
def test_hostile_responses(response, settings):
    with GradingPool(settings, workers=1) as one:
        judged(one, [("5", response, False), ("1,2", response, False), ("x", response, True)])


@pytest.mark.slow
def test_nothing_is_executed(pool, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    here = [text.format(canary=CANARY) for text in CODE]
    there = [text.format(canary=tmp_path / CANARY) for text in CODE]
    # A pool of its own: its workers are started in the folder that is watched.
    with GradingPool(workers=2) as one:
        found = judged(one, boxed(here + there, GOLDS[:4]))
        found += judged(one, [(gold, f"\\boxed{{{gold}+0}}", False) for gold in here + there])
    assert list(tmp_path.iterdir()) == []
    assert all(grade.verdict != "correct" for grade in found[: len(boxed(here + there, GOLDS[:4]))])


def test_a_module_in_the_working_folder_is_not_imported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("sympy", "math_verify", "json", "limr"):
        (tmp_path / f"{name}.py").write_text(f"open({CANARY!r}, 'w')\n")
    with GradingPool(workers=1) as one:
        assert one.grade_many([("x+1", "\\boxed{1+x}", False)])[0].verdict == "correct"
    assert not (tmp_path / CANARY).exists()


def patterns():
    """Every compiled regular expression in the modules of the grading package."""
    found = {}
    for module in pkgutil.iter_modules(grading.__path__):
        for name, value in vars(importlib.import_module(f"limr.grading.{module.name}")).items():
            found |= {
                pattern.pattern: (f"{module.name}.{name}", pattern) for pattern in within(value)
            }
    return list(found.values())


def within(value):
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from within(item)
    elif isinstance(value, dict):
        yield from within(list(value.values()))


# What the patterns are made of; each is repeated, alone and in pairs, before an end that fits none.
ATOMS = [
    "1",
    "a",
    "A ",
    " ",
    "\\",
    "{",
    "}",
    "{}",
    "(",
    "()",
    ",",
    "=",
    ":",
    "^",
    "_",
    "-",
    ".",
    "$",
]
ATOMS += ["\\text{", "\\text{a}", "\\frac", "\\frac{1}", "\\frac1", "\\boxed{", "^{", "1,", "1\x00"]
ATOMS += ["\\in", "\\,", "and", "\\mathrm{cm}", "!", "√", "√(", "x=", "1/", "\x00111", "|", "\\%"]
ATOMS += ["\\pm", "\\circ", "cm", "\\quad", "\\text{and}", "\n", "~", "[", "]", "<", "\\log_2"]
ANSWER = 3_900  # characters: about the longest that the grader looks into


def bombs(length):
    for first in ATOMS:
        for second in ("", *ATOMS[::3]):
            unit = first + second
            yield unit * (length // len(unit))


@pytest.mark.parametrize("named", patterns(), ids=lambda named: named[0])
def test_no_regular_expression_explodes_in_the_caller(named):
    _, pattern = named
    start = time.process_time()
    for bomb in bombs(screen.SHORT):
        pattern.search(bomb + "\x01")
        pattern.fullmatch(bomb + "\x01")
    assert time.process_time() - start < FACTOR * SECONDS


def test_what_the_caller_does_itself_is_bounded():
    start = time.process_time()
    for bomb in bombs(screen.SHORT):
        screen.is_bounded("5", bomb)
        screen.is_bounded(bomb, "5")
    assert time.process_time() - start < FACTOR * SECONDS


@pytest.mark.parametrize("atom", ATOMS, ids=ascii)
def test_format_rules_and_boxes_are_linear(atom):
    start = time.process_time()
    for text in (atom * (190_000 // len(atom)), f"\\boxed{{{atom * 5_000}}} " * 4):
        broken_rule(text, truncated=False, max_boxes=4, repetition=True)
        last_box(text)
    assert time.process_time() - start < FACTOR * SECONDS


def test_regular_expression_bombs_in_answers(pool):
    items = [("x+1", f"\\boxed{{{bomb} }}", False) for bomb in list(bombs(ANSWER))[::7]]
    found = pool.grade_many(items)
    assert {grade.verdict for grade in found} <= {"incorrect", "malformed"}


@pytest.mark.slow
@pytest.mark.data
def test_the_development_set(mirror, tmp_path, monkeypatch):
    lines = (mirror / "grading/hostile.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == 23
    monkeypatch.chdir(tmp_path)
    with GradingPool(workers=1) as one:
        judged(one, [(row["gold"], row["response"], False) for row in rows])
    assert list(tmp_path.iterdir()) == []

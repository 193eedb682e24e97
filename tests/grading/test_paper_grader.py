"""The published reward: its format rules, its equality, and the answers that it cannot reward."""

import json
import random
import re
import time

import pytest

from limr.grading import formats, paper

REPEATED = re.compile(r"(.{5,}?)\1{4,}")
REPORT = "grading/published_grader_gold_report.json"
SETS = {"train8k": "limr/math_full.json", "math500": "limr/benchmarks/math500.jsonl"}


def boxed(text):
    return f"So it is $\\boxed{{{text}}}$."


@pytest.mark.parametrize(
    ("response", "truncated", "rule"),
    [
        (boxed("2"), False, ""),
        (boxed("2"), True, "truncated"),
        ("It is 2.", False, "no-box"),
        ("", False, "no-box"),
        ("It is \\boxed{2", False, "no-box"),
        ("It is \\boxed 2", False, "no-box"),
        (boxed("{{{2}}}"), False, ""),
        (boxed("{{{{2}}}}"), False, "no-box"),  # one level of braces too many for its pattern
        (boxed("2") * 4, False, ""),
        ("\\boxed{1} \\boxed{2} \\boxed{3} \\boxed{4} \\boxed{5}", False, "too-many-boxes"),
        (boxed("2") + "ééééé" * 20, False, "garbled"),
        (boxed("2") + "∑∏∫≤" * 3, False, ""),
        (boxed("2") + " abcde" * 5, False, "repeated"),
        (boxed("2") + " abcde" * 4, False, ""),
        (boxed("2") + "-" * 25, False, "repeated"),  # layout counts, unlike in our own rules
        (boxed("2") + "-" * 24, False, ""),
        (boxed("2") + "abcde\n" * 9, False, ""),  # within a line only
        (boxed("2") + "x" * 200_000, False, "too-long"),
    ],
)
def test_format_rules(response, truncated, rule):
    assert paper.broken_rule(response, truncated) == rule


def test_foreign_characters_are_counted_against_the_stripped_text():
    seven, three = "abc1234", "äöü"
    assert not formats._FOREIGN.findall(seven)
    text = "\\boxed{2}" + "a" * 5 + "é" * 6  # exactly 30 % of 20 characters
    assert paper.broken_rule(text, False) == ""
    assert paper.broken_rule(text + three, False) == "garbled"
    assert paper.broken_rule(text + "é" + " " * 9, False) == "garbled"


def test_repetition_has_the_verdicts_of_the_pattern():
    rng = random.Random(1)  # noqa: S311 - texts, no secrets
    for _ in range(4000):
        letters = rng.choice(["ab", "abc", "a", "ab\n"])
        block = "".join(rng.choice(letters) for _ in range(rng.randint(1, 9)))
        head = "".join(rng.choice(letters) for _ in range(rng.randint(0, 6)))
        tail = "".join(rng.choice(letters) for _ in range(rng.randint(0, 12)))
        text = head + block * rng.randint(1, 6) + tail
        assert paper.is_repeated(text) == bool(REPEATED.search(text)), text


def test_repetition_is_fast_on_long_lines():
    rng = random.Random(1)  # noqa: S311 - texts, no secrets
    texts = [
        "".join(rng.choice("ab") for _ in range(50_000)),
        "".join(f"{n} " for n in range(9_000)),
        ("ab" * 30_000).replace("abab", "abba", 1)[:-1] + "c",
    ]
    start = time.process_time()
    for text in texts:
        paper.is_repeated(text)
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("none", None),
        (boxed("1") + boxed("2"), "2"),
        (boxed("\\frac{1}{2}"), "\\frac{1}{2}"),
        (boxed("\\{1,2\\}"), "\\{1,2\\}"),
        (boxed("1") + " \\boxed{never closed", "1"),
        ("\\boxed{a \\boxed{b} c}", "a \\boxed{b} c"),  # the outer one, unlike ours
        ("\\boxed{(1,\\{2)}", "(1,\\{2)"),  # an escaped brace that has no partner
        ("\\boxed{\\{\\}", "\\{\\"),
    ],
)
def test_the_last_box_is_that_of_its_pattern(text, content):
    assert paper.last_box(text) == content


@pytest.mark.parametrize(
    ("gold", "answer", "same"),
    [
        ("9", "9", True),
        ("9", "9.0", True),
        ("9", "8", False),
        ("\\frac{1}{2}", "\\frac{1}{2}", True),
        ("\\frac{1}{2}", "0.5", True),
        ("\\frac{4}{3}", "\\dfrac{4}{3}", False),  # read as nothing
        ("p-q", "p-q", False),
        ("3\\sqrt{13}", "3\\sqrt{13}", True),
        ("3\\sqrt{13}", "3", True),  # a fragment decides
        ("3, 5, 7", "7", True),
        ("18+2\\pi", "18+18\\pi", True),
        ("1+274i", "1", True),
        ("0.0000672", "0.000067", True),  # rounded to 6 decimals
        ("", "", False),
    ],
)
def test_equality_has_the_published_gaps(gold, answer, same):
    assert paper.equal(gold, answer) is same


@pytest.mark.parametrize(
    "answer", ["9^{9^{9^9}}", "9^9^9^9", "9**9**9", "$9^{9^{9^9}}$", "(9^9^9)^9", "$10^{10^9}!$"]
)
def test_costly_answers_equal_nothing_and_take_no_time(answer):
    paper.equal("1", "2")  # loads math-verify
    start = time.process_time()
    assert paper.equal("387420489", answer) is False
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("gold", "dead", "lossy"),
    [
        ("12", False, False),
        ("\\frac{1}{2}", False, False),
        ("x+y", True, False),
        ("\\sqrt{2}", True, False),
        ("", True, False),
        ("3\\sqrt{13}", False, True),
        ("-2,1", False, True),
        ("$3\\sqrt{13}$", False, False),
    ],
)
def test_dead_and_lossy_answers(gold, dead, lossy):
    assert (paper.is_dead(gold), paper.is_lossy(gold)) == (dead, lossy)
    assert not dead or not paper.equal(gold, gold)


def answers(mirror, name):
    text = (mirror / SETS[name]).read_text()
    rows = json.loads(text) if text.startswith("[") else map(json.loads, text.splitlines())
    return [row["answer"] for row in rows]


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "dead", "lossy", "every"),
    [
        ("train8k", 36, 37, 24),
        pytest.param("train8k", 847, 1026, 1, marks=pytest.mark.long),
        ("math500", 51, 58, 1),
    ],
)
def test_the_report_on_real_answers_row_for_row(mirror, name, dead, lossy, every):
    report = json.loads((mirror / REPORT).read_text())
    expected = {
        row["row"]: row["limr_reward"]
        for row in report
        if row["set"] == name and row["row"] % every == 0
    }
    found = {}
    for row, gold in [*enumerate(answers(mirror, name))][::every]:
        if paper.is_dead(gold):
            found[row] = "dead"
        elif paper.is_lossy(gold):
            found[row] = "lossy"
    assert list(found.values()).count("dead") == dead
    assert list(found.values()).count("lossy") == lossy
    assert found == expected


@pytest.mark.data
@pytest.mark.parametrize("name", ["aime24", "amc23"])
def test_whole_numbers_are_safe(mirror, name):
    lines = (mirror / f"limr/benchmarks/{name}.jsonl").read_text().splitlines()
    for gold in (json.loads(line)["answer"] for line in lines):
        assert not paper.is_dead(gold)
        assert not paper.is_lossy(gold)


@pytest.mark.data
def test_the_published_scores_of_dead_answers(mirror):
    rows = json.loads((mirror / SETS["train8k"]).read_text())
    published = json.loads((mirror / "limr/published_lim_scores.json").read_text())
    scores = {row["prompt"].strip(): row["score"] for row in published}
    dead = [
        scores[row["prompt"].strip()]
        for row in rows
        if row["prompt"].strip() in scores and paper.is_dead(row["answer"])
    ]
    assert len(dead) == 791
    assert sum(score >= 0.6 for score in dead) == 6
    assert sum(dead) / len(dead) == pytest.approx(-1.97, abs=0.005)

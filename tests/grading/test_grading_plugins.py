"""A grader of another package: found by its entry point, run within limits, part of what reruns."""

import json
import sys

import pytest

from limr.cli import grade as grade_command
from limr.core import validation
from limr.core.errors import InputError
from limr.grading import plugins
from limr.grading import settings as grading_settings
from limr.grading.grade import Grader, check
from limr.grading.pool import GradingPool

CODE = """
import time


def equal(gold, answer):
    if answer == "hang":
        while True:
            time.sleep(0.01)
    if answer == "swallow":
        return bytearray(4 << 30) is None
    if answer == "fail":
        raise ValueError(answer)
    return answer.casefold() in gold.casefold().split("|")
"""
MORE = """

def scored(gold, answer):
    return RESULTS[answer]


def knows_the_prompt(gold, answer, prompt):
    return answer == prompt.upper()


def of_one(answer):
    return True


RESULTS = {
    "score": 0.3, "dict": {"score": 0.0}, "tuple": (False, "wrong"), "text": "False", "none": None,
    "one": 1, "yes": True, "no": False,
}
"""
ENTRIES = """[limr.graders]
facts = facts_grader:equal
lost = no_such_module:equal
scored = facts_grader:scored
asks = facts_grader:knows_the_prompt
one = facts_grader:of_one
"""
SETTINGS_OF_FACTS = {"plugin": "facts", "answer": "whole"}


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package with a grader on the path, as pip leaves it."""
    folder = tmp_path / "site"
    info = folder / "facts_grader-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: facts-grader\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    (folder / "facts_grader.py").write_text(CODE + MORE)
    monkeypatch.syspath_prepend(folder)
    yield folder
    sys.modules.pop("facts_grader", None)


def verdicts(pool, gold, *responses):
    return [(g.verdict, g.reason) for g in pool.grade_many([(gold, r, False) for r in responses])]


@pytest.mark.slow
def test_it_judges_in_workers_within_limits(installed):
    with GradingPool(SETTINGS_OF_FACTS, workers=1, seconds=120, memory_mb=1024) as pool:
        responses = ("Rome", " roma\n", "Paris", "swallow", "fail")
        found = verdicts(pool, "Rome|Roma", *responses)
        # and it goes on after all that
        assert verdicts(pool, "Rome|Roma", "ROMA") == [("correct", "")]
    with GradingPool(SETTINGS_OF_FACTS, workers=1, seconds=0.5) as pool:
        assert verdicts(pool, "Rome|Roma", "hang") == [("incorrect", "timed-out")]
    assert "facts_grader" not in sys.modules  # never in the caller's own process
    assert found[:3] == [("correct", ""), ("correct", ""), ("incorrect", "different")]
    assert found[3:] == [
        ("incorrect", "out-of-memory"),
        ("incorrect", "error: ValueError: fail"),
    ]


def test_an_empty_gold_answer_equals_nothing(installed):
    assert Grader(SETTINGS_OF_FACTS).grade("", "x", truncated=False).reason == "no-gold"


@pytest.mark.parametrize(
    ("place", "response", "answer", "rule"),
    [
        ("whole", " Rome \n", "Rome", ""),
        ("whole", " \n", None, "no-box"),
        ("last-line", "It is known.\n Rome\n\n", "Rome", ""),
        ("box", "Rome", None, "no-box"),
        ("box", r"\boxed{Rome}", "Rome", ""),
    ],
)
def test_where_the_answer_stands(place, response, answer, rule):
    found = Grader({"answer": place}).grade("Rome", response, truncated=False)
    assert (found.answer, found.format) == (answer, rule)
    assert found.verdict == ("malformed" if rule else "correct")


def test_what_cannot_be_used_is_refused_before_a_run(installed):
    def settings(**given):
        return validation.complete(given, grading_settings.Grader, "grader")

    check(settings(plugin="facts"))
    with pytest.raises(InputError, match=r"registers 'fact' under .*Did you mean 'facts'"):
        check(settings(plugin="fact"))
    with pytest.raises(InputError, match="preset 'paper' is a whole rule"):
        check(settings(plugin="facts", preset="paper"))
    with (
        GradingPool({"plugin": "lost"}, workers=1) as pool,
        pytest.raises(InputError, match=r"cannot start.*no_such_module"),
    ):
        pool.grade_many([("1", r"\boxed{x}", False)])


@pytest.mark.slow
def test_only_true_and_false_are_results(installed):
    with GradingPool({"plugin": "scored", "answer": "whole"}, workers=1) as pool:
        for answer in ("score", "dict", "tuple", "text", "none", "one"):
            with pytest.raises(InputError, match=rf"returned .*answer '{answer}'. It must return"):
                verdicts(pool, "gold", answer)
        assert verdicts(pool, "gold", "yes", "no") == [("correct", ""), ("incorrect", "different")]


@pytest.mark.slow
def test_it_is_given_the_prompt_where_it_asks_for_it(installed):
    with GradingPool({"plugin": "asks", "answer": "whole"}, workers=1) as pool:
        items = [("gold", "A", False, "a"), ("gold", "A", False, "b")]  # told apart by the prompt
        assert [grade.verdict for grade in pool.grade_many(items)] == ["correct", "incorrect"]
        with pytest.raises(InputError, match="asks for the prompt, and these responses have none"):
            verdicts(pool, "gold", "A")


def test_a_function_that_cannot_be_called_is_refused(installed):
    with pytest.raises(InputError, match=r"its parameters are \(answer\)"):
        plugins.load("one")


def test_an_edit_of_the_grader_is_another_grader(installed):
    before = plugins.digest("facts")
    assert before == plugins.digest("facts")
    (installed / "facts_grader.py").write_text(CODE + "\n# another rule\n")
    assert plugins.digest("facts") != before


def test_the_command_takes_the_graders_settings(installed, tmp_path):
    import argparse

    rows, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
    rows.write_text('{"gold": "Rome|Roma", "response": "roma"}\n')
    parser = argparse.ArgumentParser()
    grade_command.configure(parser)
    words = [str(rows), "--output", str(out), "--option", "plugin=facts", "--option"]
    grade_command.run(parser.parse_args([*words, "answer=whole"]))
    assert json.loads(out.read_text())["verdict"] == "correct"
    with pytest.raises(InputError, match="answer"):
        grade_command.run(parser.parse_args([*words, "answer=nowhere"]))

"""The presets of strictness: what each accepts, that they are ordered, and who may ask for one."""

import pytest
from judgement_pairs import judged

from limr.core.errors import InputError
from limr.grading.equality import equal
from limr.grading.grade import Grader
from limr.grading.pool import GradingPool
from limr.grading.strictness import STRICTNESS, grader_of

LEVELS = ("training", "standard", "evaluation")  # each accepts what those before it accept
# gold, answer, the strictest level that accepts it; "" for none
PAIRS = [
    ("5", "5.0", "training"),
    ("5", "5 \\text{ cm}", "training"),
    ("\\sqrt{8}", "2\\sqrt{2}", "training"),
    ("0.8660254037844386", "\\frac{\\sqrt{3}}{2}", "training"),
    ("5", "\\sqrt{25}", "standard"),
    ("3", "\\log_2 8", "standard"),
    ("5", "5 \\text{ bananas}", "standard"),
    ("7", "3+4", "evaluation"),
    ("1024", "2^{10}", "evaluation"),
    ("\\frac{448}{15625}", "\\frac{35}{625} \\times \\frac{64}{125}", "evaluation"),
    ("40\\%", "\\frac{2}{5}", "evaluation"),
    ("\\frac{2}{5}", "40\\%", "evaluation"),
    ("45^\\circ", "\\frac{\\pi}{4}", "evaluation"),
    ("\\frac{\\pi}{4}", "45^\\circ", "evaluation"),
    ("B", "b", "evaluation"),
    ("ACD", "A, C, D", "evaluation"),
    ("A, C", "CA", "evaluation"),
    ("7", "3+5", ""),
    ("\\frac{1}{2}", "\\cos 60^\\circ", ""),
    ("40\\%", "0.04", ""),
    ("40", "0.4", ""),
    ("45^\\circ", "\\frac{\\pi}{3}", ""),
    ("45", "\\frac{\\pi}{4}", ""),
    ("ACD", "A, C", ""),
    ("ACD", "A, C \\text{ or } D", ""),
    ("B", "c", ""),
    ("5", "5 \\text{ or } 6", ""),
]


@pytest.mark.parametrize(("gold", "answer", "strictest"), PAIRS)
def test_each_level(gold, answer, strictest):
    accepting = LEVELS[LEVELS.index(strictest) :] if strictest else ()
    assert [level for level in LEVELS if equal(gold, answer, level)] == list(accepting)


def test_a_looser_level_accepts_what_a_stricter_one_does():
    assert set(LEVELS) == set(STRICTNESS)
    for _, gold, answer, _, _ in judged():
        found = [equal(gold, answer, level) for level in LEVELS]
        assert found == sorted(found)


def test_graders_and_pools_take_it():
    items = [("7", "\\boxed{3+4}", False), ("5", "\\boxed{\\sqrt{25}}", False)]
    expected = {
        "training": ["not-compared", "not-compared"],
        "standard": ["not-compared", ""],
        "evaluation": ["", ""],
    }
    for level, reasons in expected.items():
        grader = Grader({"strictness": level})
        assert [grader.grade(g, r, truncated=t).reason for g, r, t in items] == reasons
        with GradingPool({"strictness": level}, workers=1) as pool:
            assert [grade.reason for grade in pool.grade_many(items)] == reasons


def test_another_rule_has_no_strictness():
    for other in ({"preset": "paper"}, {"preset": "math-verify"}):
        with pytest.raises(InputError, match="'strictness: training' is of the default rule"):
            Grader({**other, "strictness": "training"})


def test_a_benchmark_may_have_its_own():
    grader = {"answer": "box", "strictness": "training"}
    assert grader_of(grader, {"title": "B"}) == grader
    assert grader_of(grader, {"strictness": "evaluation"})["strictness"] == "evaluation"

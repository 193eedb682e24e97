from collections import Counter

import pytest
from grading_pairs import pairs

from limr.grading.grade import Grader

PAIRS = pairs()
CATEGORIES = (
    "fractions decimals repeating thousands intervals sets tuples matrices units percent text "
    "choice degrees equations inequalities plus-minus surds latex unicode chinese nested several "
    "middle"
)


@pytest.fixture(scope="module")
def grader():
    return Grader()


@pytest.mark.parametrize(
    ("gold", "response", "verdict"),
    [pair[1:4] for pair in PAIRS],
    ids=[f"{category}: {why}" for category, *_, why in PAIRS],
)
def test_pair(grader, gold, response, verdict):
    assert grader.grade(gold, response, truncated=False).verdict == verdict


def test_the_table_is_broad():
    counts = Counter(pair[0] for pair in PAIRS)
    assert len(PAIRS) >= 400
    assert set(CATEGORIES.split()) <= set(counts)
    assert min(counts.values()) >= 8
    assert len({pair[1:3] for pair in PAIRS}) == len(PAIRS)
    assert all(why for *_, why in PAIRS)
    assert {verdict for _, _, _, verdict, _ in PAIRS} == {"correct", "incorrect", "malformed"}


@pytest.mark.parametrize("gold", sorted({pair[1] for pair in PAIRS}))
def test_a_gold_answer_equals_itself(grader, gold):
    for text in (gold, f" {gold} ", f"${gold}$", f"{gold}."):
        response = f"So \\boxed{{{text}}}"
        assert grader.grade(gold, response, truncated=False).verdict == "correct", text

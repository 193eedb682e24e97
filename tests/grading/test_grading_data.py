import pytest
from measure_grading import markdown, measure


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(2, id="every second of the responses"),
        pytest.param(1, id="all 20,000 responses", marks=pytest.mark.long),
    ],
)
def rates(mirror, request):
    folder = mirror / "grading"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there: the grader is not measured on real responses")
    return measure(folder, every=request.param)


@pytest.mark.slow
@pytest.mark.data
def test_real_answers(rates):
    assert rates["real"].accuracy >= 0.999
    assert rates["real"].false_positives <= 0.001
    assert rates["full"].accuracy >= 0.9935  # most others are arithmetic left undone
    assert rates["full"].false_positives <= 0.001


@pytest.mark.data
def test_pairs_mutants_and_rewrites(rates):
    assert rates["core"].accuracy >= 0.99
    assert rates["mutants"].false_positives <= 0.001
    assert rates["rewrites"].accuracy >= 0.9995


@pytest.mark.data
def test_the_table_names_every_kind(rates):
    table = markdown(rates)
    assert all(f"| {kind} |" in table for kind in rates)

"""Agreement of scores: ranks, overlap with ties, prefixes, and the best window of pass rates."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limr.analysis import offline_pass_rates
from limr.analysis.results import Inputs
from limr.core import files
from limr.core.random_streams import stream
from limr.problems.datasets import math_full
from limr.scores import agreement, diagnostics, scoring
from limr.subsets import cut
from limr.trajectories import curves as tr
from limr.trajectories.importers import accuracy_json, adarft, scores_json

VALUES = st.lists(st.integers(0, 5).map(float), min_size=1, max_size=12)


# Ranks and Spearman.


@given(VALUES)
def test_ranks_are_those_of_pandas(values):
    expected = pd.Series(values).rank().to_numpy()
    np.testing.assert_array_equal(agreement.ranks(np.array(values)), expected)


@given(VALUES, st.randoms(use_true_random=False))
def test_spearman_is_pearson_of_ranks_and_symmetric(values, random):
    first, second = np.array(values), np.array(random.sample(values, len(values)))
    found = agreement.spearman(first, second)
    if len(set(values)) < 2:
        assert math.isnan(found)
        return
    expected = pd.Series(first).rank().corr(pd.Series(second).rank())
    assert found == pytest.approx(expected, abs=1e-12)
    assert found == agreement.spearman(second, first)
    assert agreement.spearman(first, first) == pytest.approx(1)
    assert agreement.spearman(first, -first) == pytest.approx(-1)


def test_spearman_is_not_defined_for_a_constant_or_a_single_value():
    for values in ([], [1.0], [2.0, 2.0, 2.0]):
        assert math.isnan(agreement.spearman(np.array(values), np.array(values)))


# The best of a score, and overlap.


@given(VALUES, st.integers(1, 12))
def test_membership_is_the_mean_over_all_ways_to_break_ties(values, size):
    size = min(size, len(values))
    shares = np.zeros(len(values))
    ways = 0
    for chosen in itertools.combinations(range(len(values)), size):
        left = [values[i] for i in range(len(values)) if i not in chosen]
        if not left or min(values[i] for i in chosen) >= max(left):
            shares[list(chosen)] += 1
            ways += 1
    found = agreement.membership(np.array(values), size)
    np.testing.assert_allclose(found, shares / ways, atol=1e-12)
    assert found.sum() == pytest.approx(size)


def test_overlap_is_counted_over_problems_that_both_could_score():
    nan = math.nan
    first = np.array([9, 8, 7, 6, nan, 4, 3, 2])
    second = np.array([9, 1, 8, 2, 99, nan, 3, 4])
    found = agreement.compare(first, second, 2)
    assert (found.n, found.size) == (6, 2)
    assert found.shared == 1  # {9, 8} against {9, 7}: the first problem
    assert found.overlap == 0.5
    assert found.chance == pytest.approx(2 / 6)
    low, high = found.interval()
    assert low < 0.5 < high
    wider = found.interval(0.99)
    assert wider[0] < low
    assert wider[1] > high


def test_a_constant_score_agrees_by_chance_also_with_itself():
    constant, other = np.ones(10), np.arange(10.0)
    for second in (constant, other):
        found = agreement.compare(constant, second, 3)
        assert found.shared == pytest.approx(0.9)
        assert found.overlap == pytest.approx(found.chance)
    assert agreement.compare(other, other, 3).overlap == 1


def test_nothing_to_compare_is_not_a_number():
    found = agreement.compare(np.array([1.0, math.nan]), np.array([math.nan, 1.0]), 5)
    assert (found.n, found.size, found.shared) == (0, 0, 0)
    assert math.isnan(found.overlap)
    assert math.isnan(found.chance)
    assert all(map(math.isnan, found.interval()))
    assert agreement.compare(np.array([2.0]), np.array([1.0]), 5).overlap == 1  # one problem


# Fewer epochs.


def pass_rate(taken):
    return taken.pass_rate


def test_first_epochs_and_halves_are_what_they_say():
    n_correct = np.array([[0, 8, 8, 8], [4, 4, 4, 4], [8, 0, 0, 1]])
    taken = tr.Samples(np.full((3, 4), 8), n_correct)
    seen = []

    def rescore(samples):
        seen.append(samples.n_correct.tolist())
        return samples.pass_rate

    found = agreement.first_epochs(taken, rescore, 1 / 3)
    assert list(found) == [1, 2, 3]
    assert [len(rows[0]) for rows in seen] == [4, 1, 2, 3]
    assert found[1].spearman == -1  # 0 < .5 < 1 against .75 > .5 > .28
    assert found[1].shared == 0
    assert found[3].overlap == 1
    seen.clear()
    halves = agreement.odd_even(taken, rescore, 1 / 3)
    assert seen == [n_correct[:, [0, 2]].tolist(), n_correct[:, [1, 3]].tolist()]
    assert halves.n == 3


def test_one_epoch_has_no_part():
    taken = tr.Samples(np.full((3, 1), 8), np.array([[1], [2], [3]]))
    assert agreement.first_epochs(taken, pass_rate, 0.5) == {}
    assert agreement.odd_even(taken, pass_rate, 0.5) is None


# Windows of pass rates.


def windows_by_hand(rates, selected):
    """Every window of neighbours, ties within a rate averaged over their orders (Monte Carlo)."""
    rng = stream(0, "windows")
    size, best = int(selected.sum()), {}
    for _ in range(3000):
        order = np.lexsort((rng.random(len(rates)), rates))
        for start in range(len(rates) - size + 1):
            best.setdefault(start, []).append(selected[order[start : start + size]].sum())
    return max(np.mean(counts) for counts in best.values())


@pytest.mark.parametrize("seed", range(4))
def test_the_best_window_is_the_best_of_all(seed):
    rng = stream(seed, "window")
    rates = rng.integers(0, 6, 14) / 5
    selected = rng.random(14) < 0.4
    selected[0] = True
    found = agreement.best_window(rates, selected)
    assert found.size == selected.sum()
    assert found.chance == selected.mean()
    assert found.recovered == pytest.approx(windows_by_hand(rates, selected), abs=0.08)
    inside = (rates >= found.low) & (rates <= found.high)
    assert inside.sum() >= found.size
    assert (selected & inside).sum() >= found.recovered - 1e-9


def test_windows_at_the_ends():
    rates = np.linspace(0, 1, 10)
    for selected in (rates < 0.25, rates > 0.75, np.ones(10, bool)):
        found = agreement.best_window(rates, selected)
        assert found.recovered == found.size == selected.sum()
        assert found.low == rates[selected].min()
        assert found.high == rates[selected].max()
    assert agreement.best_window(rates, np.zeros(10, bool)) is None
    same = agreement.best_window(np.full(10, 0.5), rates < 0.25)
    assert same.recovered == pytest.approx(0.9)  # one rate only: chance
    assert (same.low, same.high) == (0.5, 0.5)


# The real data.


@pytest.fixture(scope="module")
def real(mirror):
    """name -> the score of One-Shot RLVR's 1,209 curves, cut to the shortest, 44 epochs."""
    path = mirror / "one_shot_rlvr" / "acc_step_500.json"
    options = {"ragged": "truncate", "samples": None, "bad_rows": "refuse"}
    table = accuracy_json.read([path], None, options).table
    ids = table["problem_id"].unique().to_pylist()
    candidates = scoring.ProblemSet(ids, [None] * len(ids))
    return {
        name: diagnostics.subject(
            candidates, tr.samples(table, candidates.problem_ids), name, {}, seed=0, name=name
        )
        for name in ("lim", "lim-curve-free")
    }


@pytest.mark.data
def test_real_curves_agree_as_is_known(real, root):
    golden = files.read_json(root / "tests/golden/agreement.json")["one_shot_rlvr"]
    lim, share = real["lim"], golden["share"]
    assert lim.samples.n.shape == (golden["problems"], golden["epochs"])
    halves = agreement.odd_even(lim.samples, lim.rescore, share)
    assert halves.overlap == pytest.approx(golden["odd_even"]["overlap"], abs=0.02)
    prefixes = agreement.first_epochs(lim.samples, lim.rescore, share)
    for epochs, known in golden["first"].items():
        assert prefixes[int(epochs)].spearman == pytest.approx(known["spearman"], abs=0.006)
        assert prefixes[int(epochs)].overlap == pytest.approx(known["overlap"], abs=0.02)
    free = agreement.compare_share(lim.scores, real["lim-curve-free"].scores, share)
    assert free.spearman == pytest.approx(golden["curve_free"]["spearman"], abs=0.006)
    assert free.overlap == pytest.approx(golden["curve_free"]["overlap"], abs=0.02)


@pytest.mark.slow
@pytest.mark.data
def test_a_window_of_pass_rates_recovers_little_of_the_published_subset(mirror, root):
    golden = files.read_json(root / "tests/golden/agreement.json")["published"]
    problems, _ = math_full.prepare({"empty_answers": "keep"}, mirror / "limr/math_full.json")
    published = scores_json.read([mirror / "limr/published_lim_scores.json"], problems, {})
    paths = sorted((mirror / "adarft").glob("*.parquet"))
    rates = adarft.read(paths, problems, {"samples": 128}).table
    lim = published.table.to_pandas()
    rows, record = cut.select(
        lim, problems, {"threshold": 0.6}, stream(0, "ties"), origin={"score": "lim"}
    )
    record["problem_ids"] = [row["problem_id"] for row in rows]
    inputs = Inputs(
        {"arms": [], "scores": {}},
        trajectories={"offline": rates},
        scores={"lim": lim},
        subsets={"limr": record},
    )
    joined = offline_pass_rates.join(inputs, "lim", None, "test")
    window = joined.window
    assert window.recovered / window.size == pytest.approx(golden["recovered"], abs=0.01)
    assert window.chance == pytest.approx(golden["chance"], abs=0.01)
    by_rate = offline_pass_rates.by_rate(joined).set_index("bin")
    share = by_rate["n_selected"] / by_rate["n"]
    assert share["0.6–0.7"] > 3 * share["0"]  # the inverted U
    assert share["0.6–0.7"] > 3 * share["1"]


def test_a_log_that_ends_within_an_epoch_is_compared_by_its_whole_epochs():
    """The last column, which most problems lack, would leave only those that have it."""
    rng = stream(5, "rest")
    n = np.full((40, 5), 8)
    n[6:, 4] = 0
    cut_off = tr.Samples(n, rng.binomial(n, rng.random((40, 1))), 4)
    whole = tr.Samples(n[:, :4], cut_off.n_correct[:, :4])
    problems = scoring.ProblemSet([str(i) for i in range(40)], [None] * 40)

    def lim(samples):
        return scoring.score("lim", problems, samples, {}, seed=1, name="x").values

    first = agreement.first_epochs(cut_off, lim, 0.25)
    assert list(first) == [1, 2, 3, 4]
    assert first[4].spearman == 1
    assert first[4].n == 40
    assert agreement.odd_even(cut_off, lim, 0.25) == agreement.odd_even(whole, lim, 0.25)
    assert {k: first[k] for k in (1, 2, 3)} == agreement.first_epochs(whole, lim, 0.25)

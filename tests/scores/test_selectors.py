"""Selectors: against a second implementation, on real and simulated curves, and by properties."""

import importlib.util
import itertools
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import second_opinion
from limr.core import files, plugins, validation
from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.core.tables import TRAJECTORIES, Problem
from limr.scores import scoring, selector_kinds
from limr.scores.selectors import forgetting, lim, linear, progress, variance
from limr.scores.selectors import random as random_selector
from limr.trajectories import curves as tr
from selector_options import needed

UNHURRIED = settings(deadline=None)  # other jobs may share the machine
N = 8
RULES = tr.MISSING_RULES

# Every deterministic selector with every value of its options that changes what is computed; those
# that read files of the user's own are in test_own_file_selectors.py.
CURVE = {"missing": RULES, "epochs": (None, 5, 1)}
RATE = {"epochs": (None, 5, 1)}
NOISE = {"noise": ("ignore", "debias")}
GRID = {
    "bottom-lim": {**CURVE, **NOISE, "never_solved": ("warn", "drop")},
    "decayed": {**RATE, "target": (0.5, 0.2), "decay": (0.8, 0.0, 1.0), "prior": (1.0, 0.3)},
    "forgetting": {**RATE, "events": ("falls", "expected")},
    "frontier": {**RATE, "target": (0.5, 0.0, 0.3, 1.0), "prior": (0.0, 0.5, 1.0)},
    "full": {},
    "greso": {**RATE, "easy": (0.5, 0.0), "hard": (0.5, 0.9), "least": (0.01, 0.3)},
    "hmm": {**RATE, "decay": (0.5, 0.0, 1.0), "prior": (1.0, 0.2)},
    "learnability": RATE,
    "lim": {**CURVE, **NOISE, "never_solved": ("warn", "drop")},
    "lim-curve-free": {**RATE, **NOISE},
    "linear": {**CURVE, **NOISE, "variant": ("alignment", "pearson", "r2")},
    "nonzero": RATE,
    "progress": {**RATE, "measure": ("z", "difference")},
    "variance": {**CURVE, **NOISE},
    "window": {**RATE, "low": (0.2, 0.0, 0.5), "high": (0.8, 0.5, 1.0)},
}
# What has its second implementation elsewhere: test_posterior.py sums over all paths.
ELSEWHERE = {"shrink"}
DETERMINISTIC = sorted(GRID)
BOUNDS = {
    "bottom-lim": (-1, math.inf),
    "decayed": (-1, 0),
    "forgetting": (0, math.inf),
    "frontier": (-1, 0),
    "full": (1, 1),
    "greso": (0, 1),
    "hmm": (0, 1),
    "learnability": (0, 0.25),
    "lim": (-math.inf, 1),
    "lim-curve-free": (-1, 0),
    "linear": (-1, 1),
    "nonzero": (0, 1),
    "progress": (-math.inf, math.inf),
    "variance": (0, 0.5),
    "window": (0, 1),
}


def combinations(selector):
    """Every combination of a selector's options in GRID."""
    grid = GRID[selector]
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def candidates(n, levels=None):
    return scoring.ProblemSet([f"p{i}" for i in range(n)], levels or [1] * n)


def rows_of(counts, n=N):
    """Rows for the second opinion; `counts[i][k]` correct of n samples, None = not sampled."""
    return [[None if c is None else (n, c) for c in row] for row in counts]


def samples(rows):
    """The same as limr has it, by way of the table that a workflow reads."""
    flat = [
        (f"p{i}", k, *cell, 0.0)
        for i, row in enumerate(rows)
        for k, cell in enumerate(row)
        if cell is not None
    ]
    table = pa.table(list(zip(*flat, strict=True)), schema=TRAJECTORIES)
    return tr.samples(table, [f"p{i}" for i in range(len(rows))])


def run(selector, rows, **options):
    """Scores with their reasons, as the workflow computes them."""
    return scoring.score(selector, candidates(len(rows)), samples(rows), options, seed=1, name="x")


def values(selector, rows, **options):
    return run(selector, rows, **options).values


def scored(selector, counts, **options):
    found = run(selector, rows_of(counts), **options)
    return scoring.score_table(found, candidates(len(counts))).to_pandas()


def simulated(rng, n, epochs, gaps=0.1, sizes=(8,)):
    """Learning curves with missing epochs and, with several sizes, mixed numbers of samples.

    Problem 0 is sampled in every epoch, 1 is always and 2 never solved, 3 is never sampled.
    """
    start, slope = rng.normal(-1, 2, n), rng.normal(1.5, 1.5, n)
    rows = []
    for i in range(n):
        row = []
        for k in range(epochs):
            p = 1 / (1 + math.exp(-(start[i] + slope[i] * k / epochs)))
            taken = int(rng.choice(sizes))
            correct = {1: taken, 2: 0}.get(i, int(rng.binomial(taken, p)))
            row.append(None if i and rng.random() < gaps else (taken, correct))
        rows.append(row)
    rows[3] = [None] * epochs
    return rows


# The formulas, written again.


@pytest.mark.parametrize("selector", DETERMINISTIC)
def test_the_second_opinion_covers_every_option(selector):
    module = plugins.load("selectors", selector)
    options = validation.options(module)
    assert set(GRID[selector]) == set(options.model_fields)
    for name, option in options.model_fields.items():
        assert option.default in GRID[selector][name]
        choices = set(validation.choices(options, name) or [])
        assert choices - ELSEWHERE <= set(GRID[selector][name])


def test_every_selector_is_deterministic_or_seeded_or_reads_files():
    modules = {name: plugins.load("selectors", name) for name in plugins.names("selectors")}
    others = [name for name, m in modules.items() if m.SEEDED or hasattr(m, "OWN_FILES")]
    assert sorted(others + DETERMINISTIC) == list(plugins.names("selectors"))
    assert set(DETERMINISTIC) == set(second_opinion.SCORES)


def agree(selector, rows, options):
    """Fail unless both implementations give the same scores and the same NaN."""
    expected = np.array(second_opinion.SCORES[selector](rows, **options))
    found = values(selector, rows, **options)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected), err_msg=f"{options}")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9, err_msg=f"{options}")


def possible(options):
    correlated = options.get("variant", "alignment") != "alignment"
    refused = correlated and options["noise"] == "debias"
    return options.get("low", 0) <= options.get("high", 1) and not refused


@pytest.mark.parametrize("selector", DETERMINISTIC)
@pytest.mark.parametrize(
    ("seed", "n", "epochs", "gaps", "sizes"),
    [
        (0, 60, 21, 0.04, (8,)),  # the paper's
        (1, 50, 9, 0.3, (1, 3, 7, 10, 16)),  # mixed samples, many gaps
        (2, 40, 5, 0.0, (4, 8)),
        (3, 30, 6, 0.7, (3,)),
    ],
)
def test_equals_the_second_opinion_on_simulated_curves(selector, seed, n, epochs, gaps, sizes):
    rows = simulated(stream(seed, "test"), n, epochs, gaps, sizes)
    for options in combinations(selector):
        if possible(options):
            agree(selector, rows, options)


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("selector", DETERMINISTIC)
@pytest.mark.parametrize(
    ("every", "gaps"),
    [
        (12, 0.0),
        pytest.param(1, 0.0, marks=pytest.mark.long),
        pytest.param(1, 331 / 8523, marks=pytest.mark.long),
    ],
)
def test_equals_the_second_opinion_on_real_curves(selector, every, gaps, real_curves):
    rng = stream(4, "test")
    rows = [
        [None if gaps and rng.random() < gaps else (N, int(c)) for c in row]
        for row in real_curves[::every]
    ]
    for options in combinations(selector):
        costly = options.get("noise") == "debias" and options.get("epochs") != 5
        if possible(options) and options.get("epochs") != 1 and not costly:
            agree(selector, rows, options)


@pytest.fixture(scope="module")
def real_curves(mirror):
    """(1209, 44) correct of 8: One-Shot RLVR's curves, cut to the shortest."""
    ragged = files.read_json(mirror / "one_shot_rlvr" / "acc_step_500.json")
    shortest = min(len(curve) for curve in ragged.values())
    counts = N * np.array([curve[:shortest] for curve in ragged.values()])
    assert counts.shape == (1209, 44)
    assert (counts == counts.round()).all()
    return counts.astype(int)


# The published procedure, end to end.


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_problems", "batch"), [(1065, 128), pytest.param(8523, 1024, marks=pytest.mark.long)]
)
def test_lim_is_the_published_procedure(n_problems, batch):
    """8,523 problems, 21 epochs of 8 steps of 1,024 prompts: 331 are left out of each epoch."""
    n_epochs, n_steps = 21, 8
    rng = stream(1, "published")
    ability = rng.normal(-0.6, 2.2, n_problems)
    gain = rng.gamma(2.0, 0.9, n_problems)
    rows = [[None] * n_epochs for _ in range(n_problems)]
    steps = []
    for epoch in range(n_epochs):
        order = rng.permutation(n_problems)
        p = 1 / (1 + np.exp(-(ability + gain * (1 - np.exp(-epoch / 7)))))
        correct = rng.binomial(N, p)
        for step in range(n_steps):
            pairs = []
            for i in order[step * batch : (step + 1) * batch]:
                rows[i][epoch] = (N, int(correct[i]))
                pairs += [(f"p{i}", j < correct[i]) for j in range(N)]
            steps.append(pairs)
    assert sum(row[0] is None for row in rows) == n_problems - n_steps * batch
    expected, kept = second_opinion.published_procedure(steps, n_steps, 0.6)
    found = values("lim", rows, missing="backfill-one")
    scale = n_problems / 8523
    assert abs(len(expected) - 7968 * scale) <= 60 * math.sqrt(scale)
    assert {f"p{i}" for i in np.flatnonzero(~np.isnan(found))} == set(expected)
    assert max(abs(found[int(key[1:])] - score) for key, score in expected.items()) < 1e-9
    assert {f"p{i}" for i in np.flatnonzero(found >= 0.6)} == kept
    assert 1000 * scale < len(kept) < 5000 * scale  # neither empty nor everything


# Cases worked by hand.


def test_lim_by_hand():
    # Curves (0, .5), (1, 1), mean (.5, .75). Σ(1 - mean)² = .25 + .0625 = .3125.
    # first: Σ(r - mean)² = .25 + .0625 -> 1 - 1 = 0; second (always solved): 0 too.
    assert scored("lim", [[0, 4], [8, 8]])["score"].tolist() == pytest.approx([0, 0], abs=1e-15)
    # With (.5, .75) itself as a third curve the mean stays, and it scores 1.
    assert scored("lim", [[0, 4], [8, 8], [4, 6]])["score"][2] == 1


def test_never_solved_prompts_pass_at_a_low_mean_accuracy():
    # mean curve (.25): 1 - .0625 / .5625 = .888...
    frame = scored("lim", [[0], [4]])
    assert frame["score"][0] == pytest.approx(1 - 0.0625 / 0.5625)


@pytest.mark.parametrize(("mean", "passes"), [(0.386, True), (0.388, False)])
def test_a_never_solved_problem_passes_06_below_a_flat_mean_of_387(mean, passes):
    # 1 - m²/(1-m)² = .6  <=>  m/(1-m) = sqrt(.4)  <=>  m = .3874...
    score = lim.alignment(np.zeros((1, 5)), np.full(5, mean))[0]
    assert bool(score >= 0.6) == passes
    assert math.sqrt(0.4) / (1 + math.sqrt(0.4)) == pytest.approx(0.3874, abs=1e-4)


def test_never_solved_drop():
    frame = scored("lim", [[0, 0], [4, 8], [2, None]], never_solved="drop")
    assert frame["reason"].tolist() == [lim.NEVER_SOLVED, "", tr.INCOMPLETE]
    assert frame["score"].isna().tolist() == [True, False, True]
    # It is not scored, but stays in the mean curve: the other's score is the same.
    assert frame["score"][1] == scored("lim", [[0, 0], [4, 8], [2, None]])["score"][1]


def test_linear_by_hand():
    frame = scored("linear", [[0, 4, 8], [0, 0, 0], [8, 8, 8], [8, 4, 0]])
    # the line is (0, .5, 1), its denominator 1 + .25 + 0; a fall: 1 - (1 + 0 + 1) / 1.25 = -.6
    assert frame["score"].tolist() == pytest.approx([1, 0, 0, -0.6])
    frame = scored("linear", [[0, 4, 8], [8, 4, 0], [4, 4, 4]], variant="r2")
    assert frame["score"].tolist()[:2] == pytest.approx([1, -1])
    assert frame["reason"][2] == linear.CONSTANT
    # (0, 1, .5) on (0, .5, 1): covariance .25, norms sqrt(.5) both -> rho = .5
    frame = scored("linear", [[0, 8, 4]], variant="pearson")
    assert frame["score"].tolist() == pytest.approx([0.5])


def test_a_flat_curve_in_the_middle_passes_linears_threshold():
    # A weakness of the reading, said in docs/selection.md. 21 epochs: Σ(.5 - ℓ)² = 1.925,
    # Σ(1 - ℓ)² = 7.175, so that accuracy .5 throughout scores .732.
    assert values("linear", rows_of([[4] * 21]))[0] == pytest.approx(1 - 1.925 / 7.175)


def test_variance_by_hand():
    # K = 2: the deviations from the mean are ±.5, ±.25 and 0
    scale = variance.SCALE_WITHOUT_NOISE
    assert scale.to(np.array([-0.3, 0, 0.4])) == pytest.approx([-0.09, 0, 0.16])
    assert scale.back(np.array([-0.09, 0, 0.16])) == pytest.approx([-0.3, 0, 0.4])
    assert scored("variance", [[0, 8], [2, 6], [5, 5]])["score"].tolist() == [0.5, 0.25, 0]


@pytest.mark.parametrize(("selector", "name"), [
    ("frontier", "target"), ("decayed", "target"), ("window", "low"), ("window", "high"),
])  # fmt: skip
@pytest.mark.parametrize("value", [-0.01, 1.01])
def test_no_rate_below_0_or_above_1_is_aimed_at(selector, name, value):
    with pytest.raises(ValueError, match=name):
        validation.options(plugins.load("selectors", selector)).model_validate({name: value})


def test_bottom_lim_warns_of_problems_that_were_never_solved():
    taken = samples(rows_of([[0, 0], [4, 8], [0, 0], [0, None]]))
    options = {"epochs": None, "missing": "backfill-one"}
    warn = plugins.load("selectors", "bottom-lim").warnings
    assert warn(np.array([False, True, False, True]), taken, options) == []
    [said] = warn(np.array([True, True, False, False]), taken, options)
    assert said.startswith("1 of the 2 selected problems were never solved")
    assert "(2 such problems in all)" in said


def test_pass_rate_selectors_by_hand():
    # 2 of 8 and 4 of 4: p = 6/12, where the mean of the two epochs would be .625
    rows = [[(8, 2), (4, 4)], [(8, 0), None], [(10, 2), (10, 2)], [None, (4, 4)]]
    assert values("learnability", rows).tolist() == pytest.approx([0.25, 0, 0.16, 0])
    assert values("window", rows).tolist() == [1, 0, 1, 0]  # .2 is in the window
    assert values("window", rows, low=0.21, high=1).tolist() == [1, 0, 0, 1]
    assert values("nonzero", rows).tolist() == [1, 0, 1, 0]
    assert values("frontier", rows).tolist() == pytest.approx([0, -0.5, -0.3, -0.5])
    # Beta(1, 1): (6 + 1) / 14, 1 / 10, 5 / 22, 5 / 6
    expected = [0, -0.4, -(0.5 - 5 / 22), -(5 / 6 - 0.5)]
    assert values("frontier", rows, prior=1).tolist() == pytest.approx(expected)
    # p = .5, 0, .2, 1, mean .425
    expected = [-(0.075**2), -(0.425**2), -(0.225**2), -(0.575**2)]
    assert values("lim-curve-free", rows).tolist() == pytest.approx(expected)


def test_the_published_code_gives_the_same():
    """Numbers that the authors' own classes gave for these visits, 8 samples each."""
    counts = [
        [0, 0, 2, 5, 8],
        [8, 8, 8, None, None],
        [None, 3, None, None, 0],
        [0, None, 0, 8, 8],
        [4, 4, 4, 4, 4],
    ]
    mopps = [-0.18571428571428572, -0.4375, -0.3214285714285714, -0.2647058823529411, 0.0]
    assert values("decayed", rows_of(counts), decay=0.5).tolist() == pytest.approx(mopps)
    dps = [
        *(0.33103448275862074, 0.3158354938268058, 0.310254735467015),
        *(0.2441505595116989, 0.5914893617021276),
    ]
    assert values("hmm", rows_of(counts), decay=0.5).tolist() == pytest.approx(dps)
    # GRESO's code draws at random: shares of 20,000 draws.
    greso = [0.50305, 0.1249, 0.4002, 0.2493, 1.0]
    found = values("greso", rows_of(counts), easy=0.5, hard=0.4)
    assert found.tolist() == pytest.approx(greso, abs=0.01)


def test_selectors_of_recent_visits_by_hand():
    # decay .5, prior 1: 2 of 8 gives Beta(3, 7); then 6 of 8: Beta(1.5 + .5 + 6, 3.5 + .5 + 2)
    assert values("decayed", rows_of([[2], [6]]), decay=0.5).tolist() == pytest.approx([-0.2, -0.2])
    assert values("decayed", rows_of([[2, 6]]), decay=0.5)[0] == pytest.approx(-(8 / 14 - 0.5))
    # The first mixed visit adds 1/3 to each step into mixed: (1 + 1/3) / (3 + 1/3) = .4
    assert values("hmm", rows_of([[4]]), decay=1)[0] == pytest.approx(0.4)
    assert values("greso", rows_of([[0, 8, 8], [4, 8, 0], [8, 8, 4], [8] * 9])).tolist() == (
        pytest.approx([0.25, 0.5, 1, 0.01])
    )
    # halves 2 of 8 and 6 of 8, the middle epoch left out; p = .5: .5 / sqrt(.25 * 2 / 8) = 2
    rows = rows_of([[2, 8, 6], [8, 0, 8], [6, 0, 2]])
    assert values("progress", rows).tolist() == pytest.approx([2, 0, -2])
    assert values("progress", rows, measure="difference").tolist() == [0.5, 0, -0.5]
    # .75 -> .25 -> .5 -> 0
    assert values("forgetting", rows_of([[6, 2, 4, 0]]))[0] == 1
    expected = 0.75 * 0.75 + 0.25 * 0.5 + 0.5 * 1
    assert values("forgetting", rows_of([[6, 2, 4, 0]]), events="expected")[0] == expected


def test_forgetting_of_one_sample_a_visit_is_tonevas_count():
    rows = rows_of([[1, 0, 1, 1, 0, 0], [0, 1, 1, 1, None, 0], [0] * 6, [1] * 6], n=1)
    for events in ("falls", "expected"):
        assert values("forgetting", rows, events=events).tolist() == [2, 1, 0, 0]


def test_decayed_without_decay_is_the_frontier_with_its_prior():
    rows = simulated(stream(6, "test"), 40, 7, 0.2, (1, 4, 8))
    for prior in (0.5, 1.0):
        np.testing.assert_allclose(
            values("decayed", rows, decay=1, prior=prior),
            values("frontier", rows, prior=prior),
            atol=1e-12,
        )


@pytest.mark.parametrize("selector", ["hmm", "greso"])
def test_a_visit_of_one_sample_cannot_be_mixed_and_counts_as_none(selector):
    rows = [[(1, 1), (8, 3), (1, 0)], [None, (8, 3), None], [(1, 1), (1, 0), (1, 1)]]
    found = run(selector, rows)
    assert found.values[0] == found.values[1]
    assert np.isnan(found.values[2])
    assert found.reasons[selector_kinds.NO_GROUPS].tolist() == [False, False, True]


def test_what_progress_and_forgetting_cannot_score():
    frame = scored("progress", [[None, 4, 4, 4], [None, None, 1, 2], [1, None, None, 2]])
    assert frame["reason"].tolist() == ["", progress.ONE_HALF, ""]
    assert scored("progress", [[4]])["reason"].tolist() == [progress.ONE_HALF]
    frame = scored("forgetting", [[4, None, 2], [None, 4, None]])
    assert frame["score"][0] == 0.25
    assert frame["reason"].tolist() == ["", forgetting.ONE_VISIT]


@pytest.mark.parametrize(
    "epochs", [{"last": 1}, {"last": 3}, {"from": 1, "to": 2}, {"from": 2, "to": 2}]
)
@pytest.mark.parametrize("selector", [name for name in DETERMINISTIC if name != "full"])
def test_some_epochs_are_as_if_nothing_else_had_been_recorded(selector, epochs):
    rows = simulated(stream(7, "test"), 30, 4, 0.1, (2, 8))
    start = 4 - epochs["last"] if "last" in epochs else epochs["from"] - 1
    cut = [row[start : epochs.get("to")] for row in rows]
    expected = direct(selector, read_only(cut), {})
    found = run(selector, rows, epochs=epochs)
    np.testing.assert_array_equal(found.values, expected.values)
    assert {text for text, which in found.reasons.items() if which.any()} == {
        text for text, which in expected.reasons.items() if which.any()
    }


def test_full_scores_every_problem():
    found = scoring.score("full", candidates(3), None, {}, seed=1, name="full")
    assert found.values.tolist() == [1, 1, 1]


# Edges: one epoch, one problem, all or none correct, nothing usable.


@pytest.mark.parametrize("variant", ["alignment", "pearson", "r2"])
def test_linear_needs_two_epochs(variant):
    frame = scored("linear", [[4], [8]], variant=variant)
    assert frame["reason"].tolist() == [linear.ONE_EPOCH] * 2
    frame = scored("linear", [[4, 8], [8, None]], variant=variant, epochs=1)
    assert frame["reason"].tolist() == [linear.ONE_EPOCH] * 2


def test_variance_needs_two_epochs():
    assert scored("variance", [[4], [8]])["reason"].tolist() == [variance.ONE_EPOCH] * 2


def test_one_epoch_is_enough_for_the_others():
    counts = [[0], [4], [8]]  # mean .5: LIM 1 - .25 / .25, 1, 0
    expected = {
        "lim": [0, 1, 0],
        "bottom-lim": [0, -1, 0],
        "learnability": [0, 0.25, 0],
        "window": [0, 1, 0],
        "nonzero": [0, 1, 0],
        "frontier": [-0.5, 0, -0.5],
        "lim-curve-free": [-0.25, 0, -0.25],
    }
    for selector, result in expected.items():
        assert scored(selector, counts)["score"].tolist() == result, selector


def test_one_problem_only():
    """It is its own mean curve: LIM 1."""
    counts = [[1, 3]]
    expected = {"lim": 1, "bottom-lim": -1, "lim-curve-free": 0, "variance": 0.125, "linear": 0.5}
    # linear: 1 - ((1/8)² + (5/8)²) / 1
    expected["linear"] = 1 - 26 / 64
    for selector, result in expected.items():
        assert scored(selector, counts)["score"].tolist() == [result], selector


def test_all_solved_has_no_denominator():
    frame = scored("lim", [[8, 8], [8, 8]])
    assert frame["score"].isna().all()
    assert set(frame["reason"]) == {lim.ALL_SOLVED}
    frame = scored("bottom-lim", [[8, 8], [8, 8], [8, None]])
    assert frame["score"].isna().all()
    assert frame["reason"].tolist() == [lim.ALL_SOLVED, lim.ALL_SOLVED, tr.INCOMPLETE]


def test_all_solved_is_no_edge_for_the_others():
    expected = {
        "learnability": 0,
        "window": 0,
        "nonzero": 0,
        "frontier": -0.5,
        "lim-curve-free": 0,
        "variance": 0,
        "linear": 0,
    }
    for selector, result in expected.items():
        assert scored(selector, [[8, 8], [8, 8]])["score"].tolist() == [result] * 2, selector


def test_none_solved_gives_lim_1_to_all_and_a_warning():
    counts = [[0, 0], [0, 0], [0, 0]]
    assert scored("lim", counts)["score"].tolist() == [1, 1, 1]
    assert scored("bottom-lim", counts)["score"].tolist() == [-1, -1, -1]
    options = validation.complete({}, lim.Options, "lim")
    [warning] = lim.warnings(np.array([True, False, True]), samples(rows_of(counts)), options)
    assert warning.startswith("2 of the 2 selected problems were never solved in any epoch (3 such")
    assert "gives every one of them 1.000, because the mean accuracy is only 0.000" in warning
    options["never_solved"] = "drop"
    frame = scored("lim", counts, never_solved="drop")
    assert frame["reason"].tolist() == [lim.NEVER_SOLVED] * 3


def test_lim_does_not_warn_without_cause():
    options = validation.complete({}, lim.Options, "lim")
    taken = samples(rows_of([[0, 0], [4, 8], [2, None]]))
    assert len(lim.warnings(np.array([True, True, False]), taken, options)) == 1
    assert lim.warnings(np.array([False, True, True]), taken, options) == []
    taken = samples(rows_of([[8, 8], [8, 8]]))
    assert lim.warnings(np.array([True, True]), taken, options) == []


def test_mixed_samples_per_epoch_are_accuracies_for_curves_and_pooled_for_pass_rates():
    rows = [[(2, 1), (16, 16)], [(16, 8), (2, 2)]]
    for selector in ("lim", "variance", "linear"):  # the same curve (.5, 1): the same score
        first, second = values(selector, rows)
        assert first == second, selector
    first, second = values("learnability", rows)
    assert first == pytest.approx(17 / 18 * 1 / 18)
    assert second == pytest.approx(10 / 18 * 8 / 18)


@pytest.mark.parametrize("selector", [name for name in DETERMINISTIC if name != "full"])
def test_a_problem_never_sampled_has_no_score_and_the_reason(selector):
    frame = scored(selector, [[4, 6, 8], [None, None, None], [2, 3, 5]])
    assert frame["score"].isna().tolist() == [False, True, False]
    assert frame["reason"].tolist() == ["", tr.NOT_SAMPLED, ""]
    without = scored(selector, [[4, 6, 8], [2, 3, 5]])["score"].tolist()
    assert frame["score"][[0, 2]].tolist() == without  # and does not count for the others


@pytest.mark.parametrize("selector", ["lim", "bottom-lim", "variance", "linear"])
def test_all_curves_incomplete(selector):
    counts = [[4, 2, None], [None, None, 6], [3, None, None]]
    left = {"strict": 3, "backfill-one": 3, "backfill": 2, "mean-of-present": 0}
    for rule, n in left.items():
        frame = scored(selector, counts, missing=rule)
        assert (frame["reason"] == tr.INCOMPLETE).sum() == frame["score"].isna().sum() == n, rule


def test_window_with_its_ends_in_the_wrong_order_is_refused():
    with pytest.raises(InputError, match=r"low 0.8 lies above high 0.2. Swap them"):
        scored("window", [[4, 4]], low=0.8, high=0.2)
    assert scored("window", [[4, 4], [4, 5]], low=0.5, high=0.5)["score"].tolist() == [1, 0]


def test_trajectories_that_are_needed_and_missing_are_refused():
    with pytest.raises(InputError, match="selector 'variance' needs trajectories"):
        scoring.score("variance", candidates(2), None, {}, seed=1, name="x")


def test_unknown_options_are_refused():
    with pytest.raises(InputError, match="Did you mean 'missing'"):
        scored("lim", [[4, 4]], mising="strict")
    with pytest.raises(InputError, match="Did you mean 'learnability'"):
        scored("learnabilty", [[4, 4]])


def test_a_score_table_must_have_finite_scores_or_reasons():
    two = candidates(2)
    with pytest.raises(ValueError, match="finite, or NaN with a reason"):
        scoring.score_table(scoring.Scores(np.array([1.0, np.nan])), two)
    with pytest.raises(ValueError, match="finite, or NaN with a reason"):
        scoring.score_table(scoring.Scores(np.array([1.0, np.inf])), two)
    found = scoring.Scores(np.array([1.0, np.nan]), {"why": np.array([True, True])})
    table = scoring.score_table(found, two)
    assert table["reason"].to_pylist() == ["", "why"]  # a problem with a score has no reason
    assert table["problem_id"].to_pylist() == ["p0", "p1"]


def test_candidates_are_ids_and_levels_in_order():
    problems = [Problem("b", "text", "1", "test", 3), Problem("a", "text", "1", "test")]
    found = scoring.candidates(problems)
    assert list(found.problem_ids) == ["b", "a"]
    assert list(found.levels) == [3, None]
    assert len(found) == 2


# Properties, on arbitrary tables.


@st.composite
def tables(draw, most_problems=10, most_epochs=6, gaps=True):
    n_problems = draw(st.integers(1, most_problems))
    n_epochs = draw(st.integers(1, most_epochs))
    cell = st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
    cell = st.none() | cell if gaps else cell
    row = st.lists(cell, min_size=n_epochs, max_size=n_epochs)
    return draw(st.lists(row, min_size=n_problems, max_size=n_problems))


def read_only(rows):
    """Samples that cannot be written to; rows may lack whole epochs, unlike a file."""
    n = np.array([[cell[0] if cell else 0 for cell in row] for row in rows])
    n_correct = np.array([[cell[1] if cell else 0 for cell in row] for row in rows])
    n.flags.writeable = n_correct.flags.writeable = False
    return tr.Samples(n, n_correct)


def direct(selector, taken, options):
    return scoring.score(selector, candidates(len(taken.n)), taken, options, seed=1, name="x")


def options_for(selector, n_epochs):
    """Combinations of a selector's options that such a table allows."""
    allowed = [
        options
        for options in combinations(selector)
        if possible(options) and (options.get("epochs") or 1) <= n_epochs
    ]
    return st.sampled_from(allowed)


@pytest.mark.slow
@pytest.mark.parametrize("selector", DETERMINISTIC)
@UNHURRIED
@given(rows=tables(), data=st.data())
def test_properties_of_every_selector(selector, rows, data):
    options = data.draw(options_for(selector, len(rows[0])))
    taken = read_only(rows)  # a selector that wrote to its input would raise
    found = direct(selector, taken, options)

    # It is what the formula says.
    expected = np.array(second_opinion.SCORES[selector](rows, **options))
    np.testing.assert_allclose(found.values, expected, rtol=1e-9, atol=1e-9)

    # It lies within the bounds of its docstring.
    scorable = found.values[~np.isnan(found.values)]
    low, high = BOUNDS[selector]
    if options.get("noise") != "debias":  # an unbiased estimate may lie anywhere
        assert (scorable >= low).all()
        assert (scorable <= high).all()
    if selector in ("window", "nonzero"):
        assert set(scorable) <= {0, 1}

    # Every problem without a score has one reason, and no other has any.
    count = np.zeros(len(rows), int)
    for text, which in found.reasons.items():
        assert text
        count += which
    np.testing.assert_array_equal(count, np.isnan(found.values))
    scoring.score_table(found, candidates(len(rows)))

    # The order of the problems does not matter.
    order = np.array(data.draw(st.permutations(range(len(rows)))))
    shuffled = direct(selector, tr.Samples(taken.n[order], taken.n_correct[order]), options)
    np.testing.assert_allclose(shuffled.values, found.values[order], rtol=1e-9, atol=1e-9)

    # The first K epochs are all that `epochs: K` sees.
    if options.get("epochs"):
        epochs = options["epochs"]
        cut = tr.Samples(taken.n[:, :epochs].copy(), taken.n_correct[:, :epochs].copy())
        again = direct(selector, cut, {**options, "epochs": None})
        np.testing.assert_array_equal(again.values, found.values)


@pytest.mark.slow
@pytest.mark.parametrize("rule", RULES)
@UNHURRIED
@given(rows=tables(most_problems=8), never_solved=st.sampled_from(["warn", "drop"]))
def test_properties_of_lim(rule, rows, never_solved):
    always = [(n + 1, n + 1) for n in range(len(rows[0]))]
    rows = [*rows, [(4, 0)] * len(rows[0]), always]
    options = {"missing": rule, "never_solved": never_solved}
    taken = read_only(rows)
    found = direct("lim", taken, options).values
    assert found[-1] == 0  # always solved: exactly 0, not a rounding error
    if never_solved == "warn":
        mean = tr.curves(taken, None, rule).mean
        assert found[-2] == pytest.approx(1 - (mean**2).sum() / ((1 - mean) ** 2).sum(), abs=1e-9)
    else:
        assert np.isnan(found[-2])
    np.testing.assert_array_equal(direct("bottom-lim", taken, options).values, -found)


@pytest.mark.slow
@UNHURRIED
@given(
    counts=tables(most_problems=4, gaps=False),
    n=st.integers(1, 12),
    constant=st.integers(0, 12),
    missed=st.integers(0, 6),
    rule=st.sampled_from(RULES),
)
def test_what_a_constant_problem_scores(counts, n, constant, missed, rule):
    """As the docstrings say; also with a gap, and where n is no power of two."""
    constant = min(constant, n)
    epochs = len(counts[0])
    row = [(n, constant)] * epochs
    if missed < epochs - 1 and rule != "strict":
        row[missed] = None
    taken = read_only([*counts, row])
    p = constant / n

    def last(selector, **options):
        found = direct(selector, taken, options)
        [reason] = [text for text, which in found.reasons.items() if which[-1]] or [""]
        return reason or found.values[-1]

    assert last("learnability") == pytest.approx(p * (1 - p), abs=1e-15)
    assert last("window") == float(0.2 <= p <= 0.8)
    assert last("nonzero") == float(0 < p < 1)
    assert last("frontier", target=0.3) == pytest.approx(-abs(p - 0.3), abs=1e-15)
    mean = taken.pass_rate.mean()
    assert last("lim-curve-free") == pytest.approx(-((p - mean) ** 2), abs=1e-12)
    if epochs == 1:
        assert last("variance", missing=rule) == variance.ONE_EPOCH
        return
    assert last("variance", missing=rule) == 0
    assert last("linear", missing=rule, variant="pearson") == linear.CONSTANT
    assert last("linear", missing=rule, variant="r2") == linear.CONSTANT
    if constant in (0, n):
        assert last("linear", missing=rule) == pytest.approx(0, abs=1e-12)


def test_always_solved_is_exactly_0_at_the_size_of_a_study():
    rng = stream(5, "test")
    n = rng.integers(1, 17, (3000, 21))
    n_correct = rng.binomial(n, rng.random((3000, 1)))
    n_correct[::7] = n[::7]
    assert (direct("lim", tr.Samples(n, n_correct), {}).values[::7] == 0).all()


# Random.


def draw(seed, name, n=50, levels=None, **options):
    found = scoring.score("random", candidates(n, levels), None, options, seed=seed, name=name)
    assert not found.reasons
    return found.values.tolist()


@pytest.mark.parametrize("stratify", ["none", "level"])
def test_random_scores_depend_on_seed_and_name_only(stratify):
    levels = [1, 2, 3, None, 5] * 10

    def drawn(seed, name):
        return draw(seed, name, levels=levels, stratify=stratify)

    assert drawn(1, "rand-1") == drawn(1, "rand-1")
    assert drawn(1, "rand-1") != drawn(1, "rand-2")
    assert drawn(1, "rand-1") != drawn(2, "rand-1")
    assert all(0 <= value <= 1 for value in drawn(1, "rand-1"))


def test_random_scores_are_below_1():
    assert all(0 <= value < 1 for value in draw(1, "rand-1", n=2000))


def test_random_scores_do_not_depend_on_samples():
    rows = rows_of([[0, 4], [8, 8], [None, 3]])
    without = scoring.score("random", candidates(3), None, {}, seed=1, name="x")
    assert values("random", rows).tolist() == without.values.tolist()


@UNHURRIED
@given(
    levels=st.lists(st.none() | st.integers(1, 6), min_size=1, max_size=80),
    seed=st.integers(0, 99),
)
def test_any_stratified_subset_holds_each_levels_share_within_one_problem(levels, seed):
    if set(levels) == {None}:
        with pytest.raises(InputError, match="needs problems with levels, and none of the"):
            draw(seed, "rand", len(levels), levels, stratify="level")
        return
    drawn = draw(seed, "rand", len(levels), levels, stratify="level")
    assert len(set(drawn)) == len(levels)  # no ties: a size is cut the same by every seed
    assert all(0 < value <= 1 for value in drawn)
    best_first = [levels[i] for i in sorted(range(len(levels)), key=lambda i: -drawn[i])]
    for level in set(levels):
        n_taken = 0
        for k, taken in enumerate(best_first, start=1):
            n_taken += taken == level
            # |x - k n / N| < 1, in whole numbers
            assert abs(n_taken * len(levels) - k * levels.count(level)) < len(levels)


@UNHURRIED
@given(st.lists(st.integers(1, 60), min_size=1, max_size=12))
def test_turns_are_within_one_of_the_share_at_every_length(sizes):
    order = random_selector.turns(sizes).tolist()
    assert [order.count(group) for group in range(len(sizes))] == sizes
    for group, n in enumerate(sizes):
        n_taken = 0
        for k, taken in enumerate(order, start=1):
            n_taken += taken == group
            assert abs(n_taken * len(order) - k * n) < len(order)


def test_within_a_level_every_problem_is_as_likely():
    """The best 2 of a level of 5 (and a level of 15): each problem in 2/5 of 500 draws."""
    levels = [1] * 5 + [2] * 15
    counts = np.zeros(20)
    for seed in range(500):
        drawn = np.array(draw(seed, "rand", 20, levels, stratify="level"))
        counts += drawn >= np.sort(drawn)[-8]
    assert abs(counts - 200).max() < 45  # sd 11


def test_stratify_without_levels_is_refused():
    with pytest.raises(InputError, match="needs problems with levels, and none of the 3 has one"):
        draw(1, "rand", 3, [None] * 3, stratify="level")
    assert len(draw(1, "rand", 3, [None] * 3)) == 3


# The interface.


@pytest.mark.parametrize("name", plugins.names("selectors"))
def test_every_selector_keeps_to_the_interface(name, tmp_path):
    module = plugins.load("selectors", name)
    assert module.TITLE
    assert isinstance(module.NEEDS_TRAJECTORIES, bool)
    assert isinstance(module.SEEDED, bool)
    for value in validation.options(module).model_fields.values():
        assert value.description
        assert not value.is_required()
        assert value.default is not validation.ABSENT
    counts = [[0, 4, 8], [1, 2, 3], [8, 8, 8]]
    frame = scored(name, counts, **needed(module, ("p0", "p1"), tmp_path))
    assert list(frame.columns) == ["problem_id", "score", "reason"]
    assert list(frame["problem_id"]) == ["p0", "p1", "p2"]


@pytest.mark.data
def test_scores_of_the_real_curves_are_the_recorded_ones(real_curves, root):
    """By both implementations; the golden file was written by the second opinion."""
    golden = files.read_json(root / "tests/golden/selection_one_shot_rlvr.json")
    n_problems, n_epochs = real_curves.shape
    assert (golden["problems"], golden["epochs"], golden["samples"]) == (n_problems, n_epochs, N)
    taken = tr.Samples(np.full(real_curves.shape, N), real_curves)
    assert sorted([*golden["scores"], "full"]) == DETERMINISTIC
    for selector, expected in golden["scores"].items():
        again = np.array(second_opinion.SCORES[selector](rows_of(real_curves.tolist())))
        for found in (direct(selector, taken, {}).values, again):
            assert found.mean() == pytest.approx(expected["mean"], abs=1e-8), selector
            assert found.min() == pytest.approx(expected["lowest"], abs=1e-8), selector
            assert found.max() == pytest.approx(expected["highest"], abs=1e-8), selector
            at_least = [int((found >= float(key)).sum()) for key in expected["at_least"]]
            assert at_least == list(expected["at_least"].values()), selector


@pytest.mark.slow
@pytest.mark.data
def test_the_measurements_of_the_selection_page_are_current(mirror, root):
    path = root / "docs/measure_missing_rules.py"
    spec = importlib.util.spec_from_file_location("measure_missing_rules", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = (root / "docs/selection.md").read_text(encoding="utf-8")
    for table in script.tables(mirror):
        assert table in page


def test_every_selector_is_on_the_selection_page(root):
    page = (root / "docs/selection.md").read_text(encoding="utf-8")
    for name in [*plugins.names("selectors"), *RULES]:
        assert f"\n| `{name}`" in page


@pytest.mark.data
def test_real_curves_keep_every_never_solved_problem_when_the_mean_is_low(real_curves, root):
    """One-Shot RLVR's 1,209 curves, first 5 epochs: mean .348, and 0.6 keeps 944 of them."""
    golden = files.read_json(root / "tests/golden/one_shot_rlvr_lim.json")
    counts = real_curves[:, :5].tolist()
    frame = scored("lim", counts)
    kept = (frame["score"] >= 0.6).to_numpy()
    never = np.array([sum(row) == 0 for row in counts])
    assert len(frame) == golden["problems"]
    assert np.mean(counts) / N == pytest.approx(golden["mean_accuracy"], abs=5e-4)
    assert kept.sum() == golden["at_least_0.6"]
    assert never.sum() == golden["never_solved"]
    assert (never & kept).sum() == golden["never_solved_kept"]
    options = validation.complete({}, lim.Options, "lim")
    [warning] = lim.warnings(kept, samples(rows_of(counts)), options)
    assert warning.startswith("237 of the 944 selected problems were never solved")

"""The map: which cells are compared, what a difference and a region say, and what is missing."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

import synthetic_study
import synthetic_sweep
from limr.analysis import best_size, cells, contrasts, equal_what, overfitting, shared_variance
from limr.analysis import map as mapping
from limr.analysis.results import Inputs
from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.statistics import bootstrap, estimates
from limr.statistics.estimates import Arm

PAIRS = [("limr", "rand"), ("limr", "full"), ("rand", "full")]


@pytest.fixture(scope="module")
def inputs():
    return synthetic_sweep.inputs(synthetic_sweep.helps)


def accuracies(inputs, group, step):
    """Seed -> question -> accuracy, read off the rows one by one."""
    found = {}
    for row in inputs.evaluations.to_dict("records"):
        if row["group"] == group and row["step"] == step:
            found.setdefault(row["seed"], {})[row["problem_id"]] = row["n_correct"] / row["n"]
    return found


def test_pairs_are_taken_within_a_cell_and_a_shared_arm_stands_for_all(inputs):
    assert mapping.pairs(inputs) == PAIRS
    for first, second in PAIRS:
        for match in cells.matches(inputs, first, second):
            ours, theirs = (
                dict(cells.cell_of(inputs, g.name)) for g in (match.first, match.second)
            )
            assert ours.keys() | theirs.keys() == dict(match.cell).keys() == {"useless", "size"}
            assert dict(match.cell).items() >= {**ours, **theirs}.items()
        assert len({m.cell for m in cells.matches(inputs, first, second)}) == 9
    full = {m.second.name for m in cells.matches(inputs, "limr", "full")}
    assert full == {"full-useless0", "full-useless0_25", "full-useless0_5"}
    assert all(cells.agree(inputs, *pair) for pair in contrasts.pairs(inputs))
    assert len(contrasts.pairs(inputs)) == 9 + 9 + 9  # limr and rand with full, limr with rand
    assert cells.title(inputs, "limr") == "LIMR"


def test_pairs_of_names_that_are_not_there_are_refused(inputs):
    with pytest.raises(InputError, match=r"there is no arm 'rnd'\. Did you mean 'rand'"):
        mapping.pairs(inputs, [["limr", "rnd"]])
    apart = [a for a in inputs.study["arms"]
             if a.get("of") not in ("limr", "full")
             or (a["cell"]["useless"] == 0) == (a["of"] == "limr")]  # fmt: skip
    alone = dataclasses.replace(inputs, study={**inputs.study, "arms": apart})
    with pytest.raises(InputError, match="'limr' and 'full' meet in no cell"):
        mapping.pairs(alone, [["limr", "full"]])


def test_a_cell_says_what_a_second_implementation_finds(inputs):
    """In plain loops: the paired difference, both variances, Student's quantiles, and p."""
    found = mapping.differences(inputs, ("limr", "rand"))
    [one] = [d for d in found if d.place == {"useless": 0.5, "size": 64, "step": 48}]
    sides = [accuracies(inputs, name, 48) for name in ("limr-useless0_5-size64",
                                                       "rand-useless0_5-size64")]  # fmt: skip
    seeds, questions = sorted(sides[0]), sorted(sides[0][1])
    gaps = [sum(sides[0][s][q] - sides[1][s][q] for s in seeds) / 3 for q in questions]
    mean = sum(gaps) / len(gaps)
    by_question = sum((g - mean) ** 2 for g in gaps) / (len(gaps) - 1) / len(gaps)
    raw, noise = [], []
    for side in sides:
        rows = {s: sum(side[s].values()) / len(questions) for s in seeds}
        columns = {q: sum(side[s][q] for s in seeds) / 3 for q in questions}
        whole = sum(rows.values()) / 3
        raw.append(sum((r - whole) ** 2 for r in rows.values()) / 2 / 3)
        left = [(side[s][q] - rows[s] - columns[q] + whole) ** 2 for s in seeds for q in questions]
        noise.append(sum(left) / (2 * (len(questions) - 1)) / 3 / len(questions))
    by_run = max(0.0, sum(raw) - sum(noise))
    df = sum(raw) ** 2 / sum(r**2 / 2 for r in raw)

    def half(level):
        ends = [stats.t.ppf(0.5 + level / 2, d) for d in (len(questions) - 1, df)]
        return math.sqrt(ends[0] ** 2 * by_question + ends[1] ** 2 * by_run)

    assert one.interval.mean == pytest.approx(mean)
    assert one.interval.low == pytest.approx(mean - half(0.95))
    assert one.interval.high == pytest.approx(mean + half(0.95))
    assert half(1 - one.p) == pytest.approx(abs(mean))
    assert one.seeds == (3, 3)


def test_holm_is_over_all_cells_and_steps_of_the_larger_p(inputs):
    found = mapping.differences(inputs, ("limr", "rand"))
    assert len(found) == 27
    careful = [shared_variance.p_value(inputs, d.pair, d.match, d.step, d.estimate) for d in found]
    assert all(p >= d.p for p, d in zip(careful, found, strict=True))
    order = np.argsort(careful)
    expected, before = {}, 0.0
    for rank, place in enumerate(order):
        before = expected[place] = max(before, min(1.0, (27 - rank) * careful[place]))
    assert [d.holm for d in found] == pytest.approx([expected[k] for k in range(27)])


def test_the_region_of_a_true_effect_is_found_and_no_other(inputs):
    whole, *regions = mapping.regions(inputs, ("limr", "rand"))
    called = [mapping.region_text(r) for r in regions if r.holm < 0.05]
    assert called == ["useless 0.5"]
    [half] = [r for r in regions if mapping.region_text(r) == "useless 0.5"]
    assert half.interval.low < 0.08 < half.interval.high  # 12 points in two of its three cells
    assert whole.n == 9
    members = [d for d in mapping.last(mapping.differences(inputs, ("limr", "rand")))
               if d.place["useless"] == 0.5]  # fmt: skip
    assert half.estimate.mean == pytest.approx(np.mean([d.estimate.mean for d in members]))


def test_a_region_of_one_cell_is_the_cell_and_shared_runs_are_counted_once(inputs):
    [one] = [d for d in mapping.differences(inputs, ("limr", "full"))
             if d.place == {"useless": 0.25, "size": 32, "step": 24}]  # fmt: skip
    alone = mapping.mean(inputs, [one])
    assert alone.mean == pytest.approx(one.estimate.mean)
    assert alone.half_width(0.95) == pytest.approx(one.estimate.half_width(0.95))
    # Three sizes against one full set: by hand, from arrays.
    row = [d for d in mapping.differences(inputs, ("limr", "full"))
           if d.place["useless"] == 0.25 and d.step == 24]  # fmt: skip

    def matrix(group):
        read = accuracies(inputs, group, 24)
        return np.array([[read[s][f"q{i}"] for i in range(40)] for s in (1, 2, 3)])

    arms = [Arm({"sums": matrix(f"limr-useless0_25-size{n}") / 3}) for n in (32, 64, 128)]
    by_hand = estimates.of_sum([*arms, Arm({"sums": -matrix("full-useless0_25")})])
    found = mapping.mean(inputs, row)
    assert found.mean == pytest.approx(by_hand.mean)
    assert found.half_width(0.95) == pytest.approx(by_hand.half_width(0.95))
    # As if each cell had a full set of its own, the interval would be too narrow.
    apart = estimates.of_sum([*arms, *[Arm({"sums": -matrix("full-useless0_25") / 3})] * 3])
    assert by_hand.runs[-1].raw == pytest.approx(3 * sum(part.raw for part in apart.runs[-3:]))


def covered(studies, rng):
    """How often the interval of a region's mean holds the truth: three sizes, one full set."""
    held = 0
    for _ in range(studies):
        ability, own = rng.normal(0, 0.2, 60), rng.normal(0, 0.05, (4, 60))
        arms = []
        for place, factor in enumerate((1 / 3, 1 / 3, 1 / 3, -1)):
            run = 0.02 * rng.standard_normal((5, 1))
            p = np.clip(0.5 + ability + own[place] + run, 0, 1)
            arms.append(Arm({"sums": factor * rng.binomial(4, p) / 4}))
        interval = estimates.of_sum(arms).interval()
        held += interval.low <= 0 <= interval.high
    return held / studies


def test_the_interval_of_a_region_holds_the_truth():
    assert 0.92 <= covered(400, stream(0, "region")) <= 0.985


@pytest.mark.long
def test_the_interval_of_a_region_holds_the_truth_in_many_studies():
    assert 0.935 <= covered(6000, stream(1, "region")) <= 0.965


def grids_called(grids):
    """The share of null grids of 27 cells and steps with any cell called, over three pairs each."""
    called = []
    for draw in range(grids):
        null = synthetic_sweep.inputs(spread=0.03, draw=draw)
        called += [min(d.holm for d in mapping.differences(null, pair)) < 0.05 for pair in PAIRS]
    return np.mean(called)


@pytest.mark.slow
def test_nothing_is_called_where_nothing_is():
    null = synthetic_sweep.inputs(spread=0.03, draw=1)
    found = mapping.differences(null, ("limr", "rand"))
    assert np.mean([d.interval.excludes_zero for d in found]) <= 0.15
    assert all(d.holm >= 0.05 for d in found)


@pytest.mark.long
def test_few_null_grids_have_a_called_cell():
    assert grids_called(60) <= 0.08


def test_cells_that_are_not_evaluated_are_shown_as_missing(inputs):
    e = inputs.evaluations
    gone = (e["group"] == "limr-useless0-size32") | (
        (e["group"] == "rand-useless0_5-size128") & (e["step"] == 48)
    )
    half = dataclasses.replace(inputs, evaluations=e[~gone])
    found = {tuple(d.place.values()): d for d in mapping.differences(half, ("limr", "rand"))}
    assert len(found) == 27  # all that was planned
    lacking = {place for place, d in found.items() if d.estimate is None}
    assert lacking == {(0, 32, 12), (0, 32, 24), (0, 32, 48), (0.5, 128, 48)}
    assert found[0, 32, 12].seeds == (0, 3)
    assert math.isnan(found[0, 32, 12].holm)
    before = {tuple(d.place.values()): d for d in mapping.differences(inputs, ("limr", "rand"))}
    assert found[0.25, 64, 24].interval == before[0.25, 64, 24].interval
    assert mapping.regions(half, ("limr", "rand"))[0].n == 7
    only = dataclasses.replace(inputs, evaluations=e[e["group"] == "base"])
    assert mapping.regions(only, ("limr", "rand")) == []


def test_without_a_sweep_the_map_is_over_the_steps():
    plain = synthetic_study.study()
    found = Inputs(plain, synthetic_study.evaluations())
    assert cells.matches(found, "limr", "rand")[0].cell == ()
    assert [d.step for d in mapping.differences(found, ("limr", "rand"))] == [12, 24, 36, 48]
    last = mapping.differences(found, ("limr", "rand"))[-1]
    assert last.interval == contrasts.group_difference(found, "limr", "rand")
    assert [r.axis for r in mapping.regions(found, ("limr", "rand"))] == [None]


def test_runs_of_two_steps_are_resampled_together():
    rng = stream(0, "together")
    runs = rng.random((4, 30))
    arms = {"early": Arm({"b": runs}), "late": Arm({"b": runs})}
    drawn = bootstrap.means(arms, {"b": 1.0}, rng, 200, {"early": "x", "late": "x"})
    assert np.array_equal(drawn["early"], drawn["late"])
    apart = bootstrap.means(arms, {"b": 1.0}, rng, 200)
    assert not np.array_equal(apart["early"], apart["late"])


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        ({12: 1.0, 48: 4.0}, {12: 1.0, 48: 4.0}, (48, 48)),
        ({12: 4.0, 48: 16.0}, {12: 1.0, 24: 2.0, 48: 4.1}, (12, 48)),
        ({12: 5.0}, {12: 1.0, 48: 4.0}, None),
        ({12: 3.9, 13: 4.05}, {48: 4.0}, (13, 48)),  # the latest amount that both had spent
        ({}, {12: 1.0}, None),
    ],
)
def test_arms_meet_at_the_latest_equal_amount_or_not_at_all(ours, theirs, expected):
    assert equal_what.meet(ours, theirs, 0.05) == expected


def test_equal_passes_of_a_quarter_are_a_quarter_of_the_steps(inputs):
    [match] = [m for m in cells.matches(inputs, "limr", "full")
               if dict(m.cell) == {"useless": 0.5, "size": 64}]  # fmt: skip
    found = {m.measure: m for m in equal_what.meetings(inputs, match, "tokens", 0.05)}
    assert found["steps"].steps == found["rollouts"].steps == (48, 48)
    assert found["passes"].steps == (12, 48)  # 64 of 256 problems
    assert found["compute"].steps is None  # the scoring run is as long as all of FULL
    assert found["compute"].why.startswith("LIMR not evaluated at all that FULL spends")
    sides = [accuracies(inputs, *one) for one in ((match.first.name, 12), (match.second.name, 48))]
    means = [np.mean([list(run.values()) for run in side.values()]) for side in sides]
    assert found["passes"].estimate.mean == pytest.approx(means[0] - means[1])


def test_the_best_size_is_charged_for_its_scoring(inputs):
    tables = best_size.tables(inputs, "rollouts", [1536, 6144, 7680])
    assert len(tables) == 2 * 3 * 3  # limr and rand, shares of useless problems, budgets
    of = {(t.name, dict(t.cell)["useless"], t.budget): t.sizes for t in tables}
    sizes = of["limr", 0.5, 7680]
    assert [one.problems for one in sizes] == [32, 64, 128, 256]
    assert [one.step for one in sizes] == [12, 12, 12, 48]  # 6,144 rollouts went into scoring
    assert [one.spent for one in sizes] == [7680, 7680, 7680, 6144]
    assert sum(one.best for one in sizes) == pytest.approx(1)
    assert [one.step for one in of["limr", 0.5, 6144]] == [None, None, None, 48]
    assert math.isnan(of["limr", 0.5, 6144][3].best)  # alone
    assert [one.step for one in of["rand", 0, 1536]] == [12] * 4
    late = best_size.tables(inputs, "rollouts", [12288])
    best = {one.problems: one.best for t in late if t.name == "limr"
            and dict(t.cell)["useless"] == 0.5 for one in t.sizes}  # fmt: skip
    assert best[32] + best[64] > 0.9


def test_overfitting_sets_in_after_its_peak():
    def falls(arm, step):
        falling = arm["of"] == "limr" and arm["cell"]["size"] == 32
        return {12: 0.5, 24: 0.6, 48: 0.35}[step] if falling else 0.5

    axes = {"useless": [0], "size": [32, 64]}
    found = synthetic_sweep.inputs(falls, axes=axes, questions=80)
    groups = {group.name: group for group in found.groups}
    onset = overfitting.onset(found, groups["limr-useless0-size32"])
    assert (onset.peak, onset.seen) == (24, 48)
    assert onset.fall.high < 0
    assert overfitting.onset(found, groups["rand-useless0-size32"]) is None
    flat = dataclasses.replace(found, metrics=found.metrics.assign(mean_reward=0.5))
    assert overfitting.onset(flat, groups["limr-useless0-size32"]) is None


def test_one_cell_is_a_study_without_a_sweep(inputs):
    cell = cells.shown(inputs)
    assert dict(cell) == {"useless": 0, "size": 32}
    one = cells.only(inputs, cell)
    assert [group.name for group in one.groups] == [
        "base", "limr-useless0-size32", "rand-useless0-size32", "full-useless0"
    ]  # fmt: skip
    assert cells.axes(one) == {}
    assert set(one.evaluations["arm"]) == {group.name for group in one.groups}
    declared = {"arm": "rand-useless0_5-size64", "against": "full-useless0_5"}
    again = dataclasses.replace(inputs, study={**inputs.study, "declared": declared})
    assert dict(cells.shown(again)) == {"useless": 0.5, "size": 64}

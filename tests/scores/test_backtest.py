"""Backtest: against plain loops, against known truths, and against leaks of the future."""

import importlib.util
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limr.core import plugins
from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.core.validation import Keys, key
from limr.scores import (
    agreement,
    backtest,
    backtest_rows,
    backtest_text,
    lookahead,
    reselection,
    scoring,
)
from limr.scores.backtest import Asked, Plan
from limr.scores.scoring import ProblemSet
from limr.trajectories import curves as tr

NAN = math.nan
QUICK = Plan(draws=20)


def problems(n):
    return ProblemSet([f"p{i}" for i in range(n)], [None] * n)


def log(n, epochs, gaps=0.0, sizes=(8,), name="log"):
    """Curves of many kinds: rising, falling, hard, easy; with gaps and groups of some sizes."""
    rng = stream(3, "backtest", name)
    start, slope = rng.normal(0, 2.5, (n, 1)), rng.normal(1, 2, (n, 1))
    p = 1 / (1 + np.exp(-(start + slope * np.arange(epochs) / epochs)))
    taken = rng.choice(sizes, p.shape) * (rng.random(p.shape) >= gaps)
    return tr.Samples(taken, rng.binomial(taken, p))


def run(samples, plan=QUICK, asked=None, name="log"):
    asked = backtest.every() if asked is None else asked
    return backtest.backtest(name, problems(len(samples.n)), samples, asked, plan).to_pandas()


def value(frame, selector, measure="signal", t=None):
    at = frame["t"].isna() if t is None else frame["t"] == t
    [row] = frame[at & (frame["selector"] == selector) & (frame["measure"] == measure)].to_dict(
        "records"
    )
    return row["value"]


# A second implementation, in plain loops.


def plainly(samples, weights, t, horizon):
    """Sums over the chosen by name, from the definitions; no gap counts."""
    n, k = samples.n.tolist(), samples.n_correct.tolist()
    total = dict.fromkeys(lookahead.COLUMNS, 0.0)
    for i, weight in enumerate(weights):
        rest = range(t, len(n[i]))
        for u in range(t, t + horizon):
            if n[i][u]:
                total["groups"] += weight
                total["rollouts"] += weight * n[i][u]
                total["signal"] += weight * (0 < k[i][u] < n[i][u])
                total["all_right"] += weight * n[i][u] * (k[i][u] == n[i][u])
                total["all_wrong"] += weight * n[i][u] * (k[i][u] == 0)
            if n[i][u] > 1:
                outcomes = [1.0] * k[i][u] + [0.0] * (n[i][u] - k[i][u])
                total["measured"] += weight
                total["variance"] += weight * np.var(outcomes, ddof=1)
        after = [u for u in range(t + horizon, len(n[i])) if n[i][u]]
        total["with_later"] += weight * bool(after)
        total["later"] += weight * any(0 < k[i][u] < n[i][u] for u in after)
        total["with_rest"] += weight * any(n[i][u] for u in rest)
        dead = any(n[i][u] for u in rest) and not any(k[i][u] for u in rest)
        total["dead"] += weight * dead
        total["dead_at_most"] += weight * dead
        total["chosen"] += weight
    return total


def plain_weights(values, size):
    scored = [(v, i) for i, v in enumerate(values) if not math.isnan(v)]
    weights = [0.0] * len(values)
    if len(scored) <= size:
        for _, i in scored:
            weights[i] = 1.0
        return weights
    last = sorted((v for v, _ in scored), reverse=True)[size - 1]
    above = sum(v > last for v, _ in scored)
    tied = sum(v == last for v, _ in scored)
    for v, i in scored:
        weights[i] = 1.0 if v > last else (size - above) / tied if v == last else 0.0
    return weights


@pytest.mark.parametrize(("gaps", "sizes", "horizon"), [(0.0, (8,), 1), (0.2, (1, 2, 5), 3)])
def test_every_number_is_that_of_plain_loops(gaps, sizes, horizon):
    samples = log(40, 8, gaps, sizes)
    plan = Plan(size=7, horizon=horizon, draws=2)
    asked = [Asked("variance", "variance", {"missing": "mean-of-present"}), *backtest.every()[3:5]]
    frame = run(samples, plan, asked)
    keys = frame[["selector", "measure"]].assign(t=frame["t"].fillna(0))  # 0: over all t
    found_value = dict(zip(keys.itertuples(index=False, name=None), frame["value"], strict=True))
    times = range(1, 8 - horizon + 1)
    sums = {name: {} for name in (*(one.name for one in asked), "random", "oracle")}
    for t in times:
        known = tr.Samples(samples.n[:, :t], samples.n_correct[:, :t])
        pool = [any(row[:t]) for row in samples.n.tolist()]
        scores = {}
        for one in asked:
            found = backtest.scores_at(one, problems(40), known, np.array(pool))
            if not isinstance(found, str):
                scores[one.name] = found.tolist()
        ahead = [
            [0 < k < n for n, k in zip(ns[t : t + horizon], ks[t : t + horizon], strict=True) if n]
            for ns, ks in zip(samples.n.tolist(), samples.n_correct.tolist(), strict=True)
        ]
        scores["random"] = [0.0 if in_pool else NAN for in_pool in pool]
        scores["oracle"] = [
            sum(a) / len(a) if a and p else NAN for a, p in zip(ahead, pool, strict=True)
        ]
        for name, values in scores.items():
            sums[name][t] = plainly(samples, plain_weights(values, 7), t, horizon)
            for measure, (above, below) in lookahead.MEASURES.items():
                one = sums[name][t]
                expected = one[above] / one[below] if one[below] else NAN
                found = found_value.get((name, measure, t), NAN)
                assert found == pytest.approx(expected, nan_ok=True)
    compared = [t for t in times if all(t in of_t for of_t in sums.values())]
    assert (frame.loc[frame["t"].isna(), "visits"] == len(compared)).all()
    signal = {}
    for name, of_t in sums.items():
        for measure, (above, below) in lookahead.MEASURES.items():
            whole = [sum(of_t[t][column] for t in compared) for column in (above, below)]
            expected = whole[0] / whole[1] if whole[1] else NAN
            found = found_value[name, measure, 0]
            assert found == pytest.approx(expected, nan_ok=True)
        signal[name] = value(frame, name)
    best = max(v for name, v in signal.items() if name != "oracle")
    for name in set(signal) - {"oracle"}:
        assert value(frame, name, "behind") == pytest.approx(best - signal[name])


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([NAN, 0.0, 0.5, 1.0, 2.0]), min_size=1, max_size=12),
    st.integers(1, 12),
    st.integers(0, 99),
)
def test_a_resample_is_the_choice_among_the_drawn_prompts_written_out(values, size, seed):
    scores, columns = np.array(values), np.eye(len(values))
    drawn = reselection.resamples(len(values), 3, stream(seed, "draws"))
    found = drawn.of_best(scores, size, columns)
    for draw in range(4):
        often = drawn.counts[:, draw]
        copies = [i for i in range(len(values)) for _ in range(often[i])]
        expected = np.zeros(len(values))
        np.add.at(expected, copies, plain_weights([values[i] for i in copies], size))
        np.testing.assert_allclose(found[:, draw], expected, atol=1e-12)
    scored = ~np.isnan(scores)
    if size <= scored.sum():
        expected = agreement.membership(scores[scored], size)
        np.testing.assert_allclose(found[scored, 0], expected, atol=1e-12)


def test_blocks_of_draws_and_long_lists_give_the_same(monkeypatch):
    rng = stream(1, "blocks")
    scores, columns = rng.normal(size=3000), rng.random((3000, 3))
    drawn = reselection.resamples(3000, 10, rng)
    whole = drawn.of_best(scores, 200, columns)
    for draw in (0, 4):
        copies = np.repeat(np.arange(3000), drawn.counts[:, draw])
        best = copies[np.argsort(-scores[copies], kind="stable")[:200]]
        np.testing.assert_allclose(whole[:, draw], columns[best].sum(axis=0))
    monkeypatch.setattr(reselection, "_CELLS", 1000)
    np.testing.assert_allclose(drawn.of_best(scores, 200, columns), whole)


# The future does not leak.


@pytest.mark.parametrize("gaps", [0.0, 0.15])
def test_what_comes_after_t_changes_no_choice_at_t(gaps):
    samples = log(60, 9, gaps)
    other = log(60, 9, gaps, name="another future")
    asked = backtest.every()
    asked += [Asked("filled", "lim", {"missing": "backfill"})]
    for t in (1, 4, 7):
        mixed = tr.Samples(
            np.hstack([samples.n[:, :t], other.n[:, t:]]),
            np.hstack([samples.n_correct[:, :t], other.n_correct[:, t:]]),
        )
        one, two = (
            backtest._Test(problems(60), each, False, QUICK).scores(asked, t)
            for each in (samples, mixed)
        )
        for name in set(one) - {"oracle"}:
            if isinstance(one[name], str):
                assert one[name] == two[name]
            else:
                np.testing.assert_array_equal(one[name], two[name])


def test_a_gap_at_t_is_not_filled_from_t_plus_1():
    samples = log(30, 6)
    n, k = samples.n.copy(), samples.n_correct.copy()
    n[0, 2] = k[0, 2] = 0
    test = backtest._Test(problems(30), tr.Samples(n, k), False, QUICK)
    asked = [Asked("lim", "lim", {"missing": "backfill"})]
    assert np.isnan(test.scores(asked, 3)["lim"][0])  # only visit 4 could fill it
    assert not np.isnan(test.scores(asked, 4)["lim"][0])


# Known truths.


def drawn(p, n=8, name="truth"):
    taken = np.full(p.shape, n)
    return tr.Samples(taken, stream(7, name).binomial(taken, p))


@pytest.fixture
def recent(monkeypatch):
    """One more plug-in, in no list: p (1 - p) over the last `visits`."""

    class Options(Keys):
        visits: int = key(2, "How many.")

    def score(problems, samples, options, rng):
        last = tr.Samples(*(m[:, -options["visits"] :] for m in (samples.n, samples.n_correct)))
        return scoring.from_pass_rate(last, last.pass_rate * (1 - last.pass_rate))

    module = SimpleNamespace(NEEDS_TRAJECTORIES=True, SEEDED=False, Options=Options, score=score)
    names, load = plugins.names, plugins.load

    def with_recent(kind, name):
        return module if (kind, name) == ("selectors", "recent") else load(kind, name)

    monkeypatch.setattr(plugins, "load", with_recent)
    monkeypatch.setattr(plugins, "names", lambda kind: [*names(kind), "recent"])


def ranked(frame):
    found = backtest_rows.summary(frame[frame["role"] == "selector"])
    return list(found["selector"]), found.set_index("selector")


def test_where_prompts_change_late_recent_visits_win(recent):
    """A hundred prompts are learned by visit 10, a hundred others begin to be learned there."""
    p = np.full((400, 20), 0.02)
    p[:100, :10], p[:100, 10:] = 0.5, 0.99
    p[100:200, 10:] = 0.5
    asked = [
        Asked("first 5", "learnability", {"epochs": 5}),
        Asked("all", "learnability"),
        Asked("last 2", "recent"),
    ]
    names, found = ranked(run(drawn(p), Plan(size=100, first=12, draws=200), asked))
    assert names == ["last 2", "all", "first 5"]
    assert found["signal"].iloc[0] > 0.95
    assert found["signal"].iloc[2] < 0.2
    assert (found["behind_low"].iloc[1:] > 0).all()


def test_where_nothing_changes_all_visits_win(recent):
    rng = stream(1, "stationary")
    p = np.repeat(rng.beta(0.5, 0.8, (800, 1)), 16, axis=1)
    few = [Asked(f"last {k}", "recent", {"visits": k}) for k in (1, 2, 4)]
    asked = [*few, Asked("all", "learnability")]
    names, found = ranked(run(drawn(p), Plan(size=130, first=8, draws=200), asked))
    assert names == ["all", "last 4", "last 2", "last 1"]
    assert found["behind"].iloc[0] == 0
    assert (found["behind_low"].iloc[2:] > 0).all()  # the paired interval tells them apart


def test_p_times_1_minus_p_is_unbiased_in_small_groups():
    rng = stream(2, "unbiased")
    p = np.repeat(rng.random((30_000, 1)), 3, axis=1)
    expected = (p[:, 0] * (1 - p[:, 0])).mean()
    for n in (2, 8):
        frame = run(drawn(p, n), Plan(draws=2), [])
        assert value(frame, "random", "variance") == pytest.approx(expected, abs=0.004)


@pytest.mark.long
def test_intervals_cover_the_expected_value():
    """200 logs of 300 prompts from one population; the truth is that of 200 times as many."""
    covered, values, plan = [], [], Plan(share=0.25, draws=200)
    for number in range(200):
        rng = stream(number, "coverage")
        p = np.repeat(rng.beta(0.6, 0.6, (300, 1)), 6, axis=1)
        frame = run(drawn(p, name=f"coverage {number}"), plan, [Asked("lim", "lim")])
        row = frame[frame["t"].isna() & (frame["selector"] == "lim")]
        [row] = row[row["measure"] == "variance"].to_dict("records")
        covered.append((row["low"], row["high"]))
        values.append(row["value"])
    truth = np.mean(values)
    share = np.mean([low <= truth <= high for low, high in covered])
    assert 0.91 <= share <= 0.985


# Filtered logs, gaps, groups of one.


def filtered(samples):
    """The log of a trainer that throws away groups without signal."""
    signal = (samples.n_correct > 0) & (samples.n_correct < samples.n)
    return tr.Samples(samples.n * signal, samples.n_correct * signal)


def test_a_filtered_log_gives_the_signal_of_the_whole_one_and_bounds_for_the_waste():
    whole = log(300, 9)
    cut = filtered(whole)
    asked = [Asked("window", "window", {"low": 0.3, "high": 0.7})]
    plan = replace(QUICK, size=40)
    frame = run(cut, plan, asked)
    assert frame["filtered"].all()
    assert frame["t"].max() == 7  # the last pass may be unfinished
    reference = run(whole.first(8), plan, asked)
    for name in ("random", "oracle"):  # the same choice: all prompts, or by what comes next
        for measure in ("signal", "variance", "per_rollout", "cost", "later"):
            assert value(frame, name, measure) == pytest.approx(value(reference, name, measure))
        for t in range(1, 8):
            right, wrong, either = (
                value(frame, name, key, t) for key in ("all_right", "all_wrong", "either")
            )
            assert right == wrong == 0
            known = value(reference, name, "all_right", t) + value(reference, name, "all_wrong", t)
            assert either == pytest.approx(known)
            low, high = value(frame, name, "dead", t), value(frame, name, "dead_at_most", t)
            assert low - 1e-12 <= value(reference, name, "dead", t) <= high + 1e-12


def test_a_filtered_log_is_said_to_be_one():
    frame = run(filtered(log(300, 7)), QUICK, [Asked("window", "window")])
    said = backtest_text.lines(frame, backtest_rows.summary(frame), [])
    assert "The trainer filtered groups" in said[-1]
    assert "waste: rollouts in groups that are all right or all wrong" in said[-2]
    [row] = [line for line in said if line.startswith("random")]
    assert "≤0." in row


def test_prompts_that_a_filter_never_lets_through_are_part_of_random():
    whole = log(200, 8)
    samples = filtered(whole)
    n = np.vstack([samples.n, np.zeros((200, 8), int)])
    k = np.vstack([samples.n_correct, np.zeros((200, 8), int)])
    alone, with_dead = run(samples, QUICK, []), run(tr.Samples(n, k), QUICK, [])
    assert value(with_dead, "random") < 0.6 * value(alone, "random")
    # in a log that is not filtered, a prompt that never came is no prompt of the log
    n = np.vstack([whole.n, np.zeros((200, 8), int)])
    k = np.vstack([whole.n_correct, np.zeros((200, 8), int)])
    assert value(run(tr.Samples(n, k), QUICK, []), "random") == value(
        run(whole, QUICK, []), "random"
    )


def test_an_unfinished_epoch_is_not_looked_at():
    samples = log(50, 6)
    n, k = samples.n.copy(), samples.n_correct.copy()
    n[20:, 5] = k[20:, 5] = 0
    frame = run(tr.Samples(n, k, whole=5))
    assert frame["t"].max() == 4


def test_a_selector_without_scores_says_why():
    samples = log(50, 5)
    frame = run(
        samples, QUICK, [Asked("variance", "variance"), Asked("late", "lim", {"epochs": 4})]
    )
    [row] = frame[(frame["selector"] == "variance") & (frame["t"] == 1)].to_dict("records")
    assert row["reason"] == "one epoch has no variance"
    assert np.isnan(row["value"])
    summary = backtest_rows.summary(frame).set_index("selector")
    assert "1 of 4 t only" in summary.loc["late", "reason"]
    assert "4 epochs are asked for, 1 are recorded" in summary.loc["late", "reason"]
    assert summary.loc["variance", "visits"] == 3
    assert summary.index[-1] == "late"


def test_every_selector_of_trajectories_is_tested_without_being_named(recent):
    names = {one.name for one in backtest.every()}
    for name in plugins.names("selectors"):
        assert (name in names) == plugins.load("selectors", name).NEEDS_TRAJECTORIES
    frame = run(log(40, 6))
    assert "recent" in names
    assert set(frame["selector"]) == names | {"random", "oracle"}
    with_option = backtest.every({"missing": "strict"})
    assert {one.name for one in with_option if one.options} >= {"lim", "variance"}
    with pytest.raises(InputError, match="option 'missin': no selector has it"):
        backtest.every({"missin": "strict"})


def test_no_choice_passes_the_oracle_and_random_is_the_mean():
    samples = log(80, 7)
    frame = run(samples)
    signal = (samples.n_correct > 0) & (samples.n_correct < samples.n)
    for t in range(1, 7):
        assert value(frame, "random", t=t) == pytest.approx(signal[:, t].mean())
        rows = frame[(frame["t"] == t) & (frame["measure"] == "signal")]
        assert rows["value"].max() <= value(frame, "oracle", t=t) + 1e-12
    whole = frame[frame["t"].isna() & frame["value"].notna() & (frame["measure"] != "behind")]
    assert (whole["lowest"] <= whole["value"] + 1e-12).all()
    assert (whole["value"] <= whole["highest"] + 1e-12).all()


def test_the_same_log_gives_the_same_table():
    samples = log(40, 6)
    pd.testing.assert_frame_equal(run(samples), run(samples))


@pytest.mark.parametrize(
    ("samples", "plan", "message"),
    [
        (log(9, 2), Plan(), "the log has 2 whole visits to most prompts, and .* needs 3: 2 to "),
        (log(9, 4), Plan(horizon=4), "4 whole visits .* needs 5: 1 to choose from and 4 to look"),
        (log(9, 4), Plan(first=4), "this backtest needs 5"),
        (log(9, 4), Plan(horizon=0), "horizon 0: expected a whole number from 1"),
        (log(9, 4), Plan(first=0), "first 0"),
        (log(9, 4), Plan(size=10), "size 10: the log has 9 prompts"),
        (log(9, 4), Plan(size=0), "choose at least 1"),
        (log(9, 4), Plan(share=0), "share 0"),
        (log(9, 4, sizes=(1,)), Plan(), "every visit has one sample"),
        (filtered(log(90, 3)), Plan(), "2 whole visits .*without the last pass"),
    ],
)
def test_what_a_log_cannot_bear_is_refused(samples, plan, message):
    with pytest.raises(InputError, match=message):
        run(samples, replace(plan, draws=2))


def test_a_selector_twice_is_refused():
    with pytest.raises(InputError, match="'lim' is asked for twice"):
        run(log(9, 4), QUICK, [Asked("lim", "lim"), Asked("lim", "lim")])


# Real curves.


@pytest.mark.slow
def test_the_measurements_of_the_backtest_page_are_current(mirror, root, monkeypatch):
    """What a choice finds does not depend on the draws, which only make its interval."""
    monkeypatch.syspath_prepend(str(root / "benchmarks/selection"))
    spec = importlib.util.spec_from_file_location(
        "measure", root / "benchmarks/selection/backtest.py"
    )
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    found = backtest_rows.summary(script.real(mirror, draws=2)).set_index("selector")
    found = found[found["signal"].notna()]
    page = (root / "docs/backtest.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if " to " in line]
    rows = [row for row in rows if row[0] in found.index]
    assert {"random", "variance", "lim", "learnability", "oracle"} <= {row[0] for row in rows}
    for name, signal, spread, *_, dead, cost in rows:
        now = found.loc[name]
        assert signal.split(" ")[0] == f"{now['signal']:.3f}", name
        assert spread == f"{now['signal_lowest']:.2f} to {now['signal_highest']:.2f}", name
        assert (dead, cost) == (f"{now['dead']:.3f}", f"{now['cost']:.1f}"), name

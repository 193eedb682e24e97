"""Diagnostics of a score: the tables of the rule, also where there is little to diagnose."""

import numpy as np
import pyarrow as pa
import pytest

from limr.analysis import load
from limr.core import files, plugins
from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.core.tables import DIAGNOSTICS, STABILITY, TRAJECTORIES
from limr.scores import diagnostics, scoring
from limr.trajectories import curves as tr
from selector_options import needed

SELECTORS = [
    name
    for name in plugins.names("selectors")
    if plugins.load("selectors", name).NEEDS_TRAJECTORIES
    and not plugins.load("selectors", name).SEEDED
]


def table(rows, n=8):
    """Trajectories: `rows[i][k]` correct of n, None = not sampled."""
    flat = [
        (f"p{i}", k, n, count, 0.0)
        for i, row in enumerate(rows)
        for k, count in enumerate(row)
        if count is not None
    ]
    return pa.table(list(zip(*flat, strict=True)), schema=TRAJECTORIES)


def subject(rows, selector="lim", **options):
    problems = scoring.ProblemSet([f"p{i}" for i in range(len(rows))], [None] * len(rows))
    samples = tr.samples(table(rows), problems.problem_ids)
    return diagnostics.subject(problems, samples, selector, options, seed=0, name="x")


def diagnosed(of, subset=None, draws=30):
    cut = diagnostics.cut(of, subset, stream(0, "ties"))
    problems = diagnostics.problem_table(of, cut, draws, 0.95, stream(0, "draws"))
    epochs = diagnostics.epoch_table(of, cut, 0.95)
    assert problems.schema.equals(DIAGNOSTICS)
    assert epochs.schema.equals(STABILITY)
    return problems.to_pandas(), epochs.to_pandas()


CURVES = [[i % 9, (i * 3) % 9, (i * 5) % 9, min(8, i)] for i in range(24)]
EDGES = {
    "plain": CURVES,
    "one epoch": [row[:1] for row in CURVES],
    "two epochs": [row[:2] for row in CURVES],
    "one problem": [[3, 4, 5]],
    "two problems": [[3, 4, 5], [0, 0, 0]],
    "constant": [[4, 4, 4]] * 6,
    "never solved": [[0, 0, 0]] * 6,
    "always solved": [[8, 8, 8]] * 6,
    "gaps": [[0, None, 3, 8], [1, 2, None, 3], [None, 4, 4, 4], [2, 5, 1, 0], [8, 8, 8, None]],
}


@pytest.mark.parametrize("selector", SELECTORS)
@pytest.mark.parametrize("edge", EDGES)
def test_every_selector_can_be_diagnosed_at_every_edge(selector, edge, tmp_path):
    ids = [f"p{i}" for i in range(len(EDGES[edge]))]
    options = needed(plugins.load("selectors", selector), ids, tmp_path)
    of = subject(EDGES[edge], selector, **options)
    problems, epochs = diagnosed(of)
    assert len(problems) == len(EDGES[edge])
    scored = problems["score"].notna()
    np.testing.assert_array_equal(problems["low"].notna(), scored)
    np.testing.assert_array_equal(problems["probability"].notna(), scored)
    kept = problems[scored]
    assert (kept["low"] <= kept["high"]).all()
    assert kept["probability"].between(0, 1 + 1e-9).all()
    assert problems["selected"].sum() == min(scored.sum(), max(1, round(scored.sum() / 6)))
    assert not problems.loc[~scored, "selected"].any()
    n_epochs = len(EDGES[edge][0])
    assert len(epochs) == (0 if n_epochs == 1 else n_epochs)  # 1..K-1 first, and odd-even


@pytest.mark.parametrize("noise", ["debias", "shrink"])
@pytest.mark.parametrize("edge", EDGES)
def test_scores_without_noise_can_be_diagnosed_at_every_edge(noise, edge):
    for selector, options in (("lim", {}), ("variance", {}), ("linear", {"variant": "pearson"})):
        if noise == "debias" and options:
            continue
        of = subject(EDGES[edge], selector, noise=noise, **options)
        problems, _ = diagnosed(of, draws=5)
        scored = problems["score"].notna()
        if noise == "debias":
            np.testing.assert_array_equal(problems["low"].notna(), scored)
        known = problems["low"].notna()
        assert (problems["low"] <= problems["high"])[known].all()


@pytest.mark.parametrize("selector", ["lim", "variance"])
def test_a_shrunk_scores_interval_is_the_debiased_one(selector):
    """Of the same true score: it is not stretched to a shrunk one that lies outside."""
    of = {noise: subject(CURVES, selector, noise=noise) for noise in ("shrink", "debias")}
    shrunk, debiased = (diagnosed(of[noise], draws=200)[0] for noise in ("shrink", "debias"))
    np.testing.assert_allclose(shrunk["low"], debiased["low"], atol=1e-6)
    np.testing.assert_allclose(shrunk["high"], debiased["high"], atol=1e-6)
    assert (abs(shrunk["score"] - debiased["score"]) > 1e-3).any()
    if selector == "variance":  # though an estimate may be negative, no true spread is
        assert (debiased["score"] < 0).any()
        assert (debiased["high"] >= 0).all()


def test_a_shrunk_score_without_a_debiased_one_has_no_interval():
    problems = scoring.ProblemSet([f"p{i}" for i in range(len(CURVES))], [None] * len(CURVES))
    rows = [[count % 2 for count in row] for row in CURVES]
    single = tr.samples(table(rows, n=1), problems.problem_ids)
    of = diagnostics.subject(problems, single, "lim", {"noise": "shrink"}, seed=0, name="x")
    cut = diagnostics.cut(of, None, stream(0, "ties"))
    found = diagnostics.problem_table(of, cut, 5, 0.95, stream(0, "draws"))
    for column in ("low", "high", "standard_error", "probability"):
        assert found[column].null_count == len(rows)
    [said, *_] = diagnostics.in_sentences(found, diagnostics.epoch_table(of, cut, 0.95))
    assert said == diagnostics.NO_INTERVAL
    correlation, _ = diagnosed(subject(CURVES, "linear", noise="shrink", variant="pearson"))
    assert correlation["low"].isna().all()


def test_one_visit_of_one_sample_costs_no_other_problem_its_interval():
    counts = np.array(CURVES * 2)
    n = np.full(counts.shape, 8)
    n[3, 1], counts[3, 1] = 1, 1
    problems = scoring.ProblemSet([f"p{i}" for i in range(len(n))], [None] * len(n))
    given = tr.Samples(n, counts)
    of = diagnostics.subject(problems, given, "lim", {"noise": "shrink"}, seed=0, name="x")
    found, _ = diagnosed(of)
    assert found["score"].notna().all()
    assert np.flatnonzero(found["low"].isna()).tolist() == [3]


def test_the_first_subset_is_what_is_in_question():
    of = subject(CURVES)
    kept = [f"p{i}" for i in np.argsort(-of.scores, kind="stable")[:7]]
    subset = {"rule": {"size": 7}, "problem_ids": kept}
    problems, epochs = diagnosed(of, subset, draws=200)
    assert set(problems.loc[problems["selected"], "problem_id"]) == set(kept)
    assert problems["probability"].sum() == pytest.approx(7)
    assert set(problems["rule"]) == {"the best 7"}
    assert set(epochs["size"]) == {7}
    threshold = float(np.sort(of.scores)[-7])
    subset = {"rule": {"threshold": threshold, "strict": False}, "problem_ids": kept}
    problems, _ = diagnosed(of, subset, draws=200)
    assert set(problems["rule"]) == {f"score ≥ {threshold:g}"}
    chosen = problems["selected"]
    assert problems.loc[chosen, "probability"].min() > problems.loc[~chosen, "probability"].min()
    assert problems.loc[chosen, "probability"].mean() > 0.5


def test_epochs_of_the_score_are_all_that_is_used():
    rows = [[*row, 8 - row[0]] for row in CURVES]
    of = subject(rows, epochs=4)
    assert of.samples.n_epochs == 4
    np.testing.assert_array_equal(of.scores, subject(CURVES).scores)
    problems, epochs = diagnosed(of)
    again = diagnosed(subject(CURVES))
    assert problems.equals(again[0])
    assert epochs.equals(again[1])
    with pytest.raises(InputError, match="6 epochs are asked for, 5 are recorded"):
        subject(rows, epochs=6)


def test_an_epoch_that_was_not_sampled_stays_so():
    of = subject(EDGES["gaps"], missing="strict")
    assert np.isnan(of.scores).tolist() == [True, True, True, False, True]
    problems, _ = diagnosed(of)
    assert problems["low"].notna().tolist() == [False, False, False, True, False]


def test_other_scores_than_the_curves_give_are_refused():
    of = subject(CURVES)
    found = scoring.score_table(scoring.Scores(of.scores), of.problems)
    diagnostics.check_same(of, found)
    other = scoring.score_table(scoring.Scores(of.scores + 0.01), of.problems)
    with pytest.raises(InputError, match="Score the problems again"):
        diagnostics.check_same(of, other)
    with pytest.raises(InputError, match="Score the problems again"):
        diagnostics.check_same(of, found.slice(1))


def test_the_same_streams_give_the_same_tables():
    first, second = (diagnosed(subject(CURVES, "variance")) for _ in range(2))
    assert first[0].equals(second[0])
    assert first[1].equals(second[1])


def test_files_are_read_by_the_scores_name(tmp_path):
    of = subject(CURVES)
    cut = diagnostics.cut(of, None, stream(0, "ties"))
    made = {
        "lim-5.parquet": diagnostics.problem_table(of, cut, 10, 0.95, stream(0, "draws")),
        "lim-5.epochs.parquet": diagnostics.epoch_table(of, cut, 0.95),
    }
    for name, content in made.items():
        files.write_parquet(tmp_path / name, content)
    found = load.inputs({}, {"diagnostics": sorted(tmp_path.iterdir())}, ()).diagnostics
    assert list(found) == ["lim-5"]
    assert found["lim-5"].problems.equals(made["lim-5.parquet"].to_pandas())
    assert found["lim-5"].epochs.equals(made["lim-5.epochs.parquet"].to_pandas())


def test_more_samples_are_surer():
    rows = [[i, i, i, i] for i in range(9)]
    few, _ = diagnosed(subject(rows, "learnability"), draws=400)
    problems = scoring.ProblemSet([f"p{i}" for i in range(9)], [None] * 9)
    fourfold = table([[4 * c for c in row] for row in rows], n=32)
    samples = tr.samples(fourfold, problems.problem_ids)
    many = diagnostics.subject(problems, samples, "learnability", {}, seed=0, name="x")
    surer, _ = diagnosed(many, draws=400)
    assert (surer["standard_error"] < few["standard_error"]).all()
    np.testing.assert_array_equal(surer["score"], few["score"])

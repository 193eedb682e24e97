"""Tables: numbers traced back to the rows they are made of."""

import dataclasses

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pytest

import synthetic_study
from limr.analysis import contrasts
from limr.core import plugins, validation
from limr.core.errors import InputError
from limr.report import caveats, make, table_text
from limr.report.figures import uncertainty


@pytest.fixture(scope="module")
def inputs():
    return synthetic_study.inputs()


SUFFIXES = {"tsv": "tsv", "markdown": "md", "latex": "tex"}


def outputs(folder, name):
    return {kind: folder / f"{name}.{suffix}" for kind, suffix in SUFFIXES.items()}


def build(name, inputs, tmp_path, **options):
    make.make_table(name, inputs, options, outputs(tmp_path, name))
    return pd.read_csv(tmp_path / f"{name}.tsv", sep="\t")


@pytest.mark.slow
def test_results_have_the_shape_of_table_2(inputs, tmp_path):
    frame = build("results", inputs, tmp_path)
    assert list(frame["arm"]) == ["Base", "FULL", "LIMR", "RAND", "LINEAR", "SFT"]
    assert list(frame["draws"]) == [1, 1, 1, 2, 1, 1]
    assert set(frame["seeds"]) == {2}
    assert list(frame["step"]) == [0, 48, 48, 48, 48, 48]
    assert set(frame["questions"]) == {330}
    assert set(frame["decoding"]) == {"sampled"}
    assert np.isnan(frame["problems"][0])
    assert frame["problems"][1] == 384
    e = inputs.evaluations
    rand = e[(e["group"] == "rand") & (e["step"] == 48) & (e["decoding"] == "sampled")]
    easy = rand[rand["benchmark"] == "easy"]
    assert frame["Arithmetic, easy"][3] == pytest.approx(
        100 * easy["n_correct"].sum() / easy["n"].sum()
    )
    by_hand = [100 * g["n_correct"].sum() / g["n"].sum() for _, g in rand.groupby("benchmark")]
    assert frame["mean"][3] == pytest.approx(np.mean(by_hand))
    assert (frame["low"] < frame["mean"]).all()
    assert (frame["mean"] < frame["high"]).all()


def test_markdown_is_rounded_and_carries_the_caption(inputs, tmp_path):
    frame = build("results", inputs, tmp_path)
    text = (tmp_path / "results.md").read_text()
    lines = text.splitlines()
    assert lines[0].startswith("| arm | problems | Arithmetic, easy")
    assert f"| {frame['mean'][1]:.1f} |" in lines[3]
    assert lines[2].startswith("| Base | – |")
    assert "95 % interval" in text
    texts, title, caption = table_text.read_texts("results", tmp_path / "results.tsv")
    assert texts.iloc[1]["problems"] == "384"
    assert texts.iloc[0]["problems"] == "–"
    assert texts.iloc[1]["mean"] == f"{frame['mean'][1]:.1f}"
    assert title in text
    assert caption in text


@pytest.mark.slow
def test_differences_are_paired_and_antisymmetric(inputs, tmp_path):
    frame = build("differences", inputs, tmp_path)
    pairs = list(zip(frame["arm"], frame["against"], strict=True))
    assert ("LIMR", "FULL") in pairs
    assert ("LIMR", "RAND") in pairs
    assert ("FULL", "RAND") not in pairs  # RAND against FULL says it already
    accuracy = build("results", inputs, tmp_path).set_index("arm")["mean"]
    for _, row in frame.iterrows():
        expected = accuracy[row["arm"]] - accuracy[row["against"]]
        assert row["difference"] == pytest.approx(expected)
        outside = row["low"] > 0 or row["high"] < 0
        assert row["interval"] == ("excludes 0" if outside else "contains 0")
    there = contrasts.group_difference(inputs, "limr", "rand")
    back = contrasts.group_difference(inputs, "rand", "limr")
    assert there.mean == pytest.approx(-back.mean)
    assert there.low == pytest.approx(-back.high, abs=0.01)


def test_questions_are_paired_by_id_not_by_place(inputs):
    e = inputs.evaluations
    limr = e["group"] == "limr"
    shuffled = pd.concat([e[~limr], e[limr].sample(frac=1, random_state=3)])
    # The decodings' order must stay: it says which one is the headline.
    again = dataclasses.replace(inputs, evaluations=shuffled)
    one = contrasts.group_difference(inputs, "limr", "full")
    two = contrasts.group_difference(again, "limr", "full")
    assert two.mean == pytest.approx(one.mean)
    assert two.standard_error == pytest.approx(one.standard_error, rel=0.1)


def test_a_run_that_lacks_a_question_is_refused(inputs, tmp_path):
    e = inputs.evaluations
    gap = (e["arm"] == "limr") & (e["seed"] == 2) & (e["problem_id"] == "hard-3")
    broken = dataclasses.replace(inputs, evaluations=e[~gap])
    with pytest.raises(InputError, match="not every run answered every question"):
        build("results", broken, tmp_path)


def test_subsets_count_what_was_kept_and_shared(inputs, tmp_path):
    frame = build("subsets", inputs, tmp_path).set_index("arm")
    assert list(frame.index) == ["full", "limr", "rand-1", "rand-2", "linear", "sft"]
    limr, full = frame.loc["limr"], frame.loc["full"]
    assert full["problems"] == full["of"] == 384
    assert limr["lowest score"] >= 0.8
    assert limr["shared with limr"] == limr["problems"]
    assert full["shared with limr"] == limr["problems"]
    common = set(inputs.subsets["limr"]["problem_ids"]) & set(
        inputs.subsets["linear"]["problem_ids"]
    )
    assert frame.loc["linear", "shared with limr"] == len(common)
    curves = inputs.trajectories["full"].to_pandas()
    never = curves.groupby("problem_id")["n_correct"].sum() == 0
    assert full["never solved"] == never.sum()


def test_subsets_against_another_arm_and_an_unknown_one(inputs, tmp_path):
    frame = build("subsets", inputs, tmp_path, overlap_with="linear")
    assert "shared with linear" in frame.columns
    with pytest.raises(InputError, match="Did you mean 'limr'"):
        build("subsets", inputs, tmp_path, overlap_with="limrr")


def test_a_table_of_nothing_is_refused(inputs, tmp_path):
    with pytest.raises(InputError, match="the study has nothing that it could show"):
        build("subsets", dataclasses.replace(inputs, subsets={}), tmp_path)


def test_subsets_without_ids_have_no_overlap(inputs, tmp_path):
    records = {
        arm: {key: value for key, value in record.items() if key != "problem_ids"}
        for arm, record in inputs.subsets.items()
    }
    frame = build("subsets", dataclasses.replace(inputs, subsets=records), tmp_path)
    assert not [column for column in frame.columns if column.startswith("shared")]


def test_thresholds_count_every_kind_of_problem(inputs, tmp_path):
    frame = build("thresholds", inputs, tmp_path)
    assert "random-1" not in set(frame["score"])
    assert "all" not in set(frame["score"])
    lim = frame[frame["score"] == "lim"].set_index("threshold")
    curves = inputs.trajectories["full"].to_pandas().groupby("problem_id")[["n", "n_correct"]].sum()
    scores = inputs.scores["lim"].set_index("problem_id")["score"]
    never, always = curves["n_correct"] == 0, curves["n_correct"] == curves["n"]
    for text, at in (("any score", -np.inf), ("≥ 0.3", 0.3), ("≥ 0.8", 0.8)):
        kept = scores >= at
        assert lim.loc[text, "kept"] == kept.sum()
        assert lim.loc[text, "share"] == pytest.approx(kept.mean())
        assert lim.loc[text, "never solved"] == (kept & never).sum()
        assert lim.loc[text, "always solved"] == (kept & always).sum()
    assert lim.loc["≥ 0.8", "cut by"] == "LIMR, SFT"
    assert lim.loc["≥ 0.3":, "kept"].is_monotonic_decreasing
    assert (frame["kept"] > 0).all()  # what keeps nothing is left out
    few = build("thresholds", inputs, tmp_path, scores=["variance"], thresholds=[0.1])
    assert few["threshold"].tolist() == ["any score", "≥ 0.1"]


def test_thresholds_of_strict_and_unreached_cuts(inputs, tmp_path):
    strict = {**inputs.subsets["limr"], "rule": {"threshold": 0.8, "strict": True}}
    far = {**inputs.subsets["sft"], "rule": {"threshold": 2.0, "strict": False}}
    changed = dataclasses.replace(inputs, subsets={"limr": strict, "sft": far}, trajectories={})
    frame = build("thresholds", changed, tmp_path, scores=["lim"]).set_index("threshold")
    assert frame.loc["> 0.8", "cut by"] == "LIMR"
    assert frame.loc["≥ 2", "kept"] == 0
    assert frame["never solved"].isna().all()  # no learning curves to tell from
    with pytest.raises(InputError, match=r"no score 'limm' to show\. Did you mean 'lim'"):
        build("thresholds", inputs, tmp_path, scores=["limm"])


def test_agreement_has_every_pair_once(inputs, tmp_path):
    frame = build("agreement", inputs, tmp_path)
    names = ["lim", "linear", "variance", "learnability", "curve-free"]
    pairs = list(zip(frame["score"], frame["other score"], strict=True))
    assert pairs == [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    size = inputs.subsets["limr"]["n_selected"]
    assert set(frame["best"]) == {size}
    assert frame["chance"].to_numpy() == pytest.approx(size / 384)
    row = frame.iloc[0]
    best = [
        set(inputs.scores[name].nlargest(size, "score")["problem_id"]) for name in ("lim", "linear")
    ]
    assert row["shared"] == pytest.approx(len(best[0] & best[1]), abs=3)  # ties apart
    ranks = [inputs.scores[name]["score"].rank() for name in ("lim", "linear")]
    assert row["Spearman"] == pytest.approx(ranks[0].corr(ranks[1]))
    small = build("agreement", inputs, tmp_path, scores=["lim", "variance"], size=10)
    assert small["best"].tolist() == [10]


def test_agreement_of_one_score_says_so(inputs, tmp_path):
    one = dataclasses.replace(
        inputs, scores={name: inputs.scores[name] for name in ("lim", "random-1", "all")}
    )
    assert build("agreement", one, tmp_path).empty
    assert "one score only" in (tmp_path / "agreement.md").read_text()
    none = dataclasses.replace(inputs, scores={"all": inputs.scores["all"]})
    with pytest.raises(InputError, match="every score of the study is random or constant"):
        build("agreement", none, tmp_path)


def test_uncertainty_adds_up(inputs, tmp_path):
    frame = build("uncertainty", inputs, tmp_path).set_index("score")
    assert list(frame.index) == ["lim", "linear", "variance", "learnability", "curve-free"]
    assert frame["cut"].tolist()[:3] == ["score ≥ 0.8", "score ≥ 0.7", "the best sixth"]
    problems = inputs.diagnostics["lim"].problems
    kept = problems[problems["selected"]]
    assert frame.loc["lim", "selected"] == inputs.subsets["limr"]["n_selected"] == len(kept)
    assert frame.loc["lim", "selected again"] == pytest.approx(kept["probability"].mean())
    sure = (kept["probability"] >= 0.95).sum()
    assert frame.loc["lim", "selected, surely (≥ 0.95)"] == sure
    left = problems[~problems["selected"]]
    possible = (left["probability"] > 0.05).sum()
    assert frame.loc["lim", "left out, possibly in (> 0.05)"] == possible
    assert frame["selected again"].between(0.3, 1).all()


def test_a_score_without_intervals_has_no_counts_and_no_sentence(inputs, tmp_path):
    """Nothing is selected surely is not what an unknown chance says."""
    lim = inputs.diagnostics["lim"]
    unknown = dict.fromkeys(("low", "high", "standard_error", "probability"), np.nan)
    none = dataclasses.replace(lim, problems=lim.problems.assign(**unknown))
    without = dataclasses.replace(inputs, diagnostics={**inputs.diagnostics, "lim": none})
    frame = build("uncertainty", without, tmp_path).set_index("score")
    counts = ["selected, surely (≥ 0.95)", "left out, possibly in (> 0.05)", "selected again"]
    assert frame.loc["lim", counts].isna().all()
    assert frame.loc["linear", counts].notna().all()
    assert frame.loc["lim", "selected"] == lim.problems["selected"].sum()
    said = caveats.certainty(inputs), caveats.certainty(without)
    assert "LIMR" in said[0][0]
    assert "LIMR" not in said[1][0]
    assert "nan" not in said[1][0]
    options = validation.complete({}, uncertainty.Options, "figure 'uncertainty'")
    uncertainty.draw(uncertainty.data(without, options), options)


def test_stability_shows_some_prefixes_and_the_halves(inputs, tmp_path):
    frame = build("stability", inputs, tmp_path)
    lim = frame[frame["score"] == "lim"].set_index("epochs")
    assert list(lim.index) == [
        "first 1 of 6", "first 2 of 6", "first 3 of 6", "first 5 of 6", "odd against even"
    ]  # fmt: skip
    assert (lim["95 % low"] < lim["overlap"]).all()
    assert (lim["overlap"] < lim["high"]).all()
    assert lim["chance"].to_numpy() == pytest.approx(176 / 384)
    assert lim["Spearman"]["first 5 of 6"] > lim["Spearman"]["first 1 of 6"]
    few = build("stability", inputs, tmp_path, scores=["lim"], epochs=[4, 40])
    assert few["epochs"].tolist() == ["first 4 of 6", "odd against even"]


def test_offline_sums_to_the_whole(inputs, tmp_path):
    frame = build("offline", inputs, tmp_path)
    assert list(frame["score"].unique()) == ["lim", "linear"]  # those with a subset
    lim = frame[frame["score"] == "lim"]
    whole, bins = lim.iloc[0], lim.iloc[1:]
    assert whole["pass rate"] == "all"
    assert bins["problems"].sum() == whole["problems"] == 256
    assert bins["selected"].sum() == whole["selected"]
    mean = (bins["mean score"] * bins["problems"]).sum() / 256
    assert mean == pytest.approx(whole["mean score"])
    assert whole["chance"] == pytest.approx(whole["selected"] / 256)
    assert whole["chance"] < whole["recovers"] <= 1
    assert bins["recovers"].isna().all()
    kept = set(inputs.subsets["limr"]["problem_ids"])
    joined = set(inputs.trajectories["offline"]["problem_id"].to_pylist())
    assert whole["selected"] == len(kept & joined)
    assert build("offline", inputs, tmp_path, scores=["variance"])["selected"].iloc[0] > 0


def test_offline_needs_to_know_the_rates(inputs, tmp_path):
    full = inputs.trajectories["full"]
    without = dataclasses.replace(inputs, trajectories={"full": full})
    with pytest.raises(InputError, match="0 trajectories of the study have one epoch"):
        build("offline", without, tmp_path)
    assert build("offline", without, tmp_path, rates="full")["problems"].iloc[0] == 384
    with pytest.raises(InputError, match="Did you mean 'offline'"):
        build("offline", inputs, tmp_path, rates="ofline")
    other = full.set_column(0, "problem_id", [["x"] * full.num_rows])
    unknown = dataclasses.replace(inputs, trajectories={"offline": other})
    with pytest.raises(InputError, match="no problem has a score 'lim' and a pass rate"):
        build("offline", unknown, tmp_path, rates="offline")


@pytest.mark.parametrize("name", ["uncertainty", "stability"])
def test_nothing_diagnosed_is_said(name, inputs, tmp_path):
    with pytest.raises(InputError, match="there are no samples to redraw"):
        build(name, dataclasses.replace(inputs, diagnostics={}), tmp_path)


@pytest.mark.slow
def test_one_epoch_makes_an_empty_stability_table(tmp_path):
    curves = synthetic_study.trajectories(epochs=6)
    curves = curves.filter(pc.equal(curves["epoch"], 0))
    one = synthetic_study.inputs(curves)
    frame = build("stability", one, tmp_path)
    assert frame.empty
    assert "overlap" in frame.columns
    texts, _, caption = table_text.read_texts("stability", tmp_path / "stability.tsv")
    assert texts.empty
    assert caption
    assert len(build("uncertainty", one, tmp_path)) == 3  # lim, learnability, curve-free


@pytest.mark.slow_cases(
    "break-even",
    "by-level",
    "clean-results",
    "comparisons",
    "cost-to-accuracy",
    "differences",
    "paper-table-2",
    "results",
)
# `transfer` must be told its axis: analysis/test_transfer.py
@pytest.mark.parametrize("name", sorted({*plugins.names("tables")} - {"transfer"}))
def test_the_same_inputs_give_the_same_bytes(name, inputs, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        build(name, inputs, tmp_path / folder)
    for suffix in SUFFIXES.values():
        first, second = (tmp_path / f / f"{name}.{suffix}" for f in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()

"""Tables: numbers traced back to the rows they are made of."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import synthetic_study

from limr import presentation, registry, results
from limr.errors import InputError


@pytest.fixture(scope="module")
def inputs():
    return synthetic_study.inputs()


def build(name, inputs, tmp_path, **options):
    results.make_table(name, inputs, options, tmp_path / f"{name}.tsv", tmp_path / f"{name}.md")
    return pd.read_csv(tmp_path / f"{name}.tsv", sep="\t")


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
    assert "95 % bootstrap interval" in text
    texts, title, caption = presentation.read_texts("results", tmp_path / "results.tsv")
    assert texts.iloc[1]["problems"] == "384"
    assert texts.iloc[0]["problems"] == "–"
    assert texts.iloc[1]["mean"] == f"{frame['mean'][1]:.1f}"
    assert title in text
    assert caption in text


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
    there = results.group_difference(inputs, "limr", "rand")
    back = results.group_difference(inputs, "rand", "limr")
    assert there.mean == pytest.approx(-back.mean)
    assert there.low == pytest.approx(-back.high, abs=0.01)


def test_questions_are_paired_by_id_not_by_place(inputs):
    e = inputs.evaluations
    limr = e["group"] == "limr"
    shuffled = pd.concat([e[~limr], e[limr].sample(frac=1, random_state=3)])
    # The decodings' order must stay: it says which one is the headline.
    again = dataclasses.replace(inputs, evaluations=shuffled)
    one = results.group_difference(inputs, "limr", "full")
    two = results.group_difference(again, "limr", "full")
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
    never = inputs.trajectories["full"].groupby("problem_id")["n_correct"].sum() == 0
    assert full["never solved"] == never.sum()


def test_subsets_against_another_arm_and_an_unknown_one(inputs, tmp_path):
    frame = build("subsets", inputs, tmp_path, overlap_with="linear")
    assert "shared with linear" in frame.columns
    with pytest.raises(InputError, match="Did you mean 'limr'"):
        build("subsets", inputs, tmp_path, overlap_with="limrr")


def test_subsets_without_ids_have_no_overlap(inputs, tmp_path):
    records = {
        arm: {key: value for key, value in record.items() if key != "problem_ids"}
        for arm, record in inputs.subsets.items()
    }
    frame = build("subsets", dataclasses.replace(inputs, subsets=records), tmp_path)
    assert not [column for column in frame.columns if column.startswith("shared")]


@pytest.mark.parametrize("name", registry.names("tables"))
def test_the_same_inputs_give_the_same_bytes(name, inputs, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        build(name, inputs, tmp_path / folder)
    for suffix in ("tsv", "md"):
        first, second = (tmp_path / f / f"{name}.{suffix}" for f in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()

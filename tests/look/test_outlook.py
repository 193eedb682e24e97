"""What a look says of how sure its choice is: a sentence, a record, a column."""

import json
from dataclasses import replace

import numpy as np
import pytest

from limr.core.random_streams import stream
from limr.look import look, outlook, page, terminal, writing
from limr.scores import enough, prospects
from limr.scores.prospects import Prospect


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    rng = stream(1, "outlook")
    rates = np.repeat(rng.random((90, 1)), 5, axis=1)
    curves = {f"p{i}": (row / 8).tolist() for i, row in enumerate(rng.binomial(8, rates))}
    path = tmp_path_factory.mktemp("log") / "curves.json"
    path.write_text(json.dumps(curves), encoding="utf-8")
    return look.look([path], format_="accuracy-json", log_options={"samples": 8})


def test_the_sentence_and_the_record_say_the_same(looked):
    assert outlook.sentence(looked.outlook) in terminal.lines(looked)
    assert writing.summary(looked)["certainty"] == outlook.record(looked.outlook)
    lower = replace(looked.outlook, wanted=0.4)  # which the cheaper scorings reach
    found, said = outlook.record(lower), outlook.sentence(lower)
    assert f"choose {found['unlimited_samples']:.0%}" in said
    assert f"second log like this one {found['second_log']:.0%}" in said
    assert (found["samples"], found["visits"], found["wanted"]) == (8, 5, 0.4)
    json.dumps(found, allow_nan=False)
    by_cost = {(one["samples"], one["visits"]): one for one in found["prospects"]}
    best = found["enough"]
    assert by_cost[best["samples"], best["visits"]]["unlimited_samples"] >= 0.4
    assert f"{best['samples']} samples in each of {best['visits']} visits" in said


def test_the_page_says_it_too(looked, tmp_path):
    page.write(looked, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"<p>{outlook.sentence(looked.outlook)}</p>" in text


def test_each_prompt_has_its_chance(looked):
    belongs = looked.prompts["belongs"]
    assert belongs.between(0, 1).all()
    assert belongs.sum() == pytest.approx(looked.outlook.now.size)
    assert belongs[:15].mean() == pytest.approx(looked.outlook.now.truth)


def test_what_is_not_reached_is_said(looked):
    others = (Prospect(32, 5, 0.5, 0.5), Prospect(1, 5, float("nan"), 0.1))
    found = enough.Outlook(looked.outlook.now, others, 0.8)
    assert "even 32 samples in every visit would not make it 80%" in outlook.sentence(found)
    record = outlook.record(found)
    assert record["enough"] is None
    assert record["prospects"][1]["unlimited_samples"] is None


def test_no_number_is_said_of_filtered_groups_or_without_samples(looked):
    samples = looked.imported.samples
    assert outlook.outlook({"filtered-groups"}, samples, "lim", looked.options) is None
    assert outlook.outlook(set(), samples, "random", {}) is None
    assert outlook.record(None) is None
    assert "cannot be told" in outlook.sentence(None, {"filtered-groups"})
    assert outlook.sentence(None) == ""


def test_a_large_log_is_asked_of_some_prompts(looked, monkeypatch):
    monkeypatch.setattr(enough, "MOST_VISITS", 100)
    monkeypatch.setattr(prospects, "MOST_PROBLEMS", 40)
    sure = enough.certainty(looked.imported.samples, "lim", {}, draws=3)
    assert sure.n == 40
    assert (~np.isnan(sure.belongs)).sum() == 40

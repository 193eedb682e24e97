"""The report: that it holds every number it should, warns, and loads nothing."""

import dataclasses
import html
import json
import re
from html.parser import HTMLParser

import pytest
import synthetic_study

from limr import findings, making, report, results
from limr.results import Inputs

WARNING = "12 of the 176 selected problems were never solved <in> any epoch & more."
CONFIG = {
    "study": "made-up",
    "trajectories": {"full": {"format": "rollouts", "arm": "full", "seed": 1}},
    "note": "<script>alert(1)</script>",
}
VOID = {"meta", "img", "br", "link", "hr"}


@pytest.fixture(scope="module")
def inputs():
    made = synthetic_study.inputs()
    made.metrics["tokens"] = made.metrics["group"].map({"full": 50_000, "limr": 25_000})
    made.subsets["limr"]["warnings"] = [WARNING]
    return made


@pytest.fixture(scope="module")
def page(inputs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    tables, figures = [], []
    for name in ("results", "differences", "subsets"):
        tables.append(folder / "tables" / f"{name}.tsv")
        kinds = {"tsv": ".tsv", "markdown": ".md", "latex": ".tex"}
        paths = {kind: tables[-1].with_suffix(suffix) for kind, suffix in kinds.items()}
        making.make_table(name, inputs, {}, paths)
    for name in ("accuracy", "scores"):
        figures.append(folder / "figures" / f"{name}.png")
        paths = {key: figures[-1].with_suffix(f".{key}") for key in ("pdf", "png", "tsv")}
        paths["caption"] = figures[-1].with_suffix(".txt")
        making.draw_figure(name, inputs, {}, paths)
    record = {
        "versions": {"python": "3.11.15", "torch": "2.13.0"},
        "hardware": {"name": "Some processor", "threads": 1},
        "durations": {"steps_seconds": 81.4},
        "attempts": 2,
        "commit": "abc123",
        "code": "c0de",
    }
    (folder / "run.json").write_text(json.dumps(record))
    (folder / "lim.json").write_text(json.dumps({"notes": ["one text under two ids"]}))
    parts = report.Parts(
        config=CONFIG,
        tables=tables,
        figures=figures,
        runs=[({"arm": "full", "seed": 1}, folder / "run.json")],
        notes=[folder / "lim.json"],
    )
    report.build_report(inputs, parts, folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


def text_of(page):
    body = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(body))


def test_it_is_well_formed_and_self_contained(page):
    opened = []

    class Check(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag not in VOID:
                opened.append(tag)
            for key, value in attrs:
                if key == "src":
                    assert value.startswith("data:image/png;base64,")
                if key == "href":
                    assert re.match(r"#|tables/|figures/", value), value
            assert tag not in {"script", "link", "iframe", "object"}

        def handle_endtag(self, tag):
            assert opened.pop() == tag

    Check().feed(page)
    assert opened == []
    assert not re.search(r"https?://|//[a-z]+\.|@import|url\(", page)


def test_texts_are_escaped(page):
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "never solved &lt;in&gt; any epoch &amp; more" in page


def test_every_headline_number_is_in_it(page, inputs):
    text = text_of(page)
    for arm in findings.arm_results(inputs):
        assert arm.group.title in text
        assert findings.percent(arm.interval) in text
    for sentence in findings.sentences(inputs):
        assert sentence in text
    for comparison in findings.comparisons(inputs):
        assert findings.points(comparison.interval) in text
    for word in ("384 problems", "330 held-out questions", "2 seeds", "3 benchmarks", "6 arms"):
        assert word in text


def test_every_table_figure_and_subset_is_in_it(page, inputs):
    text = text_of(page)
    for title in ("Accuracy by arm", "Differences between arms", "Accuracy over training"):
        assert title in text
    assert page.count("data:image/png;base64,") == 2
    assert 'href="figures/accuracy.tsv"' in page
    assert 'href="figures/accuracy.pdf"' in page
    assert 'href="tables/results.tsv"' in page
    for record in inputs.subsets.values():
        assert f"{record['n_selected']} of 384 problems" in text
    assert "Sizes at other thresholds: 0.3:" in text


def test_warnings_bill_seeds_and_provenance_are_in_it(page):
    text = text_of(page)
    assert f"Warning, LIMR {WARNING}" in text
    # 48 steps x 50,000 = 2.4 million; LIMR 1.2 million; (2.4 + 1.2) / 2.4 = 1.5
    assert "a whole run on FULL's problems (2.40 million tokens)" in text
    assert "LIMR 1.20 million, in all 1.5 times FULL" in text
    assert "2 seeds: intervals over so few runs are rough" in text
    assert "docs/deviations.md" in text
    for word in ("Some processor", "abc123", "torch 2.13.0", "81", "one text under two ids"):
        assert word in text


def test_how_sure_a_selection_is_is_in_it(page, inputs):
    problems = inputs.diagnostics["lim"].problems
    again = problems.loc[problems["selected"], "probability"].mean()
    text = text_of(page)
    assert f"LIMR, SFT: {100 * again:.0f} % of the 176 problems are selected again" in text
    assert findings.certainty(dataclasses.replace(inputs, diagnostics={})) == []
    # Of another cut of the same score nothing is known.
    other = {**inputs.subsets["limr"], "problem_ids": ["arithmetic-0001"]}
    assert findings.certainty(dataclasses.replace(inputs, subsets={"limr": other})) == []


def test_words_follow_the_interval(inputs):
    groups = {group.name: group for group in inputs.groups}
    first, second = groups["limr"], groups["rand"]

    def said(mean, low, high):
        interval = results.Interval(mean, low, high, 0.01, 2, 330)
        return findings.compared(findings.Comparison(first, second, interval))

    assert said(0.1, 0.05, 0.15).startswith("LIMR ends above RAND")
    assert "+10.0 points [5.0, 15.0]" in said(0.1, 0.05, 0.15)
    assert said(-0.1, -0.15, -0.05).startswith("LIMR ends below RAND")
    assert "−10.0 points [−15.0, −5.0]" in said(-0.1, -0.15, -0.05)
    assert said(0.1, -0.01, 0.2).startswith("LIMR and RAND cannot be told apart")


def test_headline_is_two_short_sentences(inputs):
    lines = report.headline(inputs)
    assert len(lines) == 2
    assert "LIMR (" in lines[0]
    assert "FULL (384 problems)" in lines[0]
    assert "2 seeds, 330 questions" in lines[0]
    assert "LIMR − RAND" in lines[1]
    assert all(len(line) < 200 for line in lines)


def test_a_published_only_study_has_a_report(inputs, tmp_path):
    arms = [{"name": "limr", "group": "limr", "train": "none", "title": "LIMR"},
            {"name": "rand", "group": "rand", "train": "none", "title": "RAND"}]  # fmt: skip
    study = {"study": "published", "seeds": [1], "arms": arms, "benchmarks": [], "steps": {}}
    limr = {**inputs.subsets["limr"], "never_solved": None, "always_solved": None, "warnings": []}
    bare = Inputs(
        study, scores={"lim": inputs.scores["lim"]},
        subsets={"limr": limr, "rand": inputs.subsets["rand-1"]},
    )  # fmt: skip
    report.build_report(bare, report.Parts(config={"study": "published"}), tmp_path / "r.html")
    text = text_of((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "Which problems are kept?" in text
    kept = f"LIMR keeps {limr['n_selected']} of 384 problems"
    assert kept in text
    assert report.headline(bare)[0].startswith(kept)
    assert "Nothing was trained in this study" in text
    assert "benchmarks" not in text.split("Findings")[0]


def test_a_study_with_one_arm_and_seed_has_a_report(inputs, tmp_path):
    e = inputs.evaluations
    kept = e[(e["group"] == "full") & (e["seed"] == 1)]
    study = {**inputs.study, "seeds": [1], "arms": [a for a in inputs.study["arms"]
             if a["name"] == "full"]}  # fmt: skip
    small = dataclasses.replace(
        inputs, study=study, evaluations=kept, metrics=None,
        subsets={"full": inputs.subsets["full"]},
    )  # fmt: skip
    report.build_report(small, report.Parts(config={}), tmp_path / "r.html")
    assert "1 seed: intervals" in text_of((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert len(report.headline(small)) == 1


def test_the_same_inputs_give_the_same_page(inputs, tmp_path):
    for name in ("a", "b"):
        report.build_report(inputs, report.Parts(config=CONFIG), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()

"""The report: that it holds every number it should, warns, and loads nothing."""

import base64
import dataclasses
import hashlib
import html
import json
import re
from html.parser import HTMLParser

import pytest

import synthetic_study
from limr.analysis import answers, findings, number_text
from limr.analysis.results import Inputs
from limr.report import caveats, make
from limr.report import page as report
from limr.statistics.intervals import Interval

WARNING = "12 of the 176 selected problems were never solved <in> any epoch & more."
CONFIG = {
    "study": "made-up",
    "trajectories": {"full": {"format": "rollouts", "arm": "full", "seed": 1}},
    "note": "<script>alert(1)</script>",
}
VOID = {"input", "meta", "img", "br", "link", "hr"}


@pytest.fixture(scope="module")
def inputs():
    made = synthetic_study.inputs()
    made.metrics["tokens"] = made.metrics["group"].map({"full": 50_000, "limr": 25_000})
    made.subsets["limr"]["warnings"] = [WARNING]
    record = {
        "versions": {"python": "3.11.15", "torch": "2.13.0"},
        "hardware": {"name": "Some processor", "threads": 1},
        "durations": {"steps_seconds": 81.4},
        "attempts": 2,
        "commit": "abc123",
        "code": "c0de",
    }
    return dataclasses.replace(made, runs=[{**run, **record} for run in made.runs])


@pytest.fixture(scope="module")
def page(inputs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    tables, figures = [], []
    for name in ("results", "differences", "subsets"):
        tables.append(folder / "tables" / f"{name}.tsv")
        kinds = {"tsv": ".tsv", "markdown": ".md", "latex": ".tex"}
        paths = {kind: tables[-1].with_suffix(suffix) for kind, suffix in kinds.items()}
        make.make_table(name, inputs, {}, paths)
    for name in ("accuracy", "scores"):
        figures.append(folder / "figures" / f"{name}.png")
        paths = {key: figures[-1].with_suffix(f".{key}") for key in ("pdf", "png", "svg", "tsv")}
        paths["caption"] = figures[-1].with_suffix(".txt")
        make.draw_figure(name, inputs, {}, paths)
    (folder / "lim.json").write_text(json.dumps({"notes": ["one text under two ids"]}))
    parts = report.Parts(
        config=CONFIG,
        tables=tables,
        figures=figures,
        notes=[folder / "lim.json"],
    )
    report.build_report(inputs, parts, folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


def text_of(page):
    body = re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(body))


@pytest.mark.slow
def test_it_is_well_formed_and_self_contained(page):
    opened, scripts = [], []

    class Check(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag not in VOID:
                opened.append(tag)
            for key, value in attrs:
                if key == "src":
                    assert value.startswith("data:image/png;base64,")
                if key == "href":
                    assert re.match(r"#|tables/|figures/|data:,$", value), value
                # The policy would not apply a style or a handler that stands in an attribute.
                assert key != "style"
                assert not key.startswith("on")
            if tag == "script":
                scripts.append(dict(attrs).get("type"))
            assert tag not in {"iframe", "object", "embed", "base", "form"}

        def handle_startendtag(self, tag, attrs):
            assert tag in {"line", "circle", "rect", "path"}

        def handle_endtag(self, tag):
            assert opened.pop() == tag

    Check().feed(page)
    assert opened == []
    assert scripts.count(None) == 1
    assert set(scripts) == {None, "application/octet-stream"}
    without = page.replace('"http://www.w3.org/2000/svg"', "")  # a name, no address
    assert not re.search(r"https?://|@import|url\((?!#)", without)


def test_the_policy_names_the_one_style_and_script(page):
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1])
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        text = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.S)[1]
        found = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{found}'" in policy


def test_texts_are_escaped(page):
    assert page.count("<script>") == 1
    assert "&lt;script&gt;alert(1)" in page
    assert "never solved &lt;in&gt; any epoch &amp; more" in page


@pytest.mark.slow
def test_every_headline_number_is_in_it(page, inputs):
    text = text_of(page)
    for arm in findings.arm_results(inputs):
        assert arm.group.title in text
        assert number_text.percent(arm.interval) in text
    for sentence in findings.sentences(inputs):
        assert sentence in text
    for comparison in findings.comparisons(inputs):
        assert number_text.points(comparison.interval) in text
    for word in ("384 problems", "330 held-out questions", "2 seeds", "3 benchmarks", "6 arms"):
        assert word in text


def test_every_table_figure_and_subset_is_in_it(page, inputs):
    text = text_of(page)
    for title in ("Accuracy by arm", "Differences between arms", "Accuracy over training"):
        assert title in text
    assert page.count('<div class="drawn"') == 2
    assert 'href="figures/accuracy.tsv"' in page
    assert 'href="figures/accuracy.pdf"' in page
    for suffix in ("tsv", "md", "tex"):
        assert f'href="tables/results.{suffix}"' in page
    for record in inputs.subsets.values():
        assert f"{record['n_selected']} of 384 problems" in text
    assert "Sizes at other thresholds: 0.3:" in text


def test_warnings_bill_seeds_and_provenance_are_in_it(page):
    text = text_of(page)
    assert f"Warning, LIMR {WARNING}" in text
    # 48 steps x 50,000 = 2.4 million; LIMR 1.2 million; (2.4 + 1.2) / 2.4 = 1.5
    assert "a run on other problems (FULL, seed 1: 2.40 million tokens)" in text
    assert "LIMR 1.20 million, in total 1.5 times the scoring run" in text
    assert "2 seeds: intervals over so few runs are rough" in text
    assert "docs/deviations.md" in text
    for word in ("Some processor", "abc123", "torch 2.13.0", "81", "one text under two ids"):
        assert word in text


def test_what_was_not_understood_is_counted(inputs):
    assert caveats.not_understood(inputs) == []  # evaluations of before it was recorded
    frame = inputs.evaluations.assign(not_understood=0.0)
    changed = dataclasses.replace(inputs, evaluations=frame)
    n = int(frame["n"].sum())
    assert caveats.not_understood(changed) == [
        f"The grader understood all {n:,} responses of all evaluations."
    ]
    first = frame["benchmark"].iloc[0]
    frame.loc[frame.index[0], "not_understood"] = 1.0
    [found] = caveats.not_understood(changed)
    title = next(one["title"] for one in inputs.study["benchmarks"] if one["name"] == first)
    assert f"(less than 0.1 %; {title}: {frame['n'].iloc[0]:,}). They count as incorrect" in found


def test_how_sure_a_selection_is_is_in_it(page, inputs):
    problems = inputs.diagnostics["lim"].problems
    again = problems.loc[problems["selected"], "probability"].mean()
    text = text_of(page)
    assert "When the samples of the scored run are redrawn, the same cut selects again: " in text
    assert f"LIMR, SFT {100 * again:.0f} % of 176 (" in text
    assert caveats.certainty(dataclasses.replace(inputs, diagnostics={})) == []
    # Of another cut of the same score nothing is known.
    other = {**inputs.subsets["limr"], "problem_ids": ["arithmetic-0001"]}
    assert caveats.certainty(dataclasses.replace(inputs, subsets={"limr": other})) == []


def test_a_second_opinion_is_told(page):
    assert (
        "A second grading rule (paper, grader version 2) disagrees on 10 of the 280 responses of "
        "all evaluations (3.6 %): 7 are correct by this study's rule only, 3 by the second only."
    ) in text_of(page)


def test_words_follow_the_interval(inputs):
    groups = {group.name: group for group in inputs.groups}
    first, second = groups["limr"], groups["rand"]
    estimate = findings.comparisons(inputs)[0].estimate

    def said(mean, low, high):
        interval = Interval(mean, low, high, 0.01, 2, 330)
        return findings.compared(findings.Comparison(first, second, interval, estimate))

    assert said(0.1, 0.05, 0.15).startswith("LIMR ends above RAND")
    assert "+10.0 points [5.0, 15.0]" in said(0.1, 0.05, 0.15)
    assert said(-0.1, -0.15, -0.05).startswith("LIMR ends below RAND")
    assert "−10.0 points [−15.0, −5.0]" in said(-0.1, -0.15, -0.05)
    assert said(0.1, -0.01, 0.2).startswith("LIMR and RAND cannot be told apart")


@pytest.mark.slow
def test_headline_is_three_lines_and_the_warnings(inputs):
    *lines, warning = answers.headline(inputs)
    assert warning == f"Warning, LIMR: {WARNING}"
    assert len(lines) == 3
    assert lines[0] == answers.answer(inputs)
    for part in ("Base 4", "FULL (384 problems)", "LIMR (", "2 seeds, 330 questions"):
        assert part in lines[1]
    assert [gap.split(" − ")[1].split()[0] for gap in lines[2].split("; ")] == [
        "Base", "FULL", "RAND"
    ]  # fmt: skip
    assert all(len(line) < 380 for line in lines)


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
    assert "Which problems are worth training on?" in text
    kept = f"LIMR chooses {limr['n_selected']} of 384 problems"
    assert kept in text
    assert answers.headline(bare)[0].startswith(kept)
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
    assert len(answers.headline(small)) == 1


@pytest.mark.slow
def test_the_same_inputs_give_the_same_page(inputs, tmp_path):
    for name in ("a", "b"):
        report.build_report(inputs, report.Parts(config=CONFIG), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()

"""Tables beside the paper's, by level, of costs: traced to what they are made of; LaTeX."""

import dataclasses
import math
import re

import numpy as np
import pandas as pd
import pytest

import synthetic_study
from limr.analysis import contrasts, costs, paper, results
from limr.core import plugins
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.problems import levels
from limr.report import make, table_text
from limr.report.tables import compute

FILE = synthetic_study.ROOT / "config/paper.yaml"
TITLES = {"easy": "aime24", "medium": "math500", "hard": "amc23"}


@pytest.fixture(scope="module")
def inputs():
    return synthetic_study.inputs()


@pytest.fixture(scope="module")
def papers(inputs):
    """The study as if its benchmarks were the paper's, and its problems MATH-FULL."""
    titles = [TITLES[b["name"]] for b in inputs.study["benchmarks"]]
    marks = [{"name": name, "title": name.upper()} for name in titles]
    drawn = {"name": "sampled", "samples": 4, "temperature": 0.4, "top_p": 0.95, "max_tokens": 3072}
    evaluations = inputs.evaluations.assign(benchmark=inputs.evaluations["benchmark"].map(TITLES))
    records = {arm: {**r, "n_problems": 8523} for arm, r in inputs.subsets.items()}
    study = {**inputs.study, "benchmarks": marks, "decodings": {n: [drawn] for n in titles}}
    return dataclasses.replace(inputs, study=study, evaluations=evaluations, subsets=records)


def build(name, inputs, tmp_path, **options):
    kinds = {"tsv": "tsv", "markdown": "md", "latex": "tex"}
    paths = {kind: tmp_path / f"{name}.{suffix}" for kind, suffix in kinds.items()}
    make.make_table(name, inputs, options, paths)
    return pd.read_csv(paths["tsv"], sep="\t")


def test_the_papers_averages_are_means_of_its_benchmarks():
    for row in paper.read(FILE)["results"]:
        mean = np.mean([row[name] for name in ("aime24", "math500", "amc23")])
        assert row["average"] == pytest.approx(mean, abs=0.051), row["name"]


@pytest.mark.slow
def test_ours_stand_beside_the_papers(papers, tmp_path):
    frame = build("paper-table-2", papers, tmp_path)
    assert list(frame["arm"].unique()) == ["Base", "FULL", "LIMR", "RAND", "LINEAR"]
    limr = frame[frame["arm"] == "LIMR"].set_index("measure")
    assert limr["paper's"].tolist() == [1389, 32.5, 78.0, 63.8, 58.1]
    assert limr.loc["problems", "ours"] == papers.subsets["limr"]["n_selected"]
    ours = contrasts.group_interval(papers, "limr", ["math500"])
    assert limr.loc["MATH500", ["ours", "low", "high"]].tolist() == pytest.approx(
        [100 * ours.mean, 100 * ours.low, 100 * ours.high]
    )
    assert limr.loc["MATH500", "gap"] == pytest.approx(100 * ours.mean - 78.0)
    assert limr.loc["MATH500", "n"] == 120
    assert limr.loc["MATH500", "our decoding"] == (
        "4 samples, temperature 0.4, top-p 0.95, at most 3,072 tokens"
    )
    assert limr.loc["MATH500", "paper's decoding"] == "greedy, at most 3,072 tokens"
    assert set(limr["paper's row"]) == {"LIMR, Table 2"}
    base = frame[frame["arm"] == "Base"].set_index("measure")
    assert "problems" not in base.index
    assert base.loc["mean", "paper's"] == 40.5


def test_the_papers_numbers_stand_only_beside_the_same_thing(inputs, papers, tmp_path):
    frame = build("paper-table-2", inputs, tmp_path)
    assert frame["paper's"].isna().all()
    assert frame["ours"].notna().all()
    few = papers.evaluations[papers.evaluations["benchmark"] != "amc23"]
    two = build("paper-table-2", dataclasses.replace(papers, evaluations=few), tmp_path)
    mean = two[two["measure"] == "mean"]
    assert mean["paper's"].isna().all()  # of two benchmarks, not of the paper's three
    bare = build("paper-table-2", dataclasses.replace(papers, evaluations=None), tmp_path)
    assert set(bare["measure"]) == {"problems"}


def test_another_arm_may_be_the_papers(papers, tmp_path):
    frame = build("paper-table-3", papers, tmp_path, arms={"limo": "sft"})
    sft = frame[frame["arm"] == "SFT"].set_index("measure")
    assert sft.loc["MATH500", "paper's"] == 65.0
    assert set(sft["paper's row"]) == {"LIMO, Table 3"}
    with pytest.raises(InputError, match=r"no row 'limmo'\. Did you mean 'limo'"):
        build("paper-table-3", papers, tmp_path, arms={"limmo": "sft"})
    with pytest.raises(InputError, match="the study has no arm 'sfd'"):
        build("paper-table-3", papers, tmp_path, arms={"limo": "sfd"})


def test_table_1_sets_our_arms_beside_the_papers(inputs, tmp_path):
    frame = build("paper-table-1", inputs, tmp_path)
    theirs = frame[frame["whose"].str.startswith("the paper's")]
    assert theirs.set_index("method")["questions"].to_dict() == {"LIMR": 1389}
    ours = frame[~frame.index.isin(theirs.index)].set_index("method")
    assert ours.loc["LIMR", "questions"] == inputs.subsets["limr"]["n_selected"]


def test_the_register_is_whole_and_can_be_narrowed(inputs, tmp_path):
    frame = build("inconsistencies", inputs, tmp_path)
    assert len(frame) == len(inputs.paper["inconsistencies"]) >= 12
    assert frame.notna().all(axis=None)
    numbers = build("inconsistencies", inputs, tmp_path, kinds=["number"])
    assert set(numbers["kind"]) == {"number"}
    assert any("7.6" in text for text in numbers["but"])


def test_a_broken_paper_file_is_refused(tmp_path):
    path = tmp_path / "paper.yaml"
    with pytest.raises(InputError, match="there is no such file"):
        paper.read(path)
    path.write_text("title: x\nresults: [")
    with pytest.raises(InputError, match="not valid YAML"):
        paper.read(path)
    path.write_text(FILE.read_text().replace("aime24: 16.7", "aime24: 167"))
    with pytest.raises(InputError, match="167 is greater than the maximum of 100"):
        paper.read(path)


@pytest.mark.slow
def test_levels_sum_to_the_benchmark(inputs, tmp_path):
    frame = build("by-level", inputs, tmp_path)
    assert set(frame["benchmark"]) == {"Arithmetic, easy", "Arithmetic, medium"}
    easy = frame[(frame["benchmark"] == "Arithmetic, easy") & (frame["arm"] == "FULL")]
    assert easy["level"].tolist() == [1, 2, 3]
    assert easy["questions"].sum() == 120
    whole = 100 * results.headline_results(inputs, "full")["easy"].mean()
    assert np.average(easy["accuracy"], weights=easy["questions"]) == pytest.approx(whole)
    assert (easy["low"] <= easy["accuracy"]).all()
    assert (easy["accuracy"] - easy["against all levels"]).to_numpy() == pytest.approx(whole)
    with pytest.raises(InputError, match="no evaluated benchmark 'hard' with levels"):
        build("by-level", inputs, tmp_path, benchmarks=["hard"])
    none = build("by-level", dataclasses.replace(inputs, problems={}), tmp_path)
    assert none.empty


def test_levels_are_joined_by_text(tmp_path):
    path = tmp_path / "levels.jsonl"
    path.write_text('{"problem": " a ", "level": 5}\n{"problem": "b", "level": 2}\n')
    given = [
        Problem("1", "a", "1", "s"),
        Problem("2", "c", "1", "s"),
        Problem("3", "b", "1", "s", 4),
    ]
    found, notes = levels.apply(given, path)
    assert [problem.level for problem in found] == [5, None, 4]
    assert notes == ["2 of 3 problems have a level, from levels.jsonl"]
    for line, message in (
        ('{"problem": "a", "level": "Level 5"}', "a number 'level'"),
        ('{"problem": "a", "level": 0}', "levels count from 1"),
        ('{"problem": "a", "level": 1}\n{"problem": "a ", "level": 2}', "two levels, 1 and 2"),
        ('{"problem": "other", "level": 1}', "none of its texts"),
    ):
        path.write_text(line)
        with pytest.raises(InputError, match=message):
            levels.apply(given[:2], path)


@pytest.mark.data
def test_math500_has_the_levels_of_its_split(mirror):
    from limr.problems.datasets import question_answer

    options = {"prefix": "math500"}
    problems, _ = question_answer.prepare(options, mirror / "limr/benchmarks/math500.jsonl")
    found, notes = levels.apply(problems, mirror / "math500/test.jsonl")
    assert notes == ["500 of 500 problems have a level, from test.jsonl"]
    counts = pd.Series([problem.level for problem in found]).value_counts().sort_index()
    assert counts.tolist() == [43, 90, 105, 128, 134]


def test_the_scoring_run_is_charged_to_those_who_need_it(inputs):
    bill = {entry.group.name: entry for entry in costs.entries(inputs)}
    assert set(bill) == {"full", "limr", "rand", "linear", "sft"}
    assert bill["full"].scoring is None
    assert bill["rand"].scoring is None
    for name in ("limr", "linear", "sft"):
        assert bill[name].scoring.text == "FULL, seed 1"
        assert bill[name].scoring.cost.tokens == 48 * 9000
    limr = bill["limr"]
    assert limr.total.tokens == limr.own.tokens + limr.scoring.cost.tokens
    assert limr.ratio == pytest.approx(2.0)
    # 60 and 120 seconds on 2 threads; the scoring run is the first of FULL's.
    assert limr.own.hours == pytest.approx(90 * 2 / 3600)
    assert limr.total.hours == pytest.approx(150 * 2 / 3600)


def test_rollouts_and_updates_are_counted(inputs):
    small = {**inputs.subsets["limr"], "n_selected": 30}
    few = dataclasses.replace(inputs, subsets={**inputs.subsets, "limr": small})
    bill = {entry.group.name: entry.own for entry in costs.entries(few)}
    assert bill["full"].rollouts == 48 * 48 * 8
    assert bill["full"].updates == 48 * 4
    assert bill["limr"].rollouts == 48 * 30 * 8  # fewer problems than a batch: all, each step
    assert bill["limr"].updates == 48 * 3
    assert math.isnan(bill["sft"].rollouts)
    assert bill["sft"].updates == 48


def test_a_run_without_record_or_hours_is_no_zero(inputs):
    none = dataclasses.replace(inputs, runs=())
    assert costs.entries(none) == []
    unknown = [{**run, "durations": {}} for run in inputs.runs]
    frame = compute.build(dataclasses.replace(inputs, runs=unknown), {})
    assert frame["hours"].isna().all()
    assert (frame["million tokens"] > 0).all()


def test_latex_is_escaped_and_complete(inputs, tmp_path):
    frame = build("results", inputs, tmp_path)
    text = (tmp_path / "results.tex").read_text()
    assert r"\begin{tabular}" in text
    assert r"95 \% interval" in text
    assert text.count(r" \\") == 1 + len(frame)
    assert r"\label{tab:made-up-results}" in text
    hostile = pd.DataFrame(
        {"a_b": ["50 % & #1 $x$ {y} ~ ^ \\input{/etc/passwd}", "−1.5 ≥ 2…\x1b\n"]}
    )
    made = table_text.latex(hostile, "T_1", "100 %", "A b/é")
    assert r"50 \% \& \#1 \$x\$ \{y\} \textasciitilde{} \textasciicircum{}" in made
    assert r"\textbackslash{}input\{/etc/passwd\}" in made
    assert r"$-$1.5 $\ge$ 2\ldots{}" in made
    assert "\x1b" not in made
    assert r"\label{tab:--b--}" in made
    assert not re.search(r"(?<!\\)[%&#_]", made.split("\n", 1)[1].replace(" & ", ""))


# These have inputs and options of their own: problems/test_answer_audit, analysis/test_transfer.
ELSEWHERE = {"gold-audit", "transfer"}


@pytest.mark.slow_cases("break-even", "by-level", "clean-results", "comparisons")
@pytest.mark.parametrize("name", sorted({*plugins.names("tables")} - ELSEWHERE))
def test_every_table_has_a_row_for_each_in_latex(name, inputs, tmp_path):
    frame = build(name, inputs, tmp_path)
    text = (tmp_path / f"{name}.tex").read_text()
    assert text.count(" \\\\\n") == len(frame) + 1
    columns = len(pd.read_csv(tmp_path / f"{name}.tsv", sep="\t", nrows=0).columns)
    for line in text.splitlines():
        if line.endswith(r" \\"):
            assert len(re.findall(r"(?<!\\)&", line)) == columns - 1

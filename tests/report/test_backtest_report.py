"""The backtest in a study's report: its table, its figure, its section, and its jobs."""

from __future__ import annotations

import copy
import dataclasses

import pandas as pd
import pytest
import yaml

import synthetic_study
from limr.analysis import load
from limr.analysis.results import Inputs
from limr.core import files, plugins
from limr.core.errors import InputError
from limr.report import make
from limr.report import page as report
from limr.report.figures import backtest as figure
from limr.scores import backtest, backtest_rows, backtest_text
from limr.study.jobs import plan
from limr.study.load import load as load_study


@pytest.fixture(scope="module")
def inputs():
    return synthetic_study.inputs()


def table(inputs, folder):
    paths = {"tsv": folder / "t.tsv", "markdown": folder / "t.md", "latex": folder / "t.tex"}
    make.make_table("backtest", inputs, {}, paths)
    return pd.read_csv(folder / "t.tsv", sep="\t"), (folder / "t.md").read_text()


def test_the_table_has_a_row_per_curves_and_choice(inputs, tmp_path):
    frame, text = table(inputs, tmp_path)
    full = frame[frame["curves"] == "full"].set_index("selector")
    names = {one.name for one in backtest.every()}
    assert set(full.index) == names | {"random", "oracle"}
    full = full[full["signal"].notna()]  # one may need what a log does not have
    rows = inputs.backtest
    one = rows[(rows["selector"] == "lim") & rows["t"].isna() & (rows["measure"] == "signal")]
    assert full.loc["lim", "signal"] == pytest.approx(one["value"].iloc[0])
    assert (full["low"] <= full["signal"]).all()
    assert (full["signal"] <= full["high"]).all()
    assert full.loc["lim", "n"] == 64 * full.loc["lim", "t"]
    assert "one of the two" not in frame  # no log of this study is filtered
    [left] = frame[frame["curves"] == "offline"].to_dict("records")  # one epoch
    assert "1 whole visit " in left["not compared"]
    assert "Signal is not accuracy" in text


@pytest.mark.slow
def test_the_figure_draws_the_curves_that_can_be_tested(inputs):
    frame = figure.data(inputs, {"trajectories": None})
    assert set(frame["log"]) == {"full"}
    assert set(frame.loc[frame["selector"] == "random", "t"]) == {1, 2, 3, 4, 5}
    means = frame.drop_duplicates("selector")["mean"].dropna()
    assert list(means) == sorted(means, reverse=True)
    assert "of 384 problems the best 64 by each selector" in figure.caption(frame)
    drawn = figure.draw(frame, {})
    shown = [ax.get_title() for ax in drawn.axes if ax.get_visible()]
    assert [title.split()[0] for title in shown] == [
        name for name in frame["selector"].unique() if name not in ("random", "oracle")
    ]
    with pytest.raises(InputError, match=r"no backtest of 'ful'\. Did you mean 'full'"):
        figure.data(inputs, {"trajectories": "ful"})
    bad = inputs.backtest[inputs.backtest["log"] == "offline"]
    with pytest.raises(InputError, match="1 whole visit "):
        figure.data(dataclasses.replace(inputs, backtest=bad), {"trajectories": None})


def test_the_page_has_a_section_where_there_is_a_backtest(inputs, tmp_path):
    small = dataclasses.replace(inputs, evaluations=None, metrics=None, runs=[])
    for name, given in (("with", small), ("bare", dataclasses.replace(small, backtest=None))):
        report.build_report(given, report.Parts(config={}), tmp_path / name)
    text, bare = ((tmp_path / name).read_text() for name in ("with", "bare"))
    assert 'id="backtest"' in text
    assert 'id="backtest"' not in bare
    first, full, offline = backtest_text.sentences(inputs.backtest)
    assert first == backtest_text.NOT_ACCURACY
    assert first in text
    best = backtest_rows.summary(inputs.backtest).query("role == 'selector'").iloc[0]
    assert full.startswith(f"full: of the groups of prompts that {best['selector']} would have")
    assert offline.startswith("offline: not tested: the log has 1 whole visit ")


def test_a_study_without_learning_curves_is_refused():
    for kind in ("tables", "figures"):
        module = plugins.load(kind, "backtest")
        make_it = module.build if kind == "tables" else module.data
        with pytest.raises(InputError, match="no learning curves to test on"):
            make_it(Inputs({"arms": []}), {"trajectories": None})


def job(root, changes):
    config = copy.deepcopy(yaml.safe_load((root / "config/one-shot-rlvr.yaml").read_text()))
    for key, value in changes.items():
        config[key] = {**config.get(key, {}), **value}
    study = load_study(config, "study.yaml", root / "config/benchmarks")
    [found] = [one for one in plan.jobs(study) if one.rule == "backtest_selectors"]
    return study, found


def test_the_job_tests_the_studys_scores_and_every_selector():
    root = synthetic_study.ROOT
    lim5 = {"selector": "lim", "trajectories": "published", "epochs": 5}
    study, found = job(root, {"scores": {"lim": lim5}, "backtest": {"size": 201}})
    [(log, scores)] = found.settings["scores"].items()
    assert log == "published"
    named = {one["name"]: one for one in scores}
    assert "random" not in named
    assert named["lim"]["options"]["epochs"] == 5
    assert found.settings["plan"]["size"] == 201
    asked = backtest.with_scores(scores)
    names = [one.name for one in asked]
    assert len(names) == len(set(names))
    assert {one.name for one in backtest.every()} <= set(names)  # `lim` is the study's own
    assert {name for kind, name in found.plugins} == set(plugins.names("selectors"))
    wanted = plan.wanted(study, plan.jobs(study))
    assert found.rule in {one.rule for one in wanted}


def test_it_is_read_as_it_is_written(inputs, tmp_path):
    found = backtest.refused("log", "too short", backtest.Plan())
    files.write_parquet(tmp_path / "backtest.parquet", found)
    read = load.inputs({}, {"backtest": tmp_path / "backtest.parquet"}, [])
    assert read.backtest["reason"].tolist() == ["too short"]

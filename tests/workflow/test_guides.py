"""Guides are followed word by word, as a new user would: each in a folder of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pandas as pd
import pytest

import documents
import real_model
from limr.core.errors import InputError, IntegrityError
from small_study import ROOT, make_project

pytestmark = pytest.mark.slow


@pytest.fixture
def reader(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has set limr up: a clone, and a Python of their own.

    What they install goes into a virtual environment that sees this one's packages.
    """
    clone = make_project(tmp_path / "limr").folder
    for part in ("docs", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / part, clone / part, ignore=ignored)
    home = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    [site] = home.glob("lib/python3*/site-packages")
    (site / "limr_under_test.pth").write_text(
        f"{clone / 'workflow/scripts'}\n{sysconfig.get_path('purelib')}\n"
    )
    for name in ("limr", "snakemake"):
        program = home / "bin" / name
        program.write_text(f'#!/bin/sh\nexec "{home}/bin/python" -m {name} "$@"\n')
        program.chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    path = f"{home / 'bin'}:{kept['PATH']}"
    return {**kept, "LIMR": str(clone), "PATH": path, "OMP_NUM_THREADS": "1"}


def needs_the_real_model() -> None:
    try:
        real_model.gguf_file()
    except InputError as error:
        if os.environ.get("CI") or isinstance(error, IntegrityError):
            pytest.fail(str(error))
        pytest.skip(str(error))


def test_bring_your_own_word_by_word(reader: dict[str, str], tmp_path: Path) -> None:
    needs_the_real_model()
    folder = tmp_path / "mine"
    folder.mkdir()
    said = documents.follow(ROOT / "docs/bring-your-own.md", documents.Terminal(folder, reader))

    verdicts = [json.loads(line)["verdict"] for line in (folder / "verdicts.jsonl").open()]
    assert verdicts == ["correct", "incorrect"]
    asked = pd.read_parquet(folder / "results/rates/evals/base/seed1/step0/asked.parquet")
    rates = (asked["verdict"] == "correct").groupby(asked["problem_id"]).mean()
    assert len(asked) == 54 * 4
    assert 0.1 < rates.mean() < 0.9  # the path from prompt to verdict works, for a real model
    gold = {row["id"]: row["answer"] for row in map(json.loads, (folder / "problems.jsonl").open())}
    for row in asked[asked["verdict"] == "correct"].itertuples():
        assert row.answer.casefold().strip(" .") in gold[row.problem_id].casefold().split("|")
    chosen = [json.loads(line) for line in (folder / "results/choice/subsets/chosen.jsonl").open()]
    assert len(chosen) == 12
    assert {row["score"] for row in chosen} <= {rate * (1 - rate) for rate in rates}
    assert min(row["score"] for row in chosen) >= sorted(rates * (1 - rates))[-12]
    audit = json.loads((folder / "results/rates/audits/prompts.json").read_text())
    assert audit["findings"]["dead"] == 0
    assert "GPU hours" in said
    assert "train_ppo" in said


def test_a_selector_in_ten_minutes_word_by_word(reader: dict[str, str]) -> None:
    clone = Path(reader["LIMR"])
    said = documents.follow(ROOT / "docs/contributing.md", documents.Terminal(clone, reader))
    [chosen] = [json.loads(line) for line in (clone / "chosen.jsonl").open()]
    assert (chosen["problem_id"], chosen["score"]) == ("late", 1.0)
    scores = pd.read_parquet(clone / "scores.parquet").set_index("problem_id")
    assert scores.loc["early", "score"] == 0.5
    assert scores.loc["never", "reason"] == "never solved"
    assert "Late: in which epoch" in said  # on the page of keys, with its first line


def test_an_importer_a_table_a_figure_and_a_result_word_by_word(reader: dict[str, str]) -> None:
    clone = Path(reader["LIMR"])
    said = documents.follow(ROOT / "docs/extending.md", documents.Terminal(clone, reader))
    table = pd.read_csv(clone / "results/mine/tables/solved.tsv", sep="\t")
    assert table.to_dict("records") == [{"log": "log", "problems": 2, "solved": 2}]
    figure = pd.read_csv(clone / "results/mine/figures/solved.tsv", sep="\t")
    assert list(figure["share"]) == [0.5, 0.75]
    assert (clone / "results/mine/figures/solved.png").stat().st_size > 1000
    [chosen] = [json.loads(line) for line in (clone / "results/mine/subsets/chosen.jsonl").open()]
    assert chosen["problem_id"] == "late"
    assert "Counts of samples in a CSV file" in said
    best = pd.read_csv(clone / "results/mine/tables/peaks.tsv", sep="\t")
    assert best.to_dict("list") == {
        "log": ["log", "log"], "epoch": [0, 1], "problems": [1, 1], "accuracy": [1.0, 1.0]
    }  # fmt: skip
    # The page says what ran again once a result was added: nothing was read or scored.
    second = said[said.index("find_peaks") :]
    assert "Make the tables" in second
    assert not re.search("Read the learning curves|Score the problems|Select the problems", second)

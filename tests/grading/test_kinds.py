"""The table of kinds in the README of the grader's package: that of its counts, by one command."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

import documents
from limr.grading.grade import GRADER_VERSION

FOLDER = Path(__file__).parents[2] / "benchmarks/grading"


@pytest.fixture
def kinds(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    spec = importlib.util.spec_from_file_location("kinds", FOLDER / "kinds.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.modules.pop("side", None)


def test_the_readme_has_the_table_of_the_counts(kinds, monkeypatch, tmp_path):
    page, found = kinds.README.read_text(), json.loads(kinds.COUNTS.read_text())
    (tmp_path / "README.md").write_text(page.replace("| 0 + 0 |", "| 9 + 9 |"))
    monkeypatch.setattr(kinds, "README", tmp_path / "README.md")
    monkeypatch.setattr(sys, "argv", ["kinds.py"])
    kinds.main()
    assert (tmp_path / "README.md").read_text() == page
    assert f"Measured on {found['date']}, version {GRADER_VERSION} of" in page


def test_the_example_of_the_readme_runs(kinds, capsys):
    [example] = [one for one in documents.blocks(kinds.README) if one.kind == "python"]
    exec(compile(example.text, "README.md", "exec"), {})  # noqa: S102 - our own
    assert capsys.readouterr().out == f"correct {GRADER_VERSION}\n"


def test_counts_are_those_of_five_graders(kinds):
    found = json.loads(kinds.COUNTS.read_text())["kinds"]
    assert len(kinds.GRADERS) == 5
    for counts in found.values():
        for wrong, of in (("refused", "equal"), ("accepted", "different")):
            assert all(0 <= n <= counts[of] for n in counts[wrong].values())
    assert set(kinds.summed(found.values())["refused"]) == set(kinds.GRADERS)


def test_verdicts_are_counted_against_the_labels(kinds, monkeypatch):
    rows = [
        {
            "kind": "a",
            "gold": gold,
            "pred": answer,
            "response": f"\\boxed{{{answer}}}",
            "equal": same,
        }
        for gold, answer, same in (("5", "5.0", True), ("5", "6", True), ("5", "5", False))
    ]
    assert kinds.judged("limr", rows) == [True, False, True]
    monkeypatch.setattr(kinds, "GRADERS", {"limr": "ours"})
    counts = kinds.compare(rows, sys.executable)["kinds"]
    assert counts == {
        "other": {"equal": 2, "different": 1, "refused": {"limr": 1}, "accepted": {"limr": 1}}
    }

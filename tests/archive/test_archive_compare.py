"""Two studies side by side: differences by key, and numbers that moved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from limr.__main__ import main
from limr.archive import differences, tables
from limr.core import files
from limr.evaluate.collect import COLLECTED_EVALUATIONS


def study(folder: Path, right: int, questions: int = 40, **config: Any) -> Path:
    """Write results of two arms; arm `b` answers `right` of its questions."""
    rows = [
        {
            **{"arm": arm, "group": arm, "train": "ppo", "seed": seed, "step": 4},
            **{"benchmark": "m", "decoding": "greedy", "problem_id": f"q{question}", "n": 1},
            "n_correct": int(question < (right if arm == "b" else 20)),
            **{"response_tokens": 3.0, "truncated": 0.0, "malformed": 0.0},
        }
        for arm in ("a", "b")
        for seed in (1, 2)
        for question in range(questions)
    ]
    results = folder / "results/s"
    table = pa.Table.from_pandas(pd.DataFrame(rows)[COLLECTED_EVALUATIONS.names])
    files.write_parquet(
        results / "collected/evaluations.parquet", table.cast(COLLECTED_EVALUATIONS)
    )
    files.write_text(
        results / "study.yaml", json.dumps({"study": "s", "ppo": {"gamma": 1.0}, **config})
    )
    files.write_json(results / "problems/p.json", {"sha256": f"{questions:064}"})
    files.write_jsonl(results / "subsets/b.jsonl", [{"problem_id": f"p{i}"} for i in range(right)])
    files.write_text(folder / "workflow/a.py", f"# {right}\n")
    return results


def compared(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["compare", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_what_differs_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = study(tmp_path / "1", 20)
    second = study(tmp_path / "2", 36, seeds=[1])
    found = json.loads(compared(capsys, first, second, "--json"))
    assert found["configuration"] == [{"key": "seeds", "first": "nothing", "second": "[1]"}]
    assert found["data"] == []
    assert [entry["name"] for entry in found["code"]] == ["workflow/a.py"]
    assert found["subsets"] == [{"arm": "b", "first": 20, "second": 36, "shared": 20}]
    numbers = {row["arm"]: row for row in found["numbers"]}
    assert numbers["b"]["difference"][0] == pytest.approx(0.4)
    assert numbers["b"]["moved"] is True
    assert numbers["b"]["paired"] is True
    assert numbers["a"]["difference"][0] == pytest.approx(0.0)
    assert numbers["a"]["moved"] is False


def test_the_same_study_differs_in_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = study(tmp_path / "1", 20), study(tmp_path / "2", 20)
    text = compared(capsys, first, second)
    for part in ("Configuration", "Data", "Code", "Subsets"):
        assert f"{part}: the same." in text
    assert "0 of 2 arms moved" in text


def test_other_questions_are_not_paired(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = study(tmp_path / "1", 20), study(tmp_path / "2", 20, questions=80)
    found = json.loads(compared(capsys, first, second, "--json"))
    row = found["numbers"][1]
    assert row["paired"] is False
    assert row["difference"][0] == pytest.approx(20 / 80 - 20 / 40)
    assert row["moved"] is True
    assert found["data"][0]["name"] == "problems/p"


def test_no_study_in_it(tmp_path: Path) -> None:
    assert main(["compare", str(tmp_path / "none"), str(tmp_path / "none")]) == 2


def test_a_table_that_unpacks_to_too_much_is_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = study(tmp_path / "1", 20)
    monkeypatch.setattr(tables, "MOST_BYTES", 1000)
    assert main(["compare", str(first), str(first)]) == 2
    assert "collected/evaluations.parquet: 160 rows of" in capsys.readouterr().err


def test_differences_name_the_field() -> None:
    ours = {"a": [1, {"b": 2.0}], "c": None}
    theirs = {"a": [1, {"b": 2.5}], "d": 1}
    found = [str(difference) for difference in differences.of_values(ours, theirs)]
    assert found == [
        "a[1].b: expected 2.0, found 2.5",
        "c: expected None, found nothing",
        "d: expected nothing, found 1",
    ]
    assert list(differences.of_values({"a": 1.0}, {"a": 1.0 + 1e-13})) == []
    assert [str(d) for d in differences.of_values({"a": True}, {"a": 1})] == [
        "a: expected True, found 1"
    ]


def test_settings_are_compared_exactly() -> None:
    ours, theirs = {"a": [{"b": 1e-9}]}, {"a": [{"b": 1e-12}]}
    assert list(differences.of_values(ours, theirs)) == []
    found = [str(d) for d in differences.of_values(ours, theirs, tolerance=0.0)]
    assert found == ["a[0].b: expected 1e-09, found 1e-12"]
    nan = {"a": float("nan"), "b": 1}
    assert list(differences.of_values(nan, {**nan, "b": 1.0}, tolerance=0.0)) == []


def test_a_small_change_of_the_configuration_is_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = study(tmp_path / "1", 20, rate=0.25)
    second = study(tmp_path / "2", 20, rate=0.2500000001)
    found = json.loads(compared(capsys, first, second, "--json"))
    assert found["configuration"] == [{"key": "rate", "first": "0.25", "second": "0.2500000001"}]


def test_differences_of_tables_name_the_row() -> None:
    ours = pa.table({"problem_id": ["x", "y"], "score": [1.0, float("nan")]})
    theirs = pa.table({"problem_id": ["x", "y"], "score": [1.0, 3.0]})
    found = [str(d) for d in differences.of_tables(ours, theirs, ["problem_id"])]
    assert found == ["score of 'y': expected nan, found 3.0"]
    assert list(differences.of_tables(ours, ours, ["problem_id"])) == []
    assert [str(d) for d in differences.of_tables(ours, theirs.slice(1), ["problem_id"])] == [
        "rows: expected 2, found 1"
    ]


def test_differences_of_cells_name_the_column() -> None:
    found = [str(d) for d in differences.of_cells("a\tb\n1\t0.5\n", "a\tb\n1\t0.6\n")]
    assert found == ["line 2, column 'b': expected '0.5', found '0.6'"]
    assert list(differences.of_cells("a\tb\n1\t0.5\n", "a\tb\n1\t0.50\n")) == []

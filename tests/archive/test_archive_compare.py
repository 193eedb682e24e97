"""Two studies side by side: differences by key, and numbers that moved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from small_archive import small_archive

from limr.__main__ import main
from limr.archive import differences
from limr.core import files


def study(folder: Path, right: int, **config: Any) -> Path:
    """Write results of two arms; arm `b` has `right` problems, and an accuracy of `right` %."""
    results = folder / "results/s"
    files.write_text(
        results / "study.yaml", json.dumps({"study": "s", "ppo": {"gamma": 1.0}, **config})
    )
    files.write_jsonl(results / "subsets/b.jsonl", [{"problem_id": f"p{i}"} for i in range(right)])
    rows = [["arm", "kind", "accuracy", "verdict"], ["a", "x", "20.5", "same"]]
    rows += [["b", "x", f"{right}.0", "better" if right > 30 else "same"], ["b", "y", "", ""]]
    files.write_text(results / "tables/results.tsv", "".join("\t".join(r) + "\n" for r in rows))
    return results


def compared(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["compare", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_what_differs_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = study(tmp_path / "1", 20)
    second = study(tmp_path / "2", 36, seeds=[1])
    found = json.loads(compared(capsys, first, second, "--json"))
    assert found["configuration"] == [{"name": "seeds", "first": "nothing", "second": "[1]"}]
    assert found["subsets"] == [{"name": "b", "first": 20, "second": 36, "shared": 20}]
    assert found["tables"] == [
        {"name": "results.b, x.accuracy", "first": "20.0", "second": "36.0"},
        {"name": "results.b, x.verdict", "first": "'same'", "second": "'better'"},
    ]
    text = compared(capsys, first, second)
    assert "Configuration: 1 keys differ.\n  seeds: nothing → [1]\n" in text
    assert "Subsets: 1 arms differ.\n  b: 20 → 36 problems, 20 of them in both\n" in text
    assert "Tables: 2 cells differ.\n  results.b, x.accuracy: 20.0 → 36.0\n" in text


def test_the_same_study_differs_in_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = study(tmp_path / "1", 20), study(tmp_path / "2", 20)
    table = second / "tables/results.tsv"
    table.write_text(table.read_text().replace("20.5", "20.50000000000001"))
    text = compared(capsys, first, second)
    for part in ("Configuration", "Subsets", "Tables"):
        assert f"{part}: the same." in text


def test_a_table_a_column_and_a_row_of_one_side(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = study(tmp_path / "1", 20), study(tmp_path / "2", 20)
    files.write_text(first / "tables/only.tsv", "n\n1\n")
    files.write_text(second / "tables/results.tsv", "arm\tkind\taccuracy\na\tx\t20.5\n")
    found = json.loads(compared(capsys, first, second, "--json"))["tables"]
    assert [(cell["name"], cell["second"]) for cell in found] == [
        ("only", "nothing"),
        ("results.a, x.verdict", "nothing"),
        ("results.b, x", "nothing"),
        ("results.b, y", "nothing"),
    ]


def test_rows_of_numbers_alone_are_numbered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = study(tmp_path / "1", 20), study(tmp_path / "2", 20)
    for side, number in ((first, 1), (second, 2)):
        files.write_text(side / "tables/t.tsv", f"n\tm\n0\t5\n1\t{number}\n")
    found = json.loads(compared(capsys, first, second, "--json"))["tables"]
    assert found == [{"name": "t.row 2.m", "first": "1", "second": "2"}]


def test_an_archive_is_compared_with_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = study(tmp_path / "1", 20)
    config = {"study": "s", "ppo": {"gamma": 0.5}}
    ids = "".join(f'{{"problem_id": "p{n}"}}\n' for n in range(21))
    path = small_archive(
        tmp_path / "a.zip",
        {"results/s/study.yaml": json.dumps(config), "provenance/ids/subsets/b.jsonl": ids},
    )
    found = json.loads(compared(capsys, path, folder, "--json"))
    assert [row["name"] for row in found["configuration"]] == ["ppo.gamma"]
    assert found["subsets"] == [{"name": "b", "first": 21, "second": 20, "shared": 20}]
    assert found["tables"][0]["first"] == "nothing"


def test_no_study_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(tmp_path / "none"), str(tmp_path / "none")]) == 2
    path = small_archive(tmp_path / "a.zip", {"other": ""})
    assert main(["compare", str(path), str(path)]) == 2
    assert "there is no study in it" in capsys.readouterr().err


def test_a_small_change_of_the_configuration_is_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = study(tmp_path / "1", 20, rate=0.25)
    second = study(tmp_path / "2", 20, rate=0.2500000001)
    found = json.loads(compared(capsys, first, second, "--json"))
    assert found["configuration"] == [{"name": "rate", "first": "0.25", "second": "0.2500000001"}]


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


@pytest.mark.parametrize(("one", "other"), [(True, False), (False, True), (True, 1), (0, False)])
def test_a_truth_value_is_the_same_only_as_itself(one, other):
    assert not differences.same(one, other)
    assert differences.same(one, one)


@pytest.mark.parametrize(("one", "other"), [("b", "a"), ("a", "b"), ("a", "")])
def test_long_texts_are_shown_from_shortly_before_they_differ(one, other):
    [found] = differences.of_values("x" * 200 + one, "x" * 200 + other)
    assert found.expected == f"…'{'x' * 20}{one}'"
    assert found.found == f"…'{'x' * 20}{other}'"


def test_rows_that_differ_are_counted_and_nothing_is_like_nothing():
    ours = pa.table({"id": ["a", "b", "c"], "text": ["x", None, None], "flag": [True, None, None]})
    for texts, said in ((["x", None, None], []), (["y", "z", None], [" (2 rows)"]),
                        (["x", None, "z"], [""])):  # fmt: skip
        theirs = ours.set_column(1, "text", pa.array(texts, pa.string()))
        found = [d.field for d in differences.of_tables(ours, theirs, ["id"])]
        first = "c" if texts[0] == "x" else "a"
        assert found == [f"text of '{first}'{more}" for more in said]


def test_a_cell_without_a_head_is_named_by_its_place():
    [found] = differences.of_cells("a\n1\t2\t3", "a\n1\t2\t4")
    assert str(found) == "line 2, column '3': expected '3', found '4'"

"""Files of a stranger: bounded in size and in what a study asks for, never code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from hostile_yaml import LAUGHS
from limr.archive import documents
from limr.core import files, provenance
from limr.core.errors import InputError
from limr.core.tables import EVALUATIONS


@pytest.mark.parametrize("name", ["demo", "config", "published", "one-shot-rlvr", "offline-rates"])
def test_our_own_studies_are_within(name: str, root: Path) -> None:
    config = yaml.safe_load((root / f"config/{name}.yaml").read_text())
    assert list(documents.too_much_asked(config)) == []


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"scores": {"a": {"draws": 5_000}}}, "scores.a.draws"),
        ({"diagnostics": {"draws": 10**7}}, "diagnostics.draws"),
        ({"datasets": {"a": {"problems": 10**9}}}, "datasets.a.problems"),
        ({"evaluate": {"benchmarks": {"a": {"decodings": [{"samples": 10**6}]}}}}, "samples"),
        ({"seeds": list(range(2_000)), "arms": {str(i): {} for i in range(1_000)}}, "2,000,000"),
    ],
)
def test_more_than_any_study_asks_for(config: dict[str, Any], named: str) -> None:
    found = list(documents.too_much_asked(config))
    assert len(found) == 1
    assert named in found[0]


def test_files_outside_the_archive_are_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "mine.txt").write_text("")
    (tmp_path / "other.txt").write_text("")
    (folder / "link").symlink_to("/etc/passwd")
    assert documents.within(folder, "mine.txt")
    for path in ("none.txt", "../other.txt", "/dev/zero", "/etc/passwd", "link"):
        assert not documents.within(folder, path), path
    assert documents.within(folder, str(provenance.ROOT / "workflow/report/report.html.j2"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (LAUGHS, "aliases"),
        ("a: &x [*x]\n", "aliases"),
        ("- 1\n", "a mapping"),
        ("a: !!python/object/apply:os.system [ls]\n", "not valid YAML"),
        ("a: [\n", "not valid YAML"),
        ("a: " + "[" * 2000, "not valid YAML"),
        ("#" * (2 << 20), "larger"),
    ],
)
def test_yaml_of_a_stranger(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=said):
        documents.read_yaml(path)


def test_aliases_are_what_they_stand_for(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: &x {b: [1]}\nc: {<<: *x, d: *x}\n")
    assert documents.read_yaml(path) == {"a": {"b": [1]}, "c": {"b": [1], "d": {"b": [1]}}}


def test_json_of_a_stranger(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for content in (
        "[" * 100_000,
        "{",
        "\udce9".encode(errors="surrogateescape").decode("latin-1"),
    ):
        path.write_text(content)
        with pytest.raises(InputError, match="not valid JSON"):
            documents.read_json(path)


# --- tables --------------------------------------------------------------------------------------


def repeated(path: Path, text: str, rows: int, *, store_schema: bool) -> Path:
    """Write one text many times, as a dictionary of one."""
    column = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), [text])
    pq.write_table(
        pa.table({"problem_id": column}), path, compression="zstd", store_schema=store_schema
    )
    return path


@pytest.mark.parametrize("store_schema", [True, False])
def test_a_text_that_repeats_is_counted_each_time(store_schema: bool, tmp_path: Path) -> None:
    path = repeated(tmp_path / "bomb.parquet", "a" * (1 << 20), 2000, store_schema=store_schema)
    assert path.stat().st_size < 10_000
    about = pq.read_metadata(path)
    assert about.row_group(0).total_byte_size < 2 << 20  # the footer says less
    peak = pa.default_memory_pool().max_memory()
    assert "more than is read" in str(documents.table_problem(path))
    assert pa.default_memory_pool().max_memory() - peak < 64 << 20
    small = repeated(tmp_path / "small.parquet", "a" * 1000, 2000, store_schema=store_schema)
    assert documents.table_problem(small) is None


def test_a_list_of_texts_is_counted_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "nested.parquet"
    pq.write_table(pa.table({"a": [["a" * 10_000]] * 200}), path, compression="zstd")
    assert documents.table_problem(path) is None
    monkeypatch.setattr(documents, "FREE_TABLE", 1 << 20)
    assert path.stat().st_size * documents.TABLE_RATIO < 2_000_000
    assert "more than is read" in str(documents.table_problem(path))


def test_numbers_that_repeat_are_counted_by_their_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "numbers.parquet"
    pq.write_table(pa.table({"a": pa.array([1] * 1_000_000, pa.int64())}), path)
    assert path.stat().st_size < 10_000
    monkeypatch.setattr(documents, "FREE_TABLE", 1 << 20)
    assert "more than is read" in str(documents.table_problem(path))


def test_a_table_of_limr_is_read(tmp_path: Path) -> None:
    row = {
        **{"problem_id": "p", "decoding": "greedy", "sample": 0, "verdict": "correct"},
        **{"format": "", "answer": None, "response_tokens": 3, "truncated": False},
        "response": None,
    }
    path = tmp_path / "a.parquet"
    files.write_parquet(path, pa.Table.from_pylist([row] * 20_000, schema=EVALUATIONS))
    assert documents.table_problem(path) is None
    files.write_parquet(path, EVALUATIONS.empty_table())
    assert documents.table_problem(path) is None


def test_what_is_no_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1x")
    assert "not a parquet table" in str(documents.table_problem(path))

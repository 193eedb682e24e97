"""Tables of strangers: what they really unpack to is known before anything holds it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from limr.archive import tables
from limr.core import files
from limr.core.tables import EVALUATIONS


def repeated(path: Path, text: str, rows: int, *, store_schema: bool) -> Path:
    """Write one text many times, as a dictionary of one."""
    column = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), [text])
    pq.write_table(
        pa.table({"problem_id": column}), path, compression="zstd", store_schema=store_schema
    )
    return path


@pytest.mark.parametrize("store_schema", [True, False])
def test_a_text_that_stands_many_times_is_counted_each_time(
    store_schema: bool, tmp_path: Path
) -> None:
    path = repeated(tmp_path / "bomb.parquet", "a" * (1 << 20), 2000, store_schema=store_schema)
    assert path.stat().st_size < 10_000
    about = pq.read_metadata(path)
    assert about.row_group(0).total_byte_size < 2 << 20  # the footer says less
    peak = pa.default_memory_pool().max_memory()
    assert "more than is read" in str(tables.why_not(path))
    assert pa.default_memory_pool().max_memory() - peak < 64 << 20
    small = repeated(tmp_path / "small.parquet", "a" * 1000, 2000, store_schema=store_schema)
    assert tables.why_not(small) is None


def test_a_list_of_texts_is_counted_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "nested.parquet"
    pq.write_table(pa.table({"a": [["a" * 10_000]] * 200}), path, compression="zstd")
    assert tables.why_not(path) is None
    monkeypatch.setattr(tables, "FREE_BYTES", 1 << 20)
    assert path.stat().st_size * tables.RATIO < 2_000_000
    assert "more than is read" in str(tables.why_not(path))


def test_numbers_that_repeat_are_counted_by_their_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "numbers.parquet"
    pq.write_table(pa.table({"a": pa.array([1] * 1_000_000, pa.int64())}), path)
    assert path.stat().st_size < 10_000
    monkeypatch.setattr(tables, "FREE_BYTES", 1 << 20)
    assert "more than is read" in str(tables.why_not(path))


def test_a_table_of_limr_is_read(tmp_path: Path) -> None:
    row = {
        **{"problem_id": "p", "decoding": "greedy", "sample": 0, "verdict": "correct"},
        **{"format": "", "answer": None, "response_tokens": 3, "truncated": False},
        "response": None,
    }
    path = tmp_path / "a.parquet"
    files.write_parquet(path, pa.Table.from_pylist([row] * 20_000, schema=EVALUATIONS))
    assert tables.why_not(path) is None
    files.write_parquet(path, EVALUATIONS.empty_table())
    assert tables.why_not(path) is None


def test_what_is_no_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1x")
    assert "not a parquet table" in str(tables.why_not(path))

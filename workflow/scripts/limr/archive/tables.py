"""How large a stranger's parquet table really is, found without ever holding it.

Parquet stores a text that repeats once: 500 bytes may hold a text of 1 MB a million times. Its
footer counts such a text once too. So texts are counted as they are read: as indices into a
dictionary, which stay small.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

MOST_ROWS = 50_000_000
MOST_BYTES = 16 << 30  # of all columns, unpacked
FREE_BYTES = 1 << 30  # so much may come of any table; beyond, RATIO times its size
RATIO = 200
_BATCH, _NESTED_BATCH = 1 << 13, 1 << 6  # rows


def why_not(path: Path) -> str | None:
    """Return why a table is not read: it is none, or unpacks to too much; None where it may be."""
    try:
        about = pq.read_metadata(path)
        most = min(MOST_BYTES, max(FREE_BYTES, RATIO * path.stat().st_size))
        size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
        if about.num_rows <= MOST_ROWS and size <= most:
            size = next((total for total in _sizes(path, about.num_rows) if total > most), 0)
    except Exception as error:  # noqa: BLE001 (of a stranger's bytes, whatever they break)
        return f"not a parquet table ({error})"
    if about.num_rows > MOST_ROWS or size > most:
        return f"{about.num_rows:,} rows of {size:,} bytes or more: more than is read"
    return None


def _sizes(path: Path, rows: int) -> Iterator[int]:
    """Yield how many bytes a table has, as far as it was read."""
    schema = pq.read_schema(path)
    texts = [field.name for field in schema if _is_text(field.type)]
    nested = [field.name for field in schema if pa.types.is_nested(field.type)]
    plain = [field.type for field in schema if field.name not in {*texts, *nested}]
    total = rows * sum(max(1, kind.bit_width // 8) for kind in plain)
    yield total
    if texts:
        file = pq.ParquetFile(path, read_dictionary=texts)
        for batch in file.iter_batches(_BATCH, columns=texts):
            total += sum(_length(column) for column in batch.columns)
            yield total
    if nested:
        for batch in pq.ParquetFile(path).iter_batches(_NESTED_BATCH, columns=nested):
            total += batch.nbytes
            yield total


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary)
    return any(test(kind) for test in (*tests, pa.types.is_large_binary))


def _length(column: pa.Array) -> int:
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary).cast(pa.int64())
    # A text that stands a thousand times is not made a thousand times to count it.
    total = pc.sum(lengths.take(column.indices)).as_py() or 0
    return int(total) + int(column.indices.nbytes)

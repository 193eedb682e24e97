"""What stands in an archive for what stays out: ids and digests for texts, nulls for responses."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from limr.core import files

_ROWS = 1 << 16


def without_responses(source: Path, output: Path) -> None:
    """Copy a parquet table of responses with every `response` null, a row group at a time."""
    file = pq.ParquetFile(source)
    schema = file.schema_arrow.remove_metadata()
    place = schema.get_field_index("response")
    kept = [name for name in schema.names if name != "response"]
    with (
        files.atomic(output) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for batch in file.iter_batches(batch_size=_ROWS, columns=kept):
            table = pa.Table.from_batches([batch])
            nulls = pa.nulls(table.num_rows, schema.field(place).type)
            writer.write_table(table.add_column(place, schema.field(place), nulls))


def findings(source: Path) -> bytes:
    """Return each finding of an audit (`audits/*.parquet`) with its problem's id, without texts."""
    rows = pq.read_table(source, columns=["problem_id", "finding"]).to_pylist()
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def ids(source: Path, *, scores: bool) -> bytes:
    """Return for each line of a jsonl of problems its id, level, and the sha256 of the line.

    Args:
        source: `problems/*.jsonl`, `solutions/*.jsonl` or `subsets/*.jsonl`.
        scores: whether a subset's scores may be passed on.
    """
    lines = []
    with source.open("rb") as file:
        for line in file:
            row = json.loads(line)
            kept = {"problem_id": row["problem_id"], "level": row.get("level")}
            if scores and "score" in row:
                kept["score"] = row["score"]
            kept["sha256"] = hashlib.sha256(line.rstrip(b"\n")).hexdigest()
            lines.append(json.dumps(kept, ensure_ascii=False) + "\n")
    return "".join(lines).encode()

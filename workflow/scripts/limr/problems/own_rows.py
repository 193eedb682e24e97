"""Writing chosen rows of a user's own file: all columns, types and metadata as they were.

Where source and target are of one kind, JSON lines, csv records and JSON entries are copied byte
for byte, and Arrow's kinds batch by batch. Otherwise the rows are converted, and a note says so.
Memory does not grow with the file, but for a JSON list.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from limr.core import files, packed
from limr.core.errors import InputError
from limr.problems import dataset_folders, row_conversion, row_files
from limr.problems.row_files import IN_WORDS, Kind

_SUFFIXES: dict[str, Kind] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
# A row group is written when it has as many rows or bytes.
_GROUP_ROWS, _GROUP_BYTES = 1 << 17, 1 << 26


def check_target(target: Path | str) -> Kind:
    """Return what a target will be, by its name; refuse it before anything is computed.

    Args:
        target: `.jsonl`, `.json`, `.csv`, `.tsv` (each also `.gz`, `.zst` or `.bz2`), `.parquet`,
            or a name without a suffix or (as a text) with `/` at its end: a folder of Hugging Face
            datasets.

    Raises:
        InputError: it exists, its suffix is unknown, or it cannot be made where it should lie.
    """
    path = Path(target)
    if os.path.lexists(path):
        raise InputError(f"{target}: is there already, and is not written over. Name another file.")
    suffix = packed.suffix(path)
    if str(target).endswith("/") or not path.suffix:
        kind: Kind = "folder"
    elif suffix in _SUFFIXES and not (suffix == ".parquet" and path.suffix != suffix):
        kind = _SUFFIXES[suffix]
    else:
        raise InputError(
            f"{target}: what is it to be? Known: {', '.join(_SUFFIXES)} (text also packed: "
            f"{', '.join(packed.SUFFIXES)}), and '{target}/' for a folder of Hugging Face datasets."
        )
    above = next(folder for folder in path.absolute().parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        raise InputError(f"{target}: nothing can be written in {above}.")
    return kind


def write(source: Path, chosen: Sequence[int], target: Path | str) -> list[str]:
    """Write chosen rows of a file, whole or not at all.

    Args:
        source: the user's own file or folder, as `own_file.open_file` reads it.
        chosen: numbers of rows from 0, strictly rising (`own_file.OwnFile.rows_of`).
        target: see `check_target`.

    Returns:
        Notes on what could not stay as it was; none where source and target are of one kind.

    Raises:
        InputError: the target exists or cannot be, the source is not such a file or has fewer rows,
            or its rows cannot be converted.
        ValueError: `chosen` is empty or does not rise.
    """
    if not chosen or chosen[0] < 0 or any(b <= a for a, b in pairwise(chosen)):
        raise ValueError("chosen rows must be numbers from 0 that rise, at least one")
    kind, path = check_target(target), Path(target)
    of = row_files.kind_of(source)
    with files.atomic(path) as temporary:
        if of in ("parquet", "folder"):
            notes = _from_arrow(source, of, chosen, temporary, kind, path)
        else:
            notes = _from_text(source, of, chosen, temporary, kind, path)
        check_target(target)  # somebody else may have made it meanwhile
    return notes


def _from_arrow(
    source: Path, of: Kind, chosen: Sequence[int], temporary: Path, kind: Kind, target: Path
) -> list[str]:
    table = row_files.arrow(source, of)
    batches = _picked(table, chosen)
    if kind == "folder":
        dataset_folders.write(temporary, table.schema, batches, source if of == kind else None)
    elif kind == "parquet":
        write_parquet(temporary, table.schema, batches, source if of == kind else None)
    else:
        row_conversion.write_text(
            temporary, target, kind, (row for batch in batches for row in batch.to_pylist()),
            table.schema.names,
        )  # fmt: skip
    return _note(of, kind)


def _from_text(
    source: Path, of: Kind, chosen: Sequence[int], temporary: Path, kind: Kind, target: Path
) -> list[str]:
    records = _picked_records(source, of, chosen)
    if of == kind == "csv" and packed.suffix(source) == packed.suffix(target):
        return _copy_csv(source, records, temporary, target)
    if of == kind != "csv" or (of, kind) == ("jsonl", "json"):
        _copy_json(records, temporary, target, kind)
        return _note(of, kind)
    if kind in ("parquet", "folder"):
        schema = row_conversion.schema(_values(records), str(source))
        again = _values(_picked_records(source, of, chosen))
        batches = row_conversion.batches(again, schema, str(source))
        if kind == "parquet":
            write_parquet(temporary, schema, batches, None)
        else:
            dataset_folders.write(temporary, schema, batches, None)
    else:
        names = row_conversion.names(_values(records)) if kind == "csv" else []
        again = _values(_picked_records(source, of, chosen))
        row_conversion.write_text(temporary, target, kind, again, names)
    return _note(of, kind) or [f"The cells are separated as in {packed.suffix(target)} files now."]


def _note(of: Kind, kind: Kind) -> list[str]:
    if of == kind:
        return []
    more = ""
    if of == "csv":
        more = "; every value is a text, as csv has no types"
    elif kind == "csv":
        more = "; lists and objects are JSON in their cells, and a missing value is an empty one"
    elif kind in ("json", "jsonl") and of in ("parquet", "folder"):
        more = "; dates are texts, and NaN is null"
    elif kind in ("parquet", "folder") and of in ("json", "jsonl"):
        more = "; keys that a row lacks are null, and whole numbers among fractions are fractions"
    return [f"The rows were converted from {IN_WORDS[of]} to {IN_WORDS[kind]}{more}."]


def _picked(table: row_files.ArrowRows, chosen: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """Yield the chosen rows in batches."""
    start = place = 0
    for batch in table.batches(None):
        end = place
        while end < len(chosen) and chosen[end] < start + len(batch):
            end += 1
        if end > place:
            yield batch.take(pa.array([row - start for row in chosen[place:end]], pa.int64()))
        start, place = start + len(batch), end
        if place == len(chosen):
            return
    raise _too_few(table.path, start, chosen)


def _picked_records(source: Path, of: Kind, chosen: Sequence[int]) -> Iterator[row_files.Record]:
    n = place = 0
    for record in row_files.records(source, of):
        if n == chosen[place]:
            yield record
            place += 1
            if place == len(chosen):
                return
        n += 1
    raise _too_few(source, n, chosen)


def _too_few(path: Path, n: int, chosen: Sequence[int]) -> InputError:
    return InputError(
        f"{path}: has {n:,} rows, and row {chosen[-1] + 1:,} was chosen. Has it changed since it "
        "was read?"
    )


def _values(records: Iterator[row_files.Record]) -> Iterator[dict[str, object]]:
    for record in records:
        value = record.value
        if not isinstance(value, dict):
            raise InputError(f"{record.where}: expected an object, found {type(value).__name__}.")
        yield value


def write_parquet(
    path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch], like: Path | None
) -> None:
    """Write batches as a parquet file, a row group at a time.

    Args:
        path: the file.
        schema: with its metadata.
        batches: the rows.
        like: a parquet file whose compression and layout of lists are kept; None: zstd.

    Raises:
        InputError: parquet has no such type.
    """
    compression, list_name = ("zstd", True) if like is None else _layout(like)
    waiting: list[pa.RecordBatch] = []
    try:
        with pq.ParquetWriter(
            path, schema, compression=compression, use_compliant_nested_type=list_name
        ) as writer:
            for batch in batches:
                waiting.append(batch)
                rows, size = sum(len(b) for b in waiting), sum(b.nbytes for b in waiting)
                if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
                    writer.write_table(pa.Table.from_batches(waiting, schema))
                    waiting = []
            if waiting:
                writer.write_table(pa.Table.from_batches(waiting, schema))
    except pa.ArrowException as error:
        raise InputError(f"these rows cannot be a parquet file ({error}). Write .jsonl.") from None


def _layout(path: Path) -> tuple[str, bool]:
    """Return a parquet file's compression, and whether its lists name their part `element`."""
    file = row_files.parquet_file(path)
    meta = file.metadata
    used = "none"
    if meta.num_row_groups and meta.num_columns:
        used = meta.row_group(0).column(0).compression.lower()
    paths = [file.schema.column(i).path for i in range(len(file.schema))]
    known = ("snappy", "gzip", "brotli", "zstd", "lz4")
    if used == "uncompressed":
        used = "none"
    return used if used in (*known, "none") else "zstd", not any(".list.item" in p for p in paths)


def _copy_csv(
    source: Path, records: Iterator[row_files.Record], temporary: Path, target: Path
) -> list[str]:
    header, _, _ = row_files.csv_header(source)
    with packed.created(temporary, target) as file:
        file.write(header)
        for record in records:
            file.write(record.raw)
    return []


def _copy_json(
    records: Iterator[row_files.Record], temporary: Path, target: Path, kind: Kind
) -> None:
    """Copy JSON values as they stand: lines, or entries of a list."""
    with packed.created(temporary, target) as file:
        if kind == "jsonl":
            for record in records:
                file.write(record.raw)
            return
        between = b"[\n"
        for record in records:
            file.write(between + record.raw.strip())
            between = b",\n"
        file.write(b"\n]\n")

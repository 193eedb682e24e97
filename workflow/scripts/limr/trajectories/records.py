"""Reading the rows of a log's files: the columns that are wanted, a batch at a time.

A column is named by a dotted path (`extra_info.index`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from limr.core import packed
from limr.core.errors import InputError
from limr.trajectories import json_records, json_rows
from limr.trajectories.batch import Batch, Values, walk
from limr.trajectories.json_records import Expand
from limr.trajectories.log_files import LogFile

_ROWS_PARQUET = 131072
_ROWS_EXPANDED = 1024
_SAMPLE = 64


@dataclass(frozen=True)
class Sample:
    """What a format is recognised by.

    Attributes:
        file: a file of the log.
        names: its columns, or the keys of its rows.
        rows: its first rows; empty where the file is no table and no list of objects.
        document: the whole, where the file is one JSON document that is no list of objects.
    """

    file: LogFile
    names: frozenset[str]
    rows: Sequence[Mapping[str, Any]]
    document: Any = None

    def has(self, *names: str) -> bool:
        """Tell whether all of these columns are there."""
        return set(names) <= self.names

    def value(self, path: str) -> Any:
        """Return the first value under a dotted path that is not missing."""
        found = (walk(row, path) for row in self.rows)
        return next((value for value in found if value is not None), None)


def sample(file: LogFile) -> Sample:
    """Return the first rows of a file.

    Raises:
        InputError: it cannot be read, or is empty.
    """
    if file.kind == "parquet":
        schema, rows = _parquet_head(file)
        return Sample(file, frozenset(schema.names), rows)
    if file.kind == "csv":
        table = next(iter(_csv(file)), None)
        if table is None:
            raise InputError(f"{file.name}: no rows in it.")
        return Sample(file, frozenset(table.schema.names), table.slice(0, _SAMPLE).to_pylist())
    first = islice(json_records.lines(file, json_rows.LONGEST_STEP), _SAMPLE)
    lines = [json_records.loads(line) for _, line in _some(first)]
    rows = [line for line in lines if isinstance(line, dict)]
    names = frozenset(name for row in rows for name in row)
    return Sample(file, names, rows, lines[0] if len(lines) == 1 else None)


def _some(lines: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Yield the first lines, fewer where they are long; one at least."""
    size = 0
    for number, line in lines:
        yield number, line
        size += len(line)
        if size > json_rows.LONGEST_LINE:
            return


def batches(
    file: LogFile, columns: Mapping[str, str], expand: Expand | None = None
) -> Iterator[Batch]:
    """Yield the rows of a file.

    Args:
        file: the file.
        columns: canonical name -> dotted path.
        expand: makes rows of a line (or of a document) that is not one row.

    Raises:
        InputError: it cannot be read.
    """
    if expand is not None and file.kind in ("parquet", "csv"):
        yield from _expanded(file, columns, expand)
    elif file.kind == "parquet":
        yield from _of_parquet(file, columns)
    elif file.kind == "csv":
        first = 1
        for table in _csv(file):
            yield _of_arrow(table, columns, first)
            first += table.num_rows
    else:
        yield from json_records.batches(file, columns, expand)


def _expanded(file: LogFile, columns: Mapping[str, str], expand: Expand) -> Iterator[Batch]:
    """Yield rows that a format makes of the rows of a table."""
    first = 1
    for table in _tables(file):
        made = [row for whole in table.to_pylist() for row in expand(whole)]
        values = {name: [walk(row, path) for row in made] for name, path in columns.items()}
        yield Batch(np.arange(first, first + len(made), dtype=np.int64), values)
        first += len(made)


def _tables(file: LogFile) -> Iterator[pa.RecordBatch]:
    if file.kind == "csv":
        yield from _csv(file)
        return
    try:
        yield from pq.ParquetFile(file.path, memory_map=True).iter_batches(_ROWS_EXPANDED)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{file.name}: not a readable parquet file ({error}).") from None


def _of_parquet(file: LogFile, columns: Mapping[str, str]) -> Iterator[Batch]:
    try:
        table = pq.ParquetFile(file.path, memory_map=True)
        names = table.schema_arrow.names
        wanted = list(dict.fromkeys(_top(path, names) for path in columns.values()))
        texts = [name for name in wanted if _is_text(table.schema_arrow.field(name).type)]
        known = table.metadata  # the file's foot is not decoded again
        table = pq.ParquetFile(file.path, metadata=known, memory_map=True, read_dictionary=texts)
        first = 1
        for batch in table.iter_batches(_ROWS_PARQUET, columns=wanted):
            yield _of_arrow(batch, columns, first)
            first += batch.num_rows
    except (pa.ArrowException, OSError, KeyError) as error:
        raise InputError(f"{file.name}: not a readable parquet file ({error}).") from None


def _top(path: str, names: Sequence[str]) -> str:
    return path if path in names else path.split(".", maxsplit=1)[0]


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _of_arrow(table: pa.RecordBatch, columns: Mapping[str, str], first: int) -> Batch:
    values: dict[str, Values] = {}
    names = table.schema.names
    for name, path in columns.items():
        top = _top(path, names)
        column = table.column(top)
        rest = path[len(top) + 1 :]
        kind = column.type
        simple = not (pa.types.is_nested(kind) or rest)
        if simple:
            values[name] = column
        else:
            values[name] = [walk(row, rest) if rest else row for row in column.to_pylist()]
    return Batch(np.arange(first, first + table.num_rows, dtype=np.int64), values)


def _parquet_head(file: LogFile) -> tuple[pa.Schema, list[dict[str, Any]]]:
    try:
        table = pq.ParquetFile(file.path)
        batch = next(table.iter_batches(_SAMPLE), None)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{file.name}: not a readable parquet file ({error}).") from None
    return table.schema_arrow, batch.to_pylist() if batch is not None else []


def _csv(file: LogFile) -> Iterator[pa.RecordBatch]:
    from pyarrow import csv

    try:
        options = csv.ParseOptions(newlines_in_values=True)
        with packed.opened(file.path) as stream:
            reader = csv.open_csv(stream, parse_options=options)
            yield from reader
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{file.name}: not a readable CSV file ({error}).") from None

"""Reading the rows of a log's files: the columns that are wanted, a batch at a time.

A column is named by a dotted path (`extra_info.index`). JSON is decoded for the wanted keys alone;
a row that the fast decoder refuses (Python writes NaN into JSON) is decoded once more by Python's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from limr.core.errors import InputError
from limr.trajectories import json_rows
from limr.trajectories.log_files import LogFile, opened

Values = list[Any] | pa.Array
Expand = Callable[[Any], Iterable[Any]]
_ROWS = 16384  # JSON rows in memory at a time
_ROWS_PARQUET = 131072
_SAMPLE = 64
RAW = ("response",)  # columns that are not decoded, only compared


@dataclass
class Batch:
    """Rows of one file.

    Attributes:
        rows: (n_rows,) their numbers in the file, from 1: lines of JSON lines, else rows; each once.
        columns: canonical name -> (n_rows,) values; None where a row lacks one.
        broken: (number, what is wrong) of rows that could not be read.
    """

    rows: npt.NDArray[np.int64]
    columns: dict[str, Values]
    broken: list[tuple[int, str]] = field(default_factory=list)


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


def walk(row: Any, path: str) -> Any:
    """Return what lies under a dotted path; None where nothing does."""
    if isinstance(row, Mapping) and path in row:
        return row[path]
    for name in path.split("."):
        row = row.get(name) if isinstance(row, Mapping) else None
    return row


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
    lines = [_loads(line) for _, line in islice(_lines(file), _SAMPLE)]
    rows = [line for line in lines if isinstance(line, dict)]
    names = frozenset(name for row in rows for name in row)
    return Sample(file, names, rows, lines[0] if len(lines) == 1 else None)


def _loads(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


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
    if file.kind == "parquet":
        yield from _of_parquet(file, columns)
    elif file.kind == "csv":
        first = 1
        for table in _csv(file):
            yield _of_arrow(table, columns, first)
            first += table.num_rows
    else:
        yield from _of_json(file, columns, expand)


def _of_json(
    file: LogFile, columns: Mapping[str, str], expand: Expand | None
) -> Iterator[Batch]:
    reader = _Reader(columns) if expand is None else None
    lines, count = _lines(file), 0
    while some := list(islice(lines, _ROWS)):
        values: dict[str, list[Any]] = {name: [] for name in columns}
        rows: list[int] = []
        broken: list[tuple[int, str]] = []
        for number, line in some:
            try:
                found = [reader(line)] if reader else _expanded(line, expand, columns)
            except (*json_rows.NOT_DECODED, ValueError, TypeError) as error:
                broken.append((number, json_rows.fault(error)))
                continue
            for row in found:
                count += 1
                rows.append(number if expand is None else count)
                for name, value in zip(columns, row, strict=True):
                    values[name].append(value)
        yield Batch(np.array(rows, np.int64), dict(values), broken)


def _lines(file: LogFile) -> Iterator[tuple[int, bytes]]:
    """Yield the rows of JSON lines, or the entries of a JSON document, with their numbers from 1."""
    with opened(file) as stream:
        lines = _bounded(stream, file)
        first = next((line for line in lines if line.strip()), b"")
        opens = first.lstrip()[:1]
        if opens == b"[" or (opens == b"{" and first.strip() == b"{"):
            content = first + stream.read(json_rows.LARGEST_JSON)
            if len(content) > json_rows.LARGEST_JSON:
                raise InputError(_too_large(file))
            yield from enumerate(_entries(file, content, opens), start=1)
            return
        number = 1
        for number, line in enumerate(chain([first], lines), start=number):
            if line.strip():
                yield number, line


def _entries(file: LogFile, content: bytes, opens: bytes) -> Iterator[bytes]:
    """Yield the entries of a JSON list, or objects that follow each other over several lines."""
    if opens == b"[":
        try:
            yield from map(bytes, _LIST.decode(content))
        except json_rows.NOT_DECODED:
            try:  # NaN and Infinity, which are no JSON
                yield from (json.dumps(entry).encode() for entry in json.loads(content))
            except (ValueError, RecursionError) as error:
                raise InputError(f"{file.name}: {json_rows.fault(error)}.") from None
        return
    text, at, decoder = content.decode("utf-8", "replace"), 0, json.JSONDecoder()
    while at < len(text):
        try:
            found, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{file.name}: {json_rows.fault(error)}.") from None
        yield json.dumps(found).encode()
        at += len(text[at:]) - len(text[at:].lstrip()) if text[at : at + 1].isspace() else 0


def _too_large(file: LogFile) -> str:
    return (
        f"{file.name}: more than {json_rows.LARGEST_JSON / 1e9:.1f} GB in one JSON document. Write "
        "one file per step, JSON lines, or parquet."
    )


def _bounded(stream: Any, file: LogFile) -> Iterator[bytes]:
    try:
        while line := stream.readline(json_rows.LONGEST_LINE + 1):
            if len(line) > json_rows.LONGEST_LINE:
                raise InputError(
                    f"{file.name}: a line of more than {json_rows.LONGEST_LINE / 2**20:.0f} MB. "
                    "Is this JSON lines, one object per line?"
                )
            yield line
    except (OSError, EOFError, pa.ArrowException) as error:
        raise InputError(f"{file.name}: cannot be read to its end ({error}).") from None


_LIST = msgspec.json.Decoder(list[msgspec.Raw])


class _Reader:
    """Decodes a line for the wanted columns alone."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self._paths = list(columns.items())
        top = dict.fromkeys(path.split(".")[0] for _, path in self._paths)
        places = {name: f"f{place}" for place, name in enumerate(top)}
        fields = [
            (place, msgspec.Raw if self._raw(name) else Any,
             msgspec.field(name=name, default=None))
            for name, place in places.items()
        ]  # fmt: skip
        self._decoder = msgspec.json.Decoder(msgspec.defstruct("Row", fields, gc=False))
        self._get = [(places[path.split(".")[0]], path.partition(".")[2]) for _, path in self._paths]

    def _raw(self, top: str) -> bool:
        return any(name in RAW and path == top for name, path in self._paths)

    def __call__(self, line: bytes) -> list[Any]:
        """Return the values of the columns, in order."""
        try:
            row = self._decoder.decode(line)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            whole = json.loads(line)  # NaN and Infinity, which are no JSON
            if not isinstance(whole, dict):
                raise
            return [walk(whole, path) for _, path in self._paths]
        return [
            walk(getattr(row, place), rest) if rest else getattr(row, place)
            for place, rest in self._get
        ]


def _expanded(line: bytes, expand: Expand | None, columns: Mapping[str, str]) -> list[list[Any]]:
    assert expand is not None
    return [[walk(row, path) for path in columns.values()] for row in expand(json.loads(line))]


def _of_parquet(file: LogFile, columns: Mapping[str, str]) -> Iterator[Batch]:
    try:
        table = pq.ParquetFile(file.path, memory_map=True)
        names = table.schema_arrow.names
        wanted = list(dict.fromkeys(_top(path, names) for path in columns.values()))
        texts = [name for name in wanted if _is_text(table.schema_arrow.field(name).type)]
        table = pq.ParquetFile(file.path, memory_map=True, read_dictionary=texts)
        first = 1
        for batch in table.iter_batches(_ROWS_PARQUET, columns=wanted):
            yield _of_arrow(pa.Table.from_batches([batch]), columns, first)
            first += batch.num_rows
    except (pa.ArrowException, OSError, KeyError) as error:
        raise InputError(f"{file.name}: not a readable parquet file ({error}).") from None


def _top(path: str, names: Sequence[str]) -> str:
    return path if path in names else path.split(".")[0]


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _of_arrow(table: pa.Table, columns: Mapping[str, str], first: int) -> Batch:
    values: dict[str, Values] = {}
    for name, path in columns.items():
        top = _top(path, table.schema.names)
        column = table[top].combine_chunks()
        if isinstance(column, pa.ChunkedArray):
            column = column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)
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


def _csv(file: LogFile) -> Iterator[pa.Table]:
    from pyarrow import csv

    try:
        options = csv.ParseOptions(newlines_in_values=True)
        with opened(file) as stream:
            reader = csv.open_csv(stream, parse_options=options)
            for batch in reader:
                yield pa.Table.from_batches([batch])
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{file.name}: not a readable CSV file ({error}).") from None


def decoded(value: Any) -> Any:
    """Return a value of a column that is not decoded while rows are only compared."""
    return msgspec.json.decode(value) if isinstance(value, msgspec.Raw) else value

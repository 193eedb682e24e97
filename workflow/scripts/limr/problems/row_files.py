"""Files of rows as people have them, read one after the other: JSON lines, csv, parquet, …

There are two families. JSON lines, a JSON list and csv are **records of text**, whose very bytes
can be copied (`records`); they may be packed (gzip, zstd, bzip2) and are never whole in memory,
but for a JSON list. Parquet and a Hugging Face `datasets` folder (`save_to_disk`) are **Arrow**
(`arrow`), read in batches. `rows` reads either family as Python values.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from limr.core import files, packed
from limr.core.errors import InputError
from limr.problems import dataset_folders

Kind = Literal["jsonl", "json", "csv", "parquet", "folder"]
IN_WORDS = {
    "jsonl": "JSON lines",
    "json": "a JSON list",
    "csv": "csv",
    "parquet": "parquet",
    "folder": "a Hugging Face datasets folder",
}
ROWS_AT_ONCE = 1024
_LONGEST_CELL = 1 << 28  # of csv, in characters
_DELIMITERS = ",;\t"


def kind_of(path: Path) -> Kind:
    """Return what a file is: by its content, and csv by its name (.csv or .tsv).

    Raises:
        InputError: there is no such file, or it is none of these.
    """
    if path.is_dir():
        return "folder"
    if packed.suffix(path) in (".csv", ".tsv"):
        return "csv"
    with packed.opened(path) as file:
        start = file.read(4096)
    if start[:4] == b"PAR1" or packed.suffix(path) == ".parquet":
        return "parquet"
    if start.lstrip()[:1] == b"[":
        return "json"
    if start.lstrip()[:1] == b"{" and packed.suffix(path) == ".json":
        _check_lines(path)
    if start.lstrip()[:1] in (b"{", b""):
        return "jsonl"
    raise InputError(
        f"{path}: expected JSON lines, a JSON list, csv (by its name: .csv), parquet or a folder "
        f"of Hugging Face datasets; it begins with {start[:20]!r}."
    )


def _check_lines(path: Path) -> None:
    """Refuse a file named .json that is one object over several lines."""
    with packed.opened(path) as file:
        line = file.readline()
    try:
        json.loads(line)
    except ValueError:
        raise InputError(
            f"{path}: expected a list of problems, or one JSON object a line; it begins with "
            f"{line[:20]!r}."
        ) from None


def rows(path: Path, columns: Sequence[str] | None = None) -> Iterator[tuple[str, Any]]:
    """Yield each row's place, such as `a.jsonl:3` or `a.parquet: row 3`, and its value.

    Args:
        path: of any kind.
        columns: read only these; has an effect on Arrow's kinds only, where it saves time.

    Raises:
        InputError: not such a file, cut short, or a broken line.
    """
    kind = kind_of(path)
    if kind not in ("parquet", "folder"):
        yield from ((record.where, record.value) for record in records(path, kind))
        return
    table = arrow(path, kind)
    if len(set(table.schema.names)) < len(table.schema.names):
        raise InputError(f"{path}: two columns have one name; found {table.schema.names}.")
    number = 0
    for batch in table.batches(columns):
        for row in batch.to_pylist():
            number += 1
            yield f"{path}: row {number}", row


@dataclass(frozen=True)
class Record:
    """A row in a file of text.

    Attributes:
        raw: its very bytes; a line end is part of them, but for a JSON list.
        where: its place: `a.jsonl:3` (the line where it begins) or `a.json: entry 3`.
        cells: of a csv file, by column.
    """

    raw: bytes
    where: str
    cells: dict[str, str] | None = None

    @property
    def value(self) -> Any:
        """What it holds: for csv a dict of texts, else the JSON value.

        Raises:
            InputError: not valid JSON.
        """
        if self.cells is not None:
            return self.cells
        try:
            return json.loads(self.raw)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{self.where}: not valid JSON ({error}).") from None


def records(path: Path, kind: Kind) -> Iterator[Record]:
    """Yield the rows of a file of text; blank lines are none.

    Raises:
        InputError: it cannot be read, is not UTF-8, or a record is broken.
    """
    if kind == "json":
        yield from _entries(path)
        return
    with packed.opened(path) as file:
        if kind == "csv":
            yield from _csv_records(file, path)
            return
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield Record(line, f"{path}:{number}")


def _entries(path: Path) -> Iterator[Record]:
    """Yield the entries of a JSON list, each as it stands in the file."""
    decoder = json.JSONDecoder()
    blank = json.decoder.WHITESPACE  # type: ignore[attr-defined]
    with packed.opened(path) as file:
        text = _decoded(file.read(), str(path))

    def skipped(place: int) -> int:
        return int(blank.match(text, place).end())

    place, number = skipped(skipped(0) + 1), 0
    while text[place : place + 1] != "]":
        number += 1
        try:
            _, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            line = text.count("\n", 0, getattr(error, "pos", place)) + 1
            raise InputError(f"{path}:{line}: not valid JSON ({error}).") from None
        yield Record(text[place:end].encode("utf-8", "surrogatepass"), f"{path}: entry {number}")
        place = skipped(end)
        if text[place : place + 1] == ",":
            place = skipped(place + 1)
        elif text[place : place + 1] != "]":
            line = text.count("\n", 0, place) + 1
            raise InputError(f"{path}:{line}: not valid JSON (the list is not closed: cut short?).")
    if text[place + 1 :].strip():
        line = text.count("\n", 0, place) + 1
        raise InputError(f"{path}:{line}: not valid JSON (something stands after the list's end).")


def _decoded(raw: bytes, where: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: not UTF-8 ({error.reason}, byte {error.start}).") from None


def csv_header(path: Path) -> tuple[bytes, list[str], str]:
    """Return a csv file's first record as it stands, its columns, and the delimiter.

    Raises:
        InputError: it cannot be read, or a column is named twice.
    """
    with packed.opened(path) as file:
        raw, names, _ = next(_csv_lines(file, path, _delimiter(path)), (b"", [], 0))
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InputError(f"{path}:1: the column {sorted(twice)[0]!r} is there twice.")
    return raw, names, _delimiter(path)


def _delimiter(path: Path) -> str:
    """Return the delimiter that the first line has most of; a comma where it has none."""
    with packed.opened(path) as file:
        first = file.readline()
    return max(_DELIMITERS, key=lambda sign: first.count(sign.encode()))


def _csv_records(file: IO[bytes], path: Path) -> Iterator[Record]:
    _, names, delimiter = csv_header(path)
    lines = _csv_lines(file, path, delimiter)
    next(lines, None)
    for raw, cells, number in lines:
        if len(cells) != len(names):
            raise InputError(
                f"{path}:{number}: expected {len(names)} cells as in the first line, found "
                f"{len(cells)}. Is a quote or a delimiter missing?"
            )
        yield Record(raw, f"{path}:{number}", dict(zip(names, cells, strict=True)))


def _csv_lines(
    file: IO[bytes], path: Path, delimiter: str
) -> Iterator[tuple[bytes, list[str], int]]:
    """Yield the bytes and the cells of each record, and the line where it begins."""
    taken: list[bytes] = []
    csv.field_size_limit(_LONGEST_CELL)

    def lines() -> Iterator[str]:
        for number, line in enumerate(file, start=1):
            taken.append(line)
            yield _decoded(line, f"{path}:{number}")

    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for cells in reader:
            if cells:
                yield b"".join(taken), cells, begins
            taken.clear()
            begins = reader.line_num + 1
    except csv.Error as error:
        raise InputError(f"{path}:{begins}: not valid csv ({error}).") from None


@dataclass(frozen=True)
class ArrowRows:
    """A table in batches.

    Attributes:
        path: the file or folder.
        schema: all columns with their types; its metadata are the file's.
        batches: columns (None: all) -> batches of at most `ROWS_AT_ONCE` rows, in order. It raises
            InputError where the data are damaged.
    """

    path: Path
    schema: pa.Schema
    batches: Callable[[Sequence[str] | None], Iterator[pa.RecordBatch]]


def arrow(path: Path, kind: Kind) -> ArrowRows:
    """Return the rows of a parquet file or a Hugging Face folder.

    Raises:
        InputError: not such a file or folder, or cut short.
    """
    if kind == "folder":
        shards = dataset_folders.shards(path)
        return ArrowRows(
            path,
            dataset_folders.schema(shards[0]),
            lambda columns: dataset_folders.batches(shards, columns, ROWS_AT_ONCE),
        )
    file = parquet_file(path)

    def batches(columns: Sequence[str] | None) -> Iterator[pa.RecordBatch]:
        try:
            names = None if columns is None else list(columns)
            yield from file.iter_batches(ROWS_AT_ONCE, columns=names)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{path}: damaged, or cut short ({error}).") from None

    return ArrowRows(path, file.schema_arrow, batches)


def parquet_file(path: Path) -> pq.ParquetFile:
    """Open a parquet file so that it is read bit by bit, whatever the size of its row groups.

    Raises:
        InputError: not parquet, or cut short.
    """
    files.check_parquet(path, ())
    return pq.ParquetFile(path, memory_map=True, pre_buffer=False)

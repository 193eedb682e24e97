"""Rows of JSON: lines by blocks, lists, objects over several lines.

JSON is decoded for the wanted keys alone; a row that the fast decoder refuses (Python writes NaN
into JSON) is decoded once more by Python's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from limr.core import packed
from limr.core.errors import InputError
from limr.trajectories import json_rows
from limr.trajectories.batch import Batch, Values, walk
from limr.trajectories.log_files import LogFile

Expand = Callable[[Any], Iterable[Any]]
# What comes of taking values for what they are not.
OTHER_SHAPE = (ValueError, TypeError, KeyError, AttributeError, IndexError)
_ROWS = 16384  # rows in memory at a time
_BYTES = 8 * 2**20  # of lines in memory at a time
_START = 65536  # bytes that tell how a file is written
_OPENED = re.compile(rb"\{[ \t\r]*\n")
_NO_BLANK = re.compile(r"\S")


def loads(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def batches(file: LogFile, columns: Mapping[str, str], expand: Expand | None) -> Iterator[Batch]:
    if expand is None:
        yield from _plain_rows(file, _Reader(columns))
        return
    count = 0
    entries = lines(file, json_rows.LONGEST_STEP)
    while some := list(islice(entries, _ROWS)):
        found: list[list[Any]] = []
        broken: list[tuple[int, str]] = []
        for number, line in some:
            try:
                whole = json.loads(line)
            except (ValueError, RecursionError) as error:
                broken.append((number, json_rows.fault(error)))
                continue
            try:
                found += [[walk(row, path) for path in columns.values()] for row in expand(whole)]
            except OTHER_SHAPE as error:
                broken.append((number, f"not as this format has it: {error}"))
        numbers = np.arange(count + 1, count + 1 + len(found), dtype=np.int64)
        count += len(found)
        yield Batch(numbers, _columns(columns, found), broken)


def _plain_rows(file: LogFile, reader: _Reader) -> Iterator[Batch]:
    """Yield rows of JSON lines by blocks; where a block has a fault, line by line.

    Rows are numbered by the lines that are not blank.
    """
    if _style(file) == "list":
        with suppress(*json_rows.NOT_DECODED):  # else entry by entry
            rows = reader.listed(_content(file))
            yield Batch(np.arange(1, len(rows) + 1, dtype=np.int64), reader.columns_of(rows))
            return
    first = 1
    for block in _blocks(file):
        try:
            rows = reader.many(block)
        except json_rows.NOT_DECODED:
            batch, lines = _by_line(block, first, reader)
        else:
            lines = len(rows)
            batch = Batch(np.arange(first, first + lines, dtype=np.int64), reader.columns_of(rows))
        first += lines
        yield batch


def _by_line(block: bytes, first: int, reader: _Reader) -> tuple[Batch, int]:
    """Return the rows of a block in which some cannot be decoded, and its number of lines."""
    found: list[list[Any]] = []
    numbers: list[int] = []
    broken: list[tuple[int, str]] = []
    lines = [line for line in block.split(b"\n") if line.strip()]
    for number, line in enumerate(lines, start=first):
        try:
            found.append(reader.one(line))
            numbers.append(number)
        except (*json_rows.NOT_DECODED, ValueError) as error:
            broken.append((number, json_rows.fault(error)))
    return Batch(np.array(numbers, np.int64), _columns(reader.names, found), broken), len(lines)


def _columns(names: Iterable[str], rows: Sequence[Sequence[Any]]) -> dict[str, Values]:
    transposed: Iterable[Any] = zip(*rows, strict=True) if rows else ([] for _ in names)
    return {name: list(values) for name, values in zip(names, transposed, strict=False)}


def _blocks(file: LogFile) -> Iterator[bytes]:
    """Yield whole lines of a file, some megabytes at a time."""
    if file.kind == "json" or _style(file) != "lines":
        yield b"\n".join(entry for _, entry in lines(file))
        return
    with packed.opened(file.path) as stream:
        yield from _whole_lines(stream, file)


def _whole_lines(stream: Any, file: LogFile) -> Iterator[bytes]:
    try:
        while block := stream.read(_BYTES):
            if not block.endswith(b"\n"):
                block += stream.readline(json_rows.LONGEST_LINE + 1)
                if len(block) > _BYTES + json_rows.LONGEST_LINE:
                    raise InputError(_too_long(file))
            yield block
    except (OSError, EOFError, pa.ArrowException) as error:
        raise InputError(f"{file.name}: cannot be read to its end ({error}).") from None


def _style(file: LogFile) -> str:
    """Return how a JSON file is written: in `lines`, as a `list`, or as `objects` over lines."""
    with packed.opened(file.path) as stream:
        start = b""
        while not start.lstrip() and (more := stream.read(_START)):
            start = more
    start = start.lstrip()
    return "list" if start[:1] == b"[" else "objects" if _OPENED.match(start) else "lines"


def lines(file: LogFile, longest: int | None = None) -> Iterator[tuple[int, bytes]]:
    """Yield the rows of JSON lines, or the entries of a document, with their numbers from 1.

    Args:
        file: the file.
        longest: bytes of the longest line; None: that of one rollout.

    Raises:
        InputError: a longer line, or a document that is larger than any is read.
    """
    if file.kind == "json":
        longest = json_rows.LARGEST_JSON
        if file.path.stat().st_size > longest:
            raise InputError(_too_large(file))
    style = _style(file)
    if style != "lines":
        yield from enumerate(_entries(file, _content(file), style), start=1)
        return
    with packed.opened(file.path) as stream:
        for number, line in enumerate(_bounded(stream, file, longest), start=1):
            if line.strip():
                yield number, line


def _content(file: LogFile) -> bytes:
    """Return the whole of a file that is one document."""
    with packed.opened(file.path) as stream:
        content = stream.read(json_rows.LARGEST_JSON + 1)
    if len(content) > json_rows.LARGEST_JSON:
        raise InputError(_too_large(file))
    return content


def _entries(file: LogFile, content: bytes, style: str) -> Iterator[bytes]:
    """Yield the entries of a JSON list, or objects that follow each other over several lines."""
    if style == "list":
        try:
            yield from map(bytes, _LIST.decode(content))
        except json_rows.NOT_DECODED:
            try:  # NaN and Infinity, which are no JSON
                yield from (json.dumps(entry).encode() for entry in json.loads(content))
            except (ValueError, RecursionError) as error:
                raise InputError(f"{file.name}: {json_rows.fault(error)}.") from None
        return
    text, decoder = content.decode("utf-8", "replace"), json.JSONDecoder()
    at = _NO_BLANK.search(text)
    while at is not None:
        try:
            found, end = decoder.raw_decode(text, at.start())
        except (ValueError, RecursionError) as error:
            raise InputError(f"{file.name}: {json_rows.fault(error)}.") from None
        yield json.dumps(found).encode()
        at = _NO_BLANK.search(text, end)


def _too_long(file: LogFile, longest: int | None = None) -> str:
    most = (longest or json_rows.LONGEST_LINE) / 2**20
    return (
        f"{file.name}: a line of more than {most:.0f} MB. Is this JSON lines, one object per line?"
    )


def _too_large(file: LogFile) -> str:
    return (
        f"{file.name}: more than {json_rows.LARGEST_JSON / 1e9:.1f} GB in one JSON document. Write "
        "one file per step, JSON lines, or parquet."
    )


def _bounded(stream: Any, file: LogFile, longest: int | None = None) -> Iterator[bytes]:
    most = longest or json_rows.LONGEST_LINE
    try:
        while line := stream.readline(most + 1):
            if len(line) > most:
                raise InputError(_too_long(file, most))
            yield line
    except (OSError, EOFError, pa.ArrowException) as error:
        raise InputError(f"{file.name}: cannot be read to its end ({error}).") from None


_LIST = msgspec.json.Decoder(list[msgspec.Raw])


class _Reader:
    """Decodes rows for the wanted columns alone."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self.names = list(columns)
        self._paths = list(columns.values())
        top = dict.fromkeys(path.split(".")[0] for path in self._paths)
        places = {name: f"f{place}" for place, name in enumerate(top)}
        fields = [
            (place, Any, msgspec.field(name=name, default=None)) for name, place in places.items()
        ]
        row = msgspec.defstruct("Row", fields, gc=False)
        self._decoder = msgspec.json.Decoder(row)
        self._list: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[row])  # type: ignore[valid-type]
        self._get = [(places[path.split(".")[0]], path.partition(".")[2]) for path in self._paths]

    def many(self, block: bytes) -> list[Any]:
        """Return the rows of a block of lines."""
        found: list[Any] = self._decoder.decode_lines(block)
        return found

    def listed(self, content: bytes) -> list[Any]:
        """Return the rows of a JSON list."""
        return self._list.decode(content)

    def columns_of(self, rows: Sequence[Any]) -> dict[str, Values]:
        """Return the columns of decoded rows."""
        found: dict[str, Values] = {}
        for name, (place, rest) in zip(self.names, self._get, strict=True):
            values = list(map(attrgetter(place), rows))
            found[name] = [walk(value, rest) for value in values] if rest else values
        return found

    def one(self, line: bytes) -> list[Any]:
        """Return the values of the columns of one row, in order."""
        try:
            row = self._decoder.decode(line)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            whole = json.loads(line)  # NaN and Infinity, which are no JSON
            if not isinstance(whole, dict):
                raise
            return [walk(whole, path) for path in self._paths]
        return [
            walk(getattr(row, place), rest) if rest else getattr(row, place)
            for place, rest in self._get
        ]

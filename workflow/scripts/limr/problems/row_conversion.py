"""Rows of one kind of file as another: JSON and csv to Arrow's types, and Arrow's to JSON and csv.

A file's types must be known before its first row is written, so that rows without a schema are
read twice: `schema` or `names` first, then `batches` or `write_text`.
"""

from __future__ import annotations

import csv
import datetime
import decimal
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from limr.core import packed
from limr.core.errors import InputError
from limr.problems.row_files import ROWS_AT_ONCE, Kind


def schema(rows: Iterable[dict[str, Any]], where: str) -> pa.Schema:
    """Return the columns and types that hold all rows; a key that some rows lack is null there.

    Whole numbers beside others become floats. Nothing else is changed to fit.

    Args:
        rows: JSON objects.
        where: their file, for messages.

    Raises:
        InputError: a column holds values of kinds that have no type in common.
    """
    found = pa.schema([])
    seen = 0
    for group in _groups(rows):
        try:
            fields = pa.array(group).type
            found = pa.unify_schemas([found, pa.schema(list(fields))], promote_options="permissive")
        except (pa.ArrowException, OverflowError, UnicodeError) as error:
            raise _mixed(where, seen, error) from None
        seen += len(group)
    return found


def batches(
    rows: Iterable[dict[str, Any]], columns: pa.Schema, where: str
) -> Iterator[pa.RecordBatch]:
    """Yield rows as Arrow batches of a schema that `schema` found.

    Raises:
        InputError: a value does not fit, such as a whole number beyond 2^53 among floats.
    """
    kind = pa.struct(list(columns))
    seen = 0
    for group in _groups(rows):
        try:
            yield pa.RecordBatch.from_struct_array(pa.array(group, kind))
        except (pa.ArrowException, OverflowError, UnicodeError) as error:
            raise _mixed(where, seen, error) from None
        seen += len(group)


def _groups(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    iterator = iter(rows)
    while group := list(islice(iterator, ROWS_AT_ONCE)):
        yield group


def _mixed(where: str, seen: int, error: Exception) -> InputError:
    return InputError(
        f"{where}: chosen rows from the {seen + 1:,}th on mix kinds of values in one column "
        f"({error}), which parquet and datasets cannot hold. Write .jsonl, or mend the column."
    )


def names(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Return the keys of all rows, in order of first appearance."""
    found: dict[str, None] = {}
    for row in rows:
        found.update(dict.fromkeys(row))
    return list(found)


def write_text(
    path: Path, target: Path, kind: Kind, rows: Iterable[dict[str, Any]], columns: Sequence[str]
) -> None:
    """Write rows as JSON lines, a JSON list, or csv.

    Args:
        path: where.
        target: the name that it will have, whose suffix says how it is packed and delimited.
        kind: jsonl, json or csv.
        rows: Python values.
        columns: of csv, in order.

    Raises:
        InputError: a value that text cannot hold, such as an image's bytes.
    """
    with packed.created(path, target) as file:
        if kind == "csv":
            sign = "\t" if packed.suffix(target) == ".tsv" else ","
            writer = csv.writer(_Encoded(file), delimiter=sign, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
            return
        before, between, last = (
            (b"[\n", b",\n", b"\n]\n") if kind == "json" else (b"", b"\n", b"\n")
        )
        for number, row in enumerate(rows):
            file.write((between if number else before) + _json(row))
        file.write(last)


class _Encoded:
    """A file of bytes to which csv's writer gives texts."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(text.encode())


def _cell(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return _json(value).decode()
    plain = value is None or isinstance(value, (str, int, float))
    return value if plain else _as_text(value)


def _json(value: Any) -> bytes:
    """Return a value as JSON: dates are texts, NaN and infinities null."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=_as_text)
        return text.encode()
    except UnicodeEncodeError:  # half of a character pair, which JSON can escape
        return json.dumps(value, allow_nan=False, default=_as_text).encode()
    except ValueError:
        return _json(_without_nan(value))


def _as_text(value: Any) -> str:
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (decimal.Decimal, datetime.timedelta)):
        return str(value)
    raise InputError(
        f"a column holds {type(value).__name__} ({str(value)[:40]}), which JSON and csv cannot. "
        "Write .parquet, or a folder of Hugging Face datasets."
    )


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value

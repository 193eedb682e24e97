"""One number a problem from a user's own file: scores or pass rates that were made anywhere else.

A JSON object {id: number}; or rows with an id and a number, as csv, JSON lines, a JSON list or
parquet. The id is in the column `problem_id`, or `id` where there is no such column.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from limr.core import files, packed
from limr.core.errors import InputError, nearest
from limr.problems import row_files

Floats = npt.NDArray[np.float64]
IDS = ("problem_id", "id")
_MOST_BYTES = 1 << 31  # of a JSON object, which is in memory as a whole
_SHOWN = 3


def read(path: str | Path, column: str) -> Mapping[str, float]:
    """Return id -> number; NaN where the file says that there is none (null, NaN, an empty cell).

    A file that did not change is read once only, as a score may be computed a thousand times.

    Args:
        path: the file.
        column: of the numbers, where the file has columns.

    Raises:
        InputError: no such file, not such a file, an id that is there twice, or a value that is no
            finite number.
    """
    try:
        state = Path(path).stat()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None
    return _read(Path(path), column, (state.st_mtime_ns, state.st_size, state.st_ino))


@lru_cache(maxsize=8)
def _read(path: Path, column: str, state: tuple[int, ...]) -> Mapping[str, float]:
    numbers: dict[str, float] = {}
    for where, key, value in _pairs(path, column):
        if key in numbers:
            raise InputError(f"{where}: '{key}' is there twice. Keep one of them.")
        numbers[key] = _number(value, f"{where}: '{key}'")
    if not numbers:
        raise InputError(f"{path}: it holds no numbers.")
    return MappingProxyType(numbers)


def _pairs(path: Path, column: str) -> Iterator[tuple[str, str, Any]]:
    """Yield the place, the id and the value of each number, as the file has them."""
    if packed.suffix(path) == ".json":
        with packed.opened(path) as file:
            begins = file.read(4096).lstrip()[:1]
        if begins == b"{" and (found := _object(path)) is not None:
            yield from ((str(path), *pair) for pair in found)
            return
    if row_files.kind_of(path) == "parquet":
        key = id_column(path, row_files.parquet_file(path).schema_arrow.names, column)
        table = files.read_columns(path, [key, column])
        pairs = zip(table[key].to_pylist(), table[column].to_pylist(), strict=True)
        for row, (one, value) in enumerate(pairs, start=1):
            yield f"{path}: row {row}", checked_id(one, f"{path}: row {row}"), value
        return
    for where, row in row_files.rows(path):
        if not isinstance(row, dict):
            raise InputError(f"{where}: expected a row with an id and '{column}', found {row!r}.")
        key = id_column(where, list(row), column)
        yield where, checked_id(row[key], where), row[column]


def _object(path: Path) -> list[tuple[str, Any]] | None:
    """Return the keys of a JSON object with their values, those that are there twice too.

    None where more follows the object: these are JSON lines.
    """
    with packed.opened(path) as file:
        raw = file.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise InputError(f"{path}: a JSON object over 2 GiB. Write it as JSON lines or parquet.")
    try:
        found: list[tuple[str, Any]] = json.loads(raw, object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        if getattr(error, "msg", "") == "Extra data":
            return None
        raise InputError(f"{path}: not valid JSON ({error}).") from None
    return found


def id_column(where: object, columns: Sequence[str], column: str) -> str:
    """Return the column of the ids, where the other column is there as well.

    Raises:
        InputError: one of the two is not there.
    """
    key = next((name for name in IDS if name in columns), None)
    if key is None:
        raise InputError(f"{where}: no column '{IDS[0]}' or '{IDS[1]}'; found {list(columns)}.")
    if column not in columns:
        raise InputError(f"{where}: no column '{column}'.{nearest(column, columns)}")
    twice = [name for name in (key, column) if columns.count(name) > 1]
    if twice:
        raise InputError(f"{where}: the column '{twice[0]}' is there twice.")
    return key


def checked_id(value: Any, where: str) -> str:
    """Return an id as a text.

    Raises:
        InputError: it is neither a text nor a whole number.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise InputError(f"{where}: the id must be a text or a whole number, found {value!r}.")
    return str(value)


def _number(value: Any, where: str) -> float:
    """Return a number, also of a text such as a cell of csv; NaN where there is none."""
    if value is None or value == "":
        return math.nan
    odd = isinstance(value, bool) or (isinstance(value, str) and "_" in value)  # float("1_0") is 10
    try:
        number = math.inf if odd else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.inf
    if math.isinf(number):
        raise InputError(f"{where}: expected a finite number, found {str(value)[:80]!r}.")
    return number


def aligned(
    numbers: Mapping[str, float], problem_ids: Sequence[str], path: str | Path
) -> tuple[Floats, list[str]]:
    """Return (n_problems,) the problems' numbers, NaN where there is none, and what was noticed.

    Raises:
        InputError: no id is a problem's.
    """
    values = np.array([numbers.get(key, math.nan) for key in problem_ids], np.float64)
    return values, unmatched(numbers, problem_ids, path)


def unmatched(ids: Collection[str], problem_ids: Sequence[str], path: str | Path) -> list[str]:
    """Return how many ids of a file are no problem's, in a sentence; empty where all are.

    Raises:
        InputError: none of them is a problem's.
    """
    unknown = set(ids) - set(problem_ids)
    if len(unknown) == len(ids):
        raise InputError(
            f"{path}: none of its {len(ids):,} ids is a problem's: it has {min(unknown)!r}, and "
            f"the problems {list(problem_ids[:1])}. Give both the same ids."
        )
    shown = ", ".join(map(repr, sorted(unknown)[:_SHOWN]))
    more = ", …" if len(unknown) > _SHOWN else ""
    text = f"{path}: {len(unknown):,} of its {len(ids):,} ids are no problem's: {shown}{more}."
    return [text] if unknown else []

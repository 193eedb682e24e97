"""Where two versions of one thing differ: by field, what was expected and what was found."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from limr.report.table_text import number

# Two machines may add numbers in another order; nothing that was changed by hand is so near.
TOLERANCE = 1e-9
_LONGEST = 80


@dataclass(frozen=True)
class Difference:
    """One field that is not what it should be: `field` says where within the file."""

    field: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.field}: expected {self.expected}, found {self.found}"


def shown(value: object) -> str:
    """Return a value for a terminal: short, on one line, without control characters."""
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _difference(field: str, expected: object, found: object) -> Difference:
    """Return a difference; long texts that start alike are shown from where they differ."""
    if isinstance(expected, str) and isinstance(found, str):
        pairs = enumerate(zip(expected, found, strict=False))
        shorter = min(len(expected), len(found))
        start = next((n for n, (one, other) in pairs if one != other), shorter) - _LONGEST // 4
        if start > _LONGEST // 4:
            return Difference(field, *(f"…{shown(text[start:])}" for text in (expected, found)))
    return Difference(field, shown(expected), shown(found))


def same(first: Any, second: Any, tolerance: float = TOLERANCE) -> bool:
    """Return whether two plain values are the same, numbers within a tolerance."""
    numbers = (int, float)
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, int) and isinstance(second, int):  # counts: one more in a billion, too
        return first == second
    if isinstance(first, numbers) and isinstance(second, numbers):
        if math.isnan(first) or math.isnan(second):
            return math.isnan(first) and math.isnan(second)
        return math.isclose(first, second, rel_tol=tolerance, abs_tol=tolerance)
    return bool(first == second)


def of_values(
    expected: Any, found: Any, field: str = "", *, tolerance: float = TOLERANCE
) -> Iterator[Difference]:
    """Yield the differences of two JSON values.

    Args:
        expected: one.
        found: the other.
        field: where they are within the file.
        tolerance: of numbers, absolute and relative: 0 for settings, which nothing computes.
    """
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for key in dict.fromkeys([*expected, *found]):
            at = f"{field}.{key}" if field else str(key)
            if key not in found:
                yield Difference(at, shown(expected[key]), "nothing")
            elif key not in expected:
                yield Difference(at, "nothing", shown(found[key]))
            else:
                yield from of_values(expected[key], found[key], at, tolerance=tolerance)
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from of_values(one, other, f"{field}[{number}]", tolerance=tolerance)
    elif not same(expected, found, tolerance):
        yield _difference(field or "the value", expected, found)


def of_tables(expected: pa.Table, found: pa.Table, keys: Sequence[str]) -> Iterator[Difference]:
    """Yield the first difference in each column of two tables whose rows have the same order.

    Args:
        expected: recomputed.
        found: the archived one, with the same columns.
        keys: columns that name a row, for messages.
    """
    if expected.num_rows != found.num_rows:
        yield Difference("rows", f"{expected.num_rows:,}", f"{found.num_rows:,}")
        return
    rows = [column.to_pylist() for column in (found[key] for key in keys)]
    for name in expected.column_names:
        one, other = expected[name].to_pandas(), found[name].to_pandas()
        differing = np.flatnonzero(~_equal(one, other))
        if len(differing):
            place = int(differing[0])
            row = " ".join(str(values[place]) for values in rows)
            more = f" ({len(differing):,} rows)" if len(differing) > 1 else ""
            yield _difference(f"{name} of {shown(row)}{more}", one.iloc[place], other.iloc[place])


def _equal(one: pd.Series, other: pd.Series) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if pd.api.types.is_float_dtype(one) and pd.api.types.is_float_dtype(other):
        values = one.to_numpy(float), other.to_numpy(float)
        close = np.isclose(*values, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
        return np.asarray(close, dtype=np.bool_)
    left, right = one.astype(object), other.astype(object)
    return np.asarray((left == right) | (left.isna() & right.isna()), dtype=np.bool_)


def of_cells(expected: str, found: str) -> Iterator[Difference]:
    """Yield the first differences of two tab-separated texts, cell by cell, else line by line."""
    ours, theirs = expected.split("\n"), found.split("\n")
    if len(ours) != len(theirs):
        yield Difference("lines", str(len(ours)), str(len(theirs)))
        return
    heads = ours[0].split("\t")
    for n, (one, other) in enumerate(zip(ours, theirs, strict=True), start=1):
        cells, others = one.split("\t"), other.split("\t")
        if one == other:
            continue
        if len(cells) != len(others) or len(cells) < 2:
            yield _difference(f"line {n}", one, other)
            continue
        for place, (cell, value) in enumerate(zip(cells, others, strict=True)):
            if cell != value and not same(number(cell), number(value)):
                column = heads[place] if place < len(heads) else str(place + 1)
                yield _difference(f"line {n}, column '{column}'", cell, value)

"""Numbers as logs write them: also as booleans, words and texts; and what is none."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from limr.trajectories.batch import Values
from limr.trajectories.curves import Flags, Floats, Ints

NUMBER, MISSING, NOT_FINITE, OTHER = range(4)  # what a value is that should be a number
_BOTH = np.full(2, NUMBER, np.int8)
_COUNTED = 2**20  # rows that are counted at a time
Codes: TypeAlias = npt.NDArray[Any]  # uint8 or int32
_WORDS = {
    "true": 1.0,
    "false": 0.0,
    "correct": 1.0,
    "incorrect": 0.0,
    "yes": 1.0,
    "no": 0.0,
    "right": 1.0,
    "wrong": 0.0,
    "pass": 1.0,
    "passed": 1.0,
    "fail": 0.0,
    "failed": 0.0,
}
MOST_SHOWN = 1000  # distinct values that are counted; a scale has more


@dataclass(frozen=True)
class Numbers:
    """A column of numbers, in which few values are met often: each is held once.

    Attributes:
        codes: (n_rows,) place of each row's value in what follows; uint8 where that suffices.
        values: (n_values,) numbers; NaN where there is none. One may be there twice.
        kinds: (n_values,) what each is: `NUMBER`, `MISSING`, `NOT_FINITE`, `OTHER`.
        shown: (n_values,) how the log writes each.
    """

    codes: Codes
    values: Floats
    kinds: npt.NDArray[np.int8]
    shown: list[str]

    @cached_property
    def counts(self) -> Ints:
        """(n_values,) rows that have each value."""
        found = np.zeros(len(self.values), np.int64)
        for begin in range(0, len(self.codes), _COUNTED):
            part = self.codes[begin : begin + _COUNTED]
            found += np.bincount(part, minlength=len(found))
        return found

    @property
    def row_values(self) -> Floats:
        """(n_rows,) numbers; NaN where there is none."""
        found: Floats = self.values[self.codes]
        return found

    @property
    def row_kinds(self) -> npt.NDArray[np.int8]:
        """(n_rows,) what each is."""
        found: npt.NDArray[np.int8] = self.kinds[self.codes]
        return found

    def of(self, rows: Any) -> Numbers:
        """Return some rows."""
        return Numbers(self.codes[rows], self.values, self.kinds, self.shown)


def as_numbers(values: Values) -> Numbers:
    """Return a column as numbers.

    Booleans count as 1 and 0, and so do words such as `correct`; texts of numbers are numbers.
    """
    if not isinstance(values, list):
        kind = values.type
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            null = values.is_null().to_numpy(zero_copy_only=False) if values.null_count else None
            filled = values.cast(pa.float64())
            filled = filled if null is None else filled.fill_null(math.nan)
            return _of_array(filled.to_numpy(zero_copy_only=False), null)
        values = values.to_pylist()
    types = set(map(type, values))
    if types <= {int, float} and types:
        with suppress(OverflowError):
            return _of_array(np.array(values, np.float64), None)
    if types == {bool}:
        return Numbers(np.array(values, np.uint8), np.array([0.0, 1.0]), _BOTH, ["false", "true"])
    seen: dict[tuple[type, Any], int] = {}
    met: list[tuple[float, int, str]] = []
    codes = np.empty(len(values), np.int32)
    for place, value in enumerate(values):
        key = (type(value), value if value.__hash__ else repr(value))
        code = seen.get(key)
        if code is None:
            code = seen[key] = len(met)
            met.append(number_of(value))
        codes[place] = code
    return Numbers(
        narrow(codes, len(met)),
        np.array([number for number, _, _ in met], np.float64),
        np.array([kind for _, kind, _ in met], np.int8),
        [text for _, _, text in met],
    )


def narrow(codes: Codes, n_values: int) -> Codes:
    """Return codes in as few bytes as they need."""
    return codes.astype(np.uint8 if n_values <= 256 else np.int32, copy=False)


def _of_array(numbers: Floats, null: Flags | None) -> Numbers:
    low, high = (numbers.min(), numbers.max()) if len(numbers) else (0.0, 0.0)
    upper: Flags = numbers == high
    both = null is None and math.isfinite(low) and math.isfinite(high)
    if both and (upper | (numbers == low)).all():  # most rewards have two values: no sorting
        values = np.array([low, high])
        return Numbers(upper.view(np.uint8), values, _BOTH, _texts(values))
    finite = np.isfinite(numbers)
    distinct, codes = np.unique(numbers[finite], return_inverse=True)
    all_codes = np.full(len(numbers), len(distinct) + 1, np.int64)
    all_codes[finite] = codes
    if null is not None:
        all_codes[null] = len(distinct)
    return Numbers(
        narrow(all_codes, len(distinct) + 2),
        np.r_[distinct, math.nan, math.nan],
        np.r_[np.zeros(len(distinct), np.int8), MISSING, NOT_FINITE].astype(np.int8),
        [*_texts(distinct), "null", "NaN or infinite"],
    )


def _texts(distinct: Floats) -> list[str]:
    many = len(distinct) > MOST_SHOWN
    return [repr(float(value)) if many else f"{value:g}" for value in distinct]


def number_of(value: Any) -> tuple[float, int, str]:
    """Return a value as a number, what it is, and how it is shown."""
    if value is None:
        return math.nan, MISSING, "null"
    if isinstance(value, bool):
        return float(value), NUMBER, "true" if value else "false"
    if isinstance(value, list) and len(value) == 1:
        return number_of(value[0])
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _WORDS:
            return _WORDS[word], NUMBER, repr(value)[:40]
        try:
            value = float(word)
        except ValueError:
            return math.nan, OTHER, repr(value)[:40]
    if isinstance(value, (int, float)):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number, NUMBER, f"{number:g}"
        return math.nan, NOT_FINITE, "NaN or infinite"
    return math.nan, OTHER, f"a {type(value).__name__}"

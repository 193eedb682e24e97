"""Numbers as logs write them: also as booleans, words and texts; and what is none."""

from __future__ import annotations

import math
from collections import Counter
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from limr.trajectories.batch import Values
from limr.trajectories.curves import Flags, Floats

NUMBER, MISSING, NOT_FINITE, OTHER = range(4)  # what a value is that should be a number
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


def as_numbers(values: Values) -> tuple[Floats, npt.NDArray[np.int8], Counter[str]]:
    """Return numbers (NaN where there is none), what each value is, and the values met.

    Booleans count as 1 and 0, and so do words such as `correct`; texts of numbers are numbers.
    """
    if not isinstance(values, list):
        kind = values.type
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            null = values.is_null().to_numpy(zero_copy_only=False)
            filled = values.cast(pa.float64()).fill_null(math.nan)
            return _of_array(filled.to_numpy(zero_copy_only=False), null)
        values = values.to_pylist()
    types = set(map(type, values))
    if types <= {int, float} and types:
        with suppress(OverflowError):
            return _of_array(np.array(values, np.float64), np.zeros(len(values), bool))
    if types == {bool}:
        flags = np.array(values, np.float64)
        right = int(flags.sum())
        met = {"true": right, "false": len(values) - right}
        return flags, np.zeros(len(values), np.int8), Counter({k: n for k, n in met.items() if n})
    seen: dict[tuple[type, Any], tuple[float, int, str]] = {}
    numbers, kinds = np.empty(len(values)), np.empty(len(values), np.int8)
    met = Counter()
    for place, value in enumerate(values):
        key = (type(value), value if value.__hash__ else repr(value))
        found = seen.get(key)
        if found is None:
            found = seen[key] = number_of(value)
        numbers[place], kinds[place] = found[:2]
        met[found[2]] += 1
    return numbers, kinds, met


def _of_array(numbers: Floats, null: Flags) -> tuple[Floats, npt.NDArray[np.int8], Counter[str]]:
    finite = np.isfinite(numbers)
    kinds = np.where(null, MISSING, np.where(finite, NUMBER, NOT_FINITE)).astype(np.int8)
    distinct, counts = np.unique(numbers[finite], return_counts=True)
    met: Counter[str] = Counter()
    for value, n in zip(distinct[: MOST_SHOWN + 1], counts, strict=False):
        met[f"{value:g}" if len(distinct) <= MOST_SHOWN else repr(value)] += int(n)
    if null.any():
        met["null"] = int(null.sum())
    if (~finite & ~null).any():
        met["NaN or infinite"] = int((~finite & ~null).sum())
    return np.where(finite, numbers, math.nan), kinds, met


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

"""Correct samples and samples, from whatever a source publishes: `5/8`, counts, or rates alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from limr.core.errors import InputError
from limr.trajectories.curves import Flags, Floats, Ints
from limr.trajectories.findings import Findings
from limr.trajectories.numbers import MISSING, NUMBER, number_of

TEXT = re.compile(r"^\s*(\d{1,6})\s*/\s*(\d{1,6})\s*$")
MOST_SAMPLES = 256
_NEAR = 1e-6  # rates may be written with few digits
_ROUNDED = 0.005  # rates of a given n may be rounded to two digits


def smallest_samples(rates: Floats) -> int | None:
    """Return the smallest n, up to `MOST_SAMPLES`, of which all rates are whole parts; else None.

    Args:
        rates: from 0 to 1, any shape, none missing.
    """
    values = np.unique(rates)
    for n in range(1, MOST_SAMPLES + 1):
        if (np.abs(values * n - np.rint(values * n)) <= _NEAR * n).all():
            return n
    return None


def off(rates: Floats, n: int, *, rounded: bool = False) -> Floats:
    """Return how far rates are from the nearest k / n, 0 where as near as rates are written.

    Args:
        rates: from 0 to 1.
        n: samples.
        rounded: whether rates may be rounded to two digits.
    """
    far = np.abs(rates - np.rint(rates * n) / n)
    near = _ROUNDED if rounded else _NEAR
    return np.where(far <= near, 0.0, far)


def of_texts(values: Sequence[Any], places: Sequence[str]) -> tuple[Ints, Ints]:
    """Return (n_rows,) k and n of texts `k/n`; 0 and 0 where there is none.

    Raises:
        InputError: another text, or k above n.
    """
    pairs = [_of_text(value, where) for value, where in zip(values, places, strict=True)]
    correct, n = np.array(pairs, np.int64).reshape(-1, 2).T
    return correct, n


def _of_text(value: Any, where: str) -> tuple[int, int]:
    if value is None:
        return 0, 0
    match = TEXT.match(value) if isinstance(value, str) else None
    k, n = (int(match[1]), int(match[2])) if match else (1, 0)
    if k > n:
        raise InputError(f"{where}: {value!r} is no k/n with k from 0 to n.")
    return k, n


def numbers(values: Sequence[Any], column: str, places: Sequence[str]) -> Floats:
    """Return (n_rows,) numbers; NaN where there is none.

    Raises:
        InputError: a value that is no number.
    """
    found = np.full(len(values), np.nan)
    for place, value in enumerate(values):
        number, kind, shown = number_of(value)
        if kind not in (NUMBER, MISSING) and not (isinstance(value, float) and np.isnan(value)):
            raise InputError(f"{places[place]}: '{column}' is {shown}: expected a number.")
        found[place] = number
    return found


def whole(
    correct: Floats, total: Floats, known: Flags, column: str, places: Sequence[str]
) -> tuple[Ints, Ints]:
    """Return (n_rows,) counts as whole numbers; 0 and 0 where not `known`.

    Raises:
        InputError: counts that cannot be.
    """
    with np.errstate(invalid="ignore"):
        odd = known & ((correct < 0) | (correct > total) | (correct % 1 != 0) | (total % 1 != 0))
    if odd.any():
        row = int(np.argmax(odd))
        raise InputError(
            f"{places[row]}: '{column}': {correct[row]:g} correct of {total[row]:g} samples cannot "
            f"be ({int(odd.sum()):,} such rows). Give the number of samples: `samples: N`."
        )
    n = np.where(known, total, 0).astype(np.int64)
    return np.where(known, correct, 0).astype(np.int64), n


def of_shares(
    values: Floats, known: Flags, column: str, samples: int | None, places: Sequence[str],
    found: Findings,
) -> tuple[Ints, Ints]:  # fmt: skip
    """Return (n_rows,) k and n of rates; 0 and 0 where not `known`.

    Raises:
        InputError: a rate outside 0 to 1, or that is no k of n.
    """
    rates = np.where(known, values, 0.0)
    outside = (rates < 0) | (rates > 1)
    n = samples or smallest_samples(np.where(outside, 0, rates))
    far = off(rates, n or MOST_SAMPLES, rounded=samples is not None)
    odd = outside | (far > 0)
    if n is None or odd.any():
        row = int(np.argmax(outside if outside.any() else far))
        what = (
            "lies outside 0 to 1" if outside.any() else f"is no k of {n}" if n
            else f"is no k of an n up to {MOST_SAMPLES} that fits all"
        )  # fmt: skip
        raise InputError(
            f"{places[row]}: '{column}': {rates[row]:.6g} {what}. Give the number of samples "
            "behind the rates: `samples: N`."
        )
    if samples is None:
        found.add(
            "guessed-samples",
            f"'{column}' does not say of how many samples its rates are. {n} is taken, the least "
            "number of which all are whole parts: a guess, on which intervals and classes rest. "
            "Say it by `samples: N`.",
            "warning",
        )
    correct = np.rint(rates * n).astype(np.int64)
    return np.where(known, correct, 0), np.where(known, n, 0)

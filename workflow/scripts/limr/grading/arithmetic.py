"""Numbers that are exact where they can be, and have 50 digits where not."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

DIGITS = 50
AGREE = 1e-30  # relative difference of equal values

Value = Any  # Fraction, mpf, mpc, or a matrix as a tuple of rows


class UndefinedError(ArithmeticError):
    """An expression has no value at a point: a root of a negative number, a division by zero."""


def context() -> Any:
    """Return mpmath's numbers, of 50 digits."""
    import mpmath  # type: ignore[import-untyped]  # imported when first needed

    if mpmath.mp.dps != DIGITS:
        mpmath.mp.dps = DIGITS
    return mpmath.mp


def to_float(value: Value) -> Value:
    """Return a fraction as a number of 50 digits, anything else unchanged."""
    if isinstance(value, Fraction):
        mp = context()
        return mp.mpf(value.numerator) / value.denominator
    return value


def divide(first: Value, second: Value) -> Value:
    """Return a quotient, exact where both are."""
    if isinstance(first, Fraction) and isinstance(second, Fraction):
        return first / second
    return to_float(first) / to_float(second)


def tidy(value: Value) -> Value:
    """Return a complex number without an imaginary part as a real one."""
    if hasattr(value, "_mpc_") and abs(value.imag) <= AGREE * abs(value.real):
        return value.real
    return value

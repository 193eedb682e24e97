"""Numbers that are exact where they can be, and have 50 digits where not."""

from __future__ import annotations

import threading
from fractions import Fraction
from typing import Any

DIGITS = 50
AGREE = 1e-30  # relative difference of equal values of 50 digits
_GUARD = 20  # digits of any number that rounding may have spoilt

Value = Any  # Fraction, mpf, mpc, or a matrix as a tuple of rows


class UndefinedError(ArithmeticError):
    """An expression has no value at a point: a root of a negative number, a division by zero."""


_CONTEXTS = threading.local()  # mpmath changes the digits of a context while it computes


def context(digits: int = DIGITS) -> Any:
    """Return mpmath's numbers of so many digits, this thread's own."""
    from mpmath.ctx_mp import MPContext  # type: ignore[import-untyped]  # when first needed

    found = vars(_CONTEXTS).get(str(digits))
    if found is None:
        found = MPContext()
        found.dps = digits
        setattr(_CONTEXTS, str(digits), found)
    return found


def tolerance(digits: int = DIGITS) -> Value:
    """Return the relative difference that equal values of so many digits may have."""
    return AGREE if digits == DIGITS else context(digits).mpf(10) ** (_GUARD - digits)


def to_float(value: Value, digits: int = DIGITS) -> Value:
    """Return a fraction as a number of so many digits, anything else unchanged."""
    if isinstance(value, Fraction):
        return context(digits).mpf(value.numerator) / value.denominator
    return value


def divide(first: Value, second: Value, digits: int = DIGITS) -> Value:
    """Return a quotient, exact where both are."""
    if isinstance(first, Fraction) and isinstance(second, Fraction):
        return first / second
    return to_float(first, digits) / to_float(second, digits)


def tidy(value: Value, digits: int = DIGITS) -> Value:
    """Return a complex number without an imaginary part as a real one."""
    if hasattr(value, "_mpc_") and abs(value.imag) <= tolerance(digits) * abs(value.real):
        return value.real
    return value

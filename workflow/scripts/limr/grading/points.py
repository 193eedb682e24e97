"""The value of an expression at one point, exact or to a number of digits."""

from __future__ import annotations

import hashlib
import math
from fractions import Fraction

from limr.grading.arithmetic import (
    DIGITS,
    UndefinedError,
    Value,
    context,
    divide,
    tidy,
    to_float,
    tolerance,
)
from limr.grading.nodes import Node, is_free
from limr.grading.precision import Sums
from limr.grading.tokens import NotUnderstoodError

POINTS = 8  # further ones are nearer, for what is too large at one of these
SIZES = Fraction(1), Fraction(1, 7), Fraction(10), Fraction(100)  # of symbols, point by point
MAX_BITS = 100_000  # of an exact number
MAX_FACTORIAL = 5_000
MAX_ARGUMENT = 10**9  # of a function
MAX_LOGARITHM = 1e12  # of a number that is computed at all


class Point:
    """A point: what each symbol is, and how roots of negative numbers are taken.

    `sums` is what the sums that were computed hid and lost (see `limr.grading.precision`).
    """

    def __init__(
        self, number: int, *, is_complex: bool, positive: bool, digits: int = DIGITS
    ) -> None:
        self._place, self._complex, self._positive = number, is_complex, positive
        self._digits, self._numbers, self.sums = digits, context(digits), Sums()
        self._close = tolerance(digits)

    def value(self, node: Node) -> Value:
        """Return the value of a node here."""
        value = getattr(self, f"_{node.op}")(node)
        if isinstance(value, Fraction):
            bits = value.numerator.bit_length() + value.denominator.bit_length()
            if bits > MAX_BITS:
                raise NotUnderstoodError("a number of too many digits")
        return value

    def _float(self, value: Value) -> Value:
        return to_float(value, self._digits)

    def _args(self, node: Node) -> list[Value]:
        return [self.value(one) for one in node.args]

    def _number(self, node: Node) -> Value:
        return node.value

    def _symbol(self, node: Node) -> Value:
        return self.draw(node.name)

    def draw(self, name: str, extra: str = "") -> Fraction:
        """Return the fraction that a name stands for here."""
        seed = hashlib.blake2b(f"{name}|{extra}|{self._place}".encode(), digest_size=8).digest()
        size = SIZES[self._place % 4] if self._place < POINTS else Fraction(1, 3)
        drawn = size * Fraction(200 + int.from_bytes(seed[:4], "big") % 2_000, 997)
        is_negative = self._place >= 2 and seed[5] % 2 and not self._positive
        return -drawn if is_negative else drawn

    def _constant(self, node: Node) -> Value:
        mp = self._numbers
        if node.name == "infty":
            return self.draw("\\infty")
        return {"pi": +mp.pi, "e": +mp.e, "i": mp.mpc(0, 1)}[node.name]

    def _apply(self, node: Node) -> Value:
        total: Value = self.draw(node.name)
        for place, value in enumerate(self._args(node)):  # any quadratic function will do
            middle, high = (self.draw(node.name, f"{extra}{place}") for extra in "ab")
            square = self._times(high, self._times(value, value))
            total = self._sum([total, self._times(middle, value), square])
        return total

    def _pm(self, node: Node) -> Value:
        (value,) = self._args(node)
        return self._times(self.draw("\\pm"), value)

    def _mp(self, node: Node) -> Value:
        (value,) = self._args(node)
        return self._times(-self.draw("\\pm"), value)

    def _add(self, node: Node) -> Value:
        return self._sum(self._args(node))

    def _sum(self, values: list[Value]) -> Value:
        total = values[0]
        for value in values[1:]:
            if isinstance(total, tuple) or isinstance(value, tuple):
                total = _add_matrices(total, value, self)
            elif isinstance(total, Fraction) and isinstance(value, Fraction):
                total += value
            else:
                terms = self._float(total), self._float(value)
                total = terms[0] + terms[1]
                if abs(total) < self._close * 1e-5 * max(map(abs, terms)):
                    total = Fraction(0)
                self.sums.note(terms, total)
        return total

    def _mul(self, node: Node) -> Value:
        first, second = self._args(node)
        return self._times(first, second)

    def _times(self, first: Value, second: Value) -> Value:
        if isinstance(first, tuple) and isinstance(second, tuple):
            return _multiply_matrices(first, second, self)
        if isinstance(first, tuple):
            first, second = second, first
        if isinstance(second, tuple):
            return tuple(tuple(self._times(first, one) for one in row) for row in second)
        if isinstance(first, Fraction) and isinstance(second, Fraction):
            return first * second
        return self._float(first) * self._float(second)

    def _div(self, node: Node) -> Value:
        first, second = self._args(node)
        if isinstance(second, tuple):
            raise NotUnderstoodError("a division by a matrix")
        if not second:
            raise UndefinedError
        if isinstance(first, tuple):
            return self._times(divide(Fraction(1), second, self._digits), first)
        return divide(first, second, self._digits)

    def _power(self, node: Node) -> Value:
        base, exponent = self._args(node)
        if isinstance(base, tuple) or isinstance(exponent, tuple):
            raise NotUnderstoodError("a power of a matrix")
        return self._raised(base, exponent, constant=not is_free(node.args[1]))

    def _raised(self, base: Value, exponent: Value, *, constant: bool) -> Value:
        if isinstance(exponent, Fraction) and exponent.denominator == 1:
            whole = int(exponent)
            if not base:
                if whole <= 0:
                    raise UndefinedError
                return Fraction(0)
            if isinstance(base, Fraction):
                bits = max(base.numerator.bit_length(), base.denominator.bit_length())
                if bits * abs(whole) <= MAX_BITS:
                    return base**whole
        if not base:
            raise UndefinedError
        mp, base = self._numbers, tidy(self._float(base), self._digits)
        power = self._float(exponent)
        if abs(power * mp.log(abs(base))) > MAX_LOGARITHM:
            # The same only as the same power, whatever the digits.
            return self.draw(f"{mp.nstr(base, 40)}^{mp.nstr(power, 40)}")
        if constant and not hasattr(base, "_mpc_") and base < 0 and isinstance(exponent, Fraction):
            return self._root_of_negative(base, exponent)
        return tidy(mp.power(base, power), self._digits)

    def _root_of_negative(self, base: Value, exponent: Fraction) -> Value:
        mp = self._numbers
        if exponent.denominator % 2:  # an odd root of a negative number is negative
            value = mp.power(-base, self._float(exponent))
            return -value if exponent.numerator % 2 else value
        if not self._complex:
            raise UndefinedError
        return tidy(mp.power(base, self._float(exponent)), self._digits)

    def _root(self, node: Node) -> Value:
        base, index = self._args(node)
        if isinstance(base, tuple) or isinstance(index, tuple) or not index:
            raise NotUnderstoodError("a root of a matrix")
        if not base:
            return Fraction(0)
        return self._raised(base, divide(Fraction(1), index, self._digits), constant=True)

    def _abs(self, node: Node) -> Value:
        (value,) = self._args(node)
        if isinstance(value, tuple):
            raise NotUnderstoodError("the size of a matrix")
        return abs(value)

    def _floor(self, node: Node) -> Value:
        return self._rounded(node, "floor")

    def _ceil(self, node: Node) -> Value:
        return self._rounded(node, "ceil")

    def _rounded(self, node: Node, name: str) -> Value:
        (value,) = self._args(node)
        _refuse_large(value)
        return Fraction(int(getattr(self._numbers, name)(self._float(value).real)))

    def _degree(self, node: Node) -> Value:
        return self._times(self._args(node)[0], self._numbers.pi / 180)

    def _factorial(self, node: Node) -> Value:
        (value,) = self._args(node)
        if isinstance(value, Fraction) and value.denominator == 1:
            return _whole_factorial(int(value), self)
        if not isinstance(value, Fraction):
            raise NotUnderstoodError("a factorial of no whole number")
        _refuse_large(value)
        return self._numbers.gamma(self._float(value) + 1)

    def _binomial(self, node: Node) -> Value:
        above, below = self._args(node)
        if isinstance(above, tuple) or isinstance(below, tuple):
            raise NotUnderstoodError("a binomial of a matrix")
        whole = all(isinstance(one, Fraction) and one.denominator == 1 for one in (above, below))
        if whole and 0 <= below <= above:
            parts = [_whole_factorial(int(one), self) for one in (above, below, above - below)]
            return parts[0] / (parts[1] * parts[2])
        _refuse_large(above)
        _refuse_large(below)
        return self._numbers.binomial(self._float(above), self._float(below))

    def _matrix(self, node: Node) -> Value:
        return tuple(tuple(self._args(row)) for row in node.args)

    def _transpose(self, node: Node) -> Value:
        (value,) = self._args(node)
        if not isinstance(value, tuple):
            raise NotUnderstoodError("a transposed number")
        return tuple(zip(*value, strict=True))

    def _function(self, node: Node) -> Value:
        value, *base = (self._float(one) for one in self._args(node))
        if isinstance(value, tuple) or any(isinstance(one, tuple) for one in base):
            raise NotUnderstoodError("a function of a matrix")
        mp, name = self._numbers, node.name
        if name in ("ln", "log"):
            return self._logarithm(name, value, base)
        _refuse_large(value)
        if name in ("arcsin", "arccos") and not self._complex and abs(value) > 1:
            raise UndefinedError
        if name == "cis":
            return mp.cos(value) + mp.mpc(0, 1) * mp.sin(value)
        called = getattr(mp, {"arc": "a"}.get(name[:3], "") + name.removeprefix("arc"))
        found = tidy(called(value), self._digits)
        if not mp.isfinite(found):
            raise UndefinedError
        if name.endswith("h"):  # the sums that hyperbolic functions are
            self.sums.note((mp.exp(value), mp.exp(-value)), found)
        is_zero = name[-3:] in ("sin", "cos", "tan", "cot") and abs(found) < self._close * 1e-15
        return Fraction(0) if is_zero else found

    def _logarithm(self, name: str, value: Value, base: list[Value]) -> Value:
        mp, value = self._numbers, tidy(value, self._digits)
        if not value or (not self._complex and value < 0):
            raise UndefinedError
        found = mp.log(value)
        below = mp.log(base[0]) if base else mp.log(10) if name == "log" else mp.mpf(1)
        if not below:
            raise UndefinedError
        return tidy(found / below, self._digits)


def _refuse_large(value: Value) -> None:
    """Refuse an argument whose function would take long to compute."""
    if isinstance(value, tuple) or abs(value) > MAX_ARGUMENT:
        raise NotUnderstoodError("a function of too large a number")


def _whole_factorial(value: int, at: Point) -> Fraction:
    if value < 0:
        raise UndefinedError
    if value > MAX_FACTORIAL:
        return at.draw(f"{value}!")  # the same only as the same factorial
    return Fraction(math.factorial(value))


def _add_matrices(first: Value, second: Value, at: Point) -> Value:
    if not isinstance(first, tuple) or not isinstance(second, tuple):
        raise NotUnderstoodError("a number and a matrix")
    if len(first) != len(second) or len(first[0]) != len(second[0]):
        raise NotUnderstoodError("matrices of different shapes")
    return tuple(
        tuple(at._sum([a, b]) for a, b in zip(row, other, strict=True))
        for row, other in zip(first, second, strict=True)
    )


def _multiply_matrices(first: Value, second: Value, at: Point) -> Value:
    if len(first[0]) != len(second):
        raise NotUnderstoodError("matrices of different shapes")
    columns = list(zip(*second, strict=True))
    return tuple(
        tuple(
            at._sum([at._times(a, b) for a, b in zip(row, column, strict=True)])
            for column in columns
        )
        for row in first
    )

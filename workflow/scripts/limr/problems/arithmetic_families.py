r"""The families of the generated arithmetic problems: every problem of each, with its working.

Each family lists all its items, a few hundred to a few thousand, so that counts are exact and
nothing is drawn twice. An item's `key` is the same for prompts that differ only by the order of the
terms, so that such twins are always in the same part: training, held out or warm-up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm


@dataclass(frozen=True)
class Item:
    r"""One problem: `working` is the worked solution up to the answer, e.g. `22-7=15,15/3=`."""

    prompt: str
    answer: str
    working: str
    key: str


@dataclass(frozen=True)
class Family:
    """A kind of problem at one level, 1 (easy) to 6 (hard)."""

    name: str
    level: int
    items: Callable[[], Iterator[Item]]


def _item(left: str, answer: int | Fraction, working: str, key: str | None = None) -> Item:
    return Item(f"{left}=?", str(answer), working, key or left)


def _equation(equation: str, x: int, working: str) -> Item:
    return Item(f"{equation},x=?", str(x), working, equation)


def _commuted(sign: str, a: object, b: object) -> str:
    return sign.join(sorted((str(a), str(b))))


def _sums() -> Iterator[Item]:
    for a in range(20):
        for b in range(20):
            if min(a, b) < 10:
                yield _item(f"{a}+{b}", a + b, f"{a}+{b}=", _commuted("+", a, b))


def _differences() -> Iterator[Item]:
    for a in range(20):
        for b in range(min(a, 9) + 1):
            yield _item(f"{a}-{b}", a - b, f"{a}-{b}=")


def _two_digit_sums() -> Iterator[Item]:
    for a in range(10, 100):
        for b in range(10, 100):
            tens, units = a // 10 * 10 + b // 10 * 10, a % 10 + b % 10
            if max(a, b) >= 20:
                yield _item(f"{a}+{b}", a + b, f"{tens}+{units}=", _commuted("+", a, b))


def _products() -> Iterator[Item]:
    for a in range(2, 13):
        for b in range(2, 13):
            if min(a, b) < 10:
                yield _item(f"{a}*{b}", a * b, f"{a}*{b}=", _commuted("*", a, b))


def _two_digit_differences() -> Iterator[Item]:
    for a in range(20, 100):
        for b in range(10, a):
            tens = b // 10 * 10
            yield _item(f"{a}-{b}", a - b, f"{a}-{tens}={a - tens},{a - tens}-{b % 10}=")


def _three_terms() -> Iterator[Item]:
    for a in range(10, 30):
        for b in range(2, 10):
            for c in range(2, 10):
                up, down = a + b, a - b
                yield _item(f"{a}+{b}-{c}", up - c, f"{a}+{b}={up},{up}-{c}=")
                yield _item(f"{a}-{b}+{c}", down + c, f"{a}-{b}={down},{down}+{c}=")


def _product_and_term() -> Iterator[Item]:
    for a in range(2, 10):
        for b in range(2, 10):
            ab = a * b
            for c in range(2, 30):
                yield _item(f"{a}*{b}+{c}", ab + c, f"{a}*{b}={ab},{ab}+{c}=")
                if c < ab:
                    yield _item(f"{a}*{b}-{c}", ab - c, f"{a}*{b}={ab},{ab}-{c}=")


def _one_step_equations() -> Iterator[Item]:
    for x in range(2, 50):
        for b in range(2, 50):
            yield _equation(f"x+{b}={x + b}", x, f"{x + b}-{b}=")
            if x > b:
                yield _equation(f"x-{b}={x - b}", x, f"{x - b}+{b}=")


def _linear_equations() -> Iterator[Item]:
    for a in range(2, 10):
        for x in range(2, 13):
            ax = a * x
            for b in range(1, 21):
                yield _equation(f"{a}x+{b}={ax + b}", x, f"{ax + b}-{b}={ax},{ax}/{a}=")
                if b < ax:
                    yield _equation(f"{a}x-{b}={ax - b}", x, f"{ax - b}+{b}={ax},{ax}/{a}=")


def _brackets() -> Iterator[Item]:
    for a in range(2, 10):
        for b in range(2, 13):
            for c in range(2, 10):
                total, rest = b + c, b - c
                key = f"{a}*({_commuted('+', b, c)})"
                yield _item(f"{a}*({b}+{c})", a * total, f"{b}+{c}={total},{a}*{total}=", key)
                if rest > 1:
                    yield _item(f"{a}*({b}-{c})", a * rest, f"{b}-{c}={rest},{a}*{rest}=")


def _two_digit_products() -> Iterator[Item]:
    for a in range(11, 50):
        for b in range(11, 20):
            parts = f"{a * 10}+{a * (b - 10)}="
            yield _item(f"{a}*{b}", a * b, parts, _commuted("*", a, b))


def _fraction_sums() -> Iterator[Item]:
    proper = [(p, q) for q in range(2, 10) for p in range(1, q) if gcd(p, q) == 1]
    for p, q in proper:
        for r, s in proper:
            common = lcm(q, s)
            left, right = p * (common // q), r * (common // s)
            yield _item(
                f"{p}/{q}+{r}/{s}",
                Fraction(left + right, common),
                f"{left}/{common}+{right}/{common}=",
                _commuted("+", f"{p}/{q}", f"{r}/{s}"),
            )


FAMILIES = (
    Family("sums", 1, _sums),
    Family("differences", 1, _differences),
    Family("two-digit sums", 2, _two_digit_sums),
    Family("products", 2, _products),
    Family("two-digit differences", 3, _two_digit_differences),
    Family("three terms", 3, _three_terms),
    Family("product and term", 4, _product_and_term),
    Family("one-step equations", 4, _one_step_equations),
    Family("linear equations", 5, _linear_equations),
    Family("brackets", 5, _brackets),
    Family("two-digit products", 6, _two_digit_products),
    Family("fraction sums", 6, _fraction_sums),
)

"""Units with their dimension and scale, so that 60 m/s is not 60 km/h and 5 kg is 5000 g."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, reduce
from operator import mul

MAX_EXPONENT = 12
Dimension = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Unit:
    """A unit; one that is not known has `words` only: what is counted.

    `beside` are words that stand with a known unit: `north` in 3 km north.
    """

    dimension: Dimension = ()
    scale: Fraction = Fraction(1)
    words: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()

    @property
    def is_known(self) -> bool:
        """Whether dimension and scale say all."""
        return not self.words

    def __mul__(self, other: Unit) -> Unit:
        """Return the product of two known units."""
        exponents = dict(self.dimension)
        for base, exponent in other.dimension:
            exponents[base] = exponents.get(base, 0) + exponent
        kept = tuple(sorted((base, n) for base, n in exponents.items() if n))
        return Unit(kept, self.scale * other.scale)

    def __pow__(self, exponent: int) -> Unit:
        """Return a power with a small whole exponent."""
        if abs(exponent) > MAX_EXPONENT:
            raise ValueError("a unit to a large power")
        dimension = tuple((base, n * exponent) for base, n in self.dimension if exponent)
        return Unit(dimension, self.scale**exponent)


PERCENT = Unit((("percent", 1),))
DEGREE = Unit((("degree", 1),))
RADIAN = Unit((("radian", 1),))
_PREFIXES = (  # symbol, name, power of ten
    ("T", "tera", 12), ("G", "giga", 9), ("M", "mega", 6), ("k", "kilo", 3), ("K", "kilo", 3),
    ("h", "hecto", 2),
    ("da", "deca", 1), ("d", "deci", -1), ("c", "centi", -2), ("m", "milli", -3),
    ("μ", "micro", -6), ("u", "micro", -6), ("n", "nano", -9), ("p", "pico", -12),
)  # fmt: skip
# Symbols and names that take prefixes: scale in the base units behind them.
_METRIC = """
m meter metre | 1 m
g gram gramme | 1/1000 kg
s sec second | 1 s
A amp ampere | 1 A
K kelvin | 1 K
mol mole | 1 mol
Hz hertz | 1 s-1
N newton | 1 kg m s-2
J joule | 1 kg m2 s-2
W watt | 1 kg m2 s-3
Wh watt-hour | 3600 kg m2 s-2
Pa pascal | 1 kg m-1 s-2
V volt | 1 kg m2 s-3 A-1
C coulomb | 1 A s
F farad | 1 kg-1 m-2 s4 A2
Ω ohm | 1 kg m2 s-3 A-2
T tesla | 1 kg s-2 A-1
Wb weber | 1 kg m2 s-2 A-1
L l liter litre | 1/1000 m3
eV electronvolt | 1602176634/10000000000000000000000000000 kg m2 s-2
cal calorie | 4184/1000 kg m2 s-2
bit | 1 bit
B byte | 8 bit
t ton tonne | 1000 kg
"""
_OTHERS = """
min minute | 60 s
h hr hour | 3600 s
d day | 86400 s
week | 604800 s
month | 1 month
yr year | 12 month
decade | 120 month
century | 1200 month
in inch inche | 254/10000 m
ft foot feet | 3048/10000 m
yd yard | 9144/10000 m
mi mile | 1609344/1000 m
mph | 44704/100000 m s-1
kph kmh | 1000/3600 m s-1
gm | 1/1000 kg
lb pound | 45359237/100000000 kg
oz ounce | 45359237/1600000000 kg
acre | 40468564224/10000000 m2
ha hectare | 10000 m2
gal gallon | 16 cup
qt quart | 4 cup
pt pint | 2 cup
cup | 1 cup
$ dollar usd buck | 1 dollar
¢ cent penny pennies | 1/100 dollar
€ euro eur | 1 euro
£ gbp | 1 sterling
¥ yuan 元 rmb yen | 1 yuan
₹ rupee | 1 rupee
degree deg | 1 degree
rad radian | 1 radian
celsius °C | 1 celsius
fahrenheit °F | 1 fahrenheit
percent % | 1 percent
unit | 1 unit
dB decibel | 1 decibel
bar | 100000 kg m-1 s-2
atm | 101325 kg m-1 s-2
厘米 | 1/100 m
毫米 | 1/1000 m
千米 公里 | 1000 m
米 | 1 m
秒 | 1 s
分钟 | 60 s
小时 | 3600 s
天 | 86400 s
千克 公斤 | 1 kg
克 | 1/1000 kg
平方厘米 | 1/10000 m2
平方米 | 1 m2
立方厘米 | 1/1000000 m3
立方米 | 1 m3
"""


_SINGULAR = {"people": "person", "men": "man", "women": "woman", "children": "child"}


@cache
def _table() -> dict[str, Unit]:
    found: dict[str, Unit] = {}
    for line in _METRIC.strip().splitlines():
        names, unit = _row(line)
        for name in names:
            for symbol, prefix, power in _PREFIXES:
                size = Unit((), Fraction(10) ** power)
                is_symbol = len(name) <= 3 and name not in ("bit", "ton", "amp", "ohm", "sec")
                found.setdefault((symbol if is_symbol else prefix) + name, size * unit)
    for line in [*_METRIC.strip().splitlines(), *_OTHERS.strip().splitlines()]:
        names, unit = _row(line)
        found.update(dict.fromkeys(names, unit))
    return found


def _row(line: str) -> tuple[list[str], Unit]:
    names, _, rest = line.partition(" | ")
    size, *bases = rest.split()
    unit = Unit((), Fraction(size))
    for base in bases:
        name = base.rstrip("-0123456789")
        unit *= Unit(((name, int(base[len(name) :] or 1)),))
    return names.split(), unit


@cache
def find(name: str) -> Unit | None:
    """Return the unit of a symbol (case counts) or of a name in any case, singular or plural."""
    table = _table()
    if name in table:
        return table[name]
    low = name.casefold()
    for spelled in (low, low.removesuffix("s"), low.removesuffix("es")):
        if len(spelled) > 2 and spelled in table:
            return table[spelled]
    plural = name.removesuffix("s")
    return table.get(plural) if plural in ("hr", "yr", "lb", "min", "mi", "yd", "kg") else None


def product(parts: Sequence[Unit | None]) -> Unit | None:
    """Return the unit of `kilowatt-hours` by its parts, None where one is none."""
    known = [part for part in parts if part is not None]
    return reduce(mul, known) if len(known) == len(parts) > 1 else None


def is_name(name: str) -> bool:
    """Tell whether a text names a unit."""
    return find(name) is not None


def counted(phrase: Sequence[str]) -> Unit:
    """Return a unit that is not known: the words of what is counted."""
    stems = (word.casefold().removesuffix("s") for word in phrase)
    return Unit(words=frozenset(_SINGULAR.get(stem, stem) for stem in stems))

r"""What may be given to an algebra system: short, flat and cheap expressions only.

Used by the presets that call math-verify. Everything here is a linear scan; a refused text counts
as not equal.
"""

from __future__ import annotations

import re

MAX_LENGTH = 400
MAX_DEPTH = 12
MAX_EXPONENT = 1000
MAX_POWER = 2_000  # product of the exponents of numbers and bracketed bases
MAX_FACTORIAL = 20
MAX_BINOMIAL = 100
MAX_DIGITS = 60  # of one number
_COSTLY = re.compile(
    r"\\(?:sum|prod|int|oint|iint|lim|bigcup|bigcap|cdots|ldots|dots)(?![a-zA-Z])|\.\.\.|__"
)
_EXPONENT = re.compile(r"\^\s*(?:\{([^{}]*)\}|\(([^()]*)\)|(\w+))")
_TOWER = re.compile(r"\^\s*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\^|\w\s*\^|\([^()]*\^)")
_FACTORIAL = re.compile(r"(\d[\d,. ]*|[)}\]])\s*!")
_BINOMIAL = re.compile(r"\\[dt]?binom\s*\{?\s*(\d+)")
_NUMBER = re.compile(r"\d+")


def is_cheap(text: str) -> bool:
    """Tell whether an algebra system is sure to finish with the normalised text."""
    if len(text) > MAX_LENGTH or _depth(text) > MAX_DEPTH or _COSTLY.search(text):
        return False
    if any(len(number) > MAX_DIGITS for number in _NUMBER.findall(text)):
        return False
    return _cheap_powers(text) and _cheap_factorials(text)


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _cheap_powers(text: str) -> bool:
    if _TOWER.search(text):
        return False
    product = 1
    for found in _EXPONENT.finditer(text):
        numbers = [int(n) for n in _NUMBER.findall(found.group()) if len(n) < 10]
        if any(len(n) > 4 for n in _NUMBER.findall(found.group())):
            return False
        largest = max(numbers, default=1)
        if text[: found.start()].rstrip()[-1:] in ")}]0123456789":
            product *= max(largest, 1)
        if largest > MAX_EXPONENT or product > MAX_POWER:
            return False
    return True


def _cheap_factorials(text: str) -> bool:
    for found in _FACTORIAL.finditer(text):
        digits = re.sub(r"\D", "", found.group(1))
        if not digits or len(digits) > 2 or int(digits) > MAX_FACTORIAL:
            return False
    return all(
        len(found.group(1)) <= 3 and int(found.group(1)) <= MAX_BINOMIAL
        for found in _BINOMIAL.finditer(text)
    )

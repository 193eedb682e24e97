"""How many digits a value needs, so that no sum hides its small terms or cancels what is left.

At 50 digits `e^{200} + 1` is `e^{200}`, and `x^n - (x^n - 1)` may be 0. A point's sums are noted
while it is computed; where their terms are too far apart it is computed again, with more digits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from limr.grading.arithmetic import DIGITS, Value, context
from limr.grading.nodes import Node, walk

STEPS = (DIGITS, 100, 200, 400, 800)
MARGIN = 15  # digits between terms, or lost, that the first computation has to spare
_WORK = 10_000  # digits by the root of how many powers and functions: about a second for all points
_SLOW_STEP = 200  # digits of gamma functions, which soon take long
_CHEAP = ("number", "symbol", "constant", "add", "mul", "div", "matrix")
_COUNTED = 3  # digits lost by one sum that count
_DIGITS_PER_BIT = math.log10(2)


class Sums:
    """What the sums of inexact numbers at one point have hidden and lost."""

    def __init__(self) -> None:
        self._sizes = math.inf, -math.inf  # of the smallest and the largest term, in bits
        self._lost = 0  # bits that cancelled and left something
        self.has_cancelled = False

    def note(self, terms: Sequence[Value], total: Value) -> None:
        """Note a sum; a total of 0 is one that cancelled wholly."""
        found = [context().mag(one) for one in terms]
        sizes = [size for size in found if isinstance(size, int)]  # neither 0 nor infinite
        if not sizes:
            return
        lost = max(sizes) - context().mag(total) if total else 0
        if lost * _DIGITS_PER_BIT > _COUNTED:
            self._lost += lost
        if not total or lost * _DIGITS_PER_BIT > MARGIN:
            self.has_cancelled = True
            sizes.append(0)  # what is left may be of the size of 1, unseen
        self._sizes = min(self._sizes[0], *sizes), max(self._sizes[1], *sizes)

    @property
    def lost(self) -> int:
        """How many digits cancelled, at most."""
        return math.ceil(self._lost * _DIGITS_PER_BIT)

    @property
    def needed(self) -> int:
        """How many digits keep the smallest term whole beside the largest one."""
        apart = max(0.0, self._sizes[1] - self._sizes[0])
        digits = math.ceil(apart * _DIGITS_PER_BIT)
        enough = digits <= MARGIN and self.lost <= MARGIN
        return DIGITS if enough else DIGITS + digits + self.lost


def step(node: Node, wanted: int) -> int:
    """Return with how many digits to compute a node: those wanted, or as many as time permits."""
    if wanted <= DIGITS:
        return DIGITS
    costly = [one.op for one in walk(node) if one.op not in _CHEAP]
    most = _WORK / math.sqrt(max(1, len(costly)))
    if "factorial" in costly or "binomial" in costly:
        most = min(most, _SLOW_STEP)
    possible = [one for one in STEPS if one <= max(DIGITS, most)]
    return next((one for one in possible if one >= wanted), possible[-1])

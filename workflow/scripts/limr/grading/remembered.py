"""A dictionary of verdicts that forgets the oldest ones before it grows too large."""

from __future__ import annotations

import sys
from typing import Generic, TypeVar

K = TypeVar("K", bound=tuple[object, ...])
V = TypeVar("V")
BYTES = 64 << 20  # of the texts of the keys, and what a dictionary takes for each entry
_ENTRY = 300  # bytes of an entry beside its texts: measured, for small values


class Remembered(dict[K, V], Generic[K, V]):
    """Values by keys that are tuples of texts; the oldest ones are forgotten over a size.

    A policy decides how long its answers are: a number of entries bounds nothing.
    """

    def __init__(self, most_bytes: int = BYTES) -> None:
        super().__init__()
        self._most, self._bytes = most_bytes, 0

    def __setitem__(self, key: K, value: V) -> None:
        """Add an entry; the one that was just added always stays."""
        if key not in self:
            self._bytes += _size(key)
            while self and self._bytes > self._most:
                oldest = next(iter(self))
                del self[oldest]
                self._bytes -= _size(oldest)
        super().__setitem__(key, value)


def _size(key: tuple[object, ...]) -> int:
    return _ENTRY + sum(sys.getsizeof(part) for part in key)

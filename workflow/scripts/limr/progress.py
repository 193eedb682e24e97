"""A progress bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar, cast

T = TypeVar("T")


@contextmanager
def bar(total: int, unit: str) -> Iterator[Any]:
    """Yield an object with `update(n)` that shows on stderr how far the work is.

    Where stderr is no terminal (a log file, a pipe) nothing is shown, and tqdm is not loaded.
    """
    if not sys.stderr.isatty():
        yield _Silent()
        return
    from tqdm import tqdm  # type: ignore[import-untyped]

    with tqdm(total=total, unit=f" {unit}", unit_scale=True, file=sys.stderr, leave=False) as shown:
        yield shown


def over(items: Collection[T], unit: str) -> Iterator[T]:
    """Yield the items, showing how many of them are done."""
    with bar(len(items), unit) as shown:
        for item in items:
            yield item
            shown.update(1)


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield the items, the next one being made in a second thread while one is worked on."""
    end = object()
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, items, end)
            yield cast("T", item)


class _Silent:
    def update(self, n: int) -> None:
        """Show nothing."""

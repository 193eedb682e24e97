"""A progress bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from limr.core.errors import InputError

T = TypeVar("T")
R = TypeVar("R")
_MANY = 8  # items that are worth starting processes for


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


def mapped(
    function: Callable[[T], R], items: Collection[T], unit: str, workers: int = 2
) -> Iterator[R]:
    """Yield `function` of each item, in order, made in processes where there are many items.

    Args:
        function: of a module, without side effects.
        items: what it is given.
        unit: what the items are, for the bar.
        workers: processes; each works on one item at a time.

    Raises:
        InputError: a process was ended from outside.
    """
    if len(items) < _MANY or workers < 2 or cores() < 2:
        yield from map(function, over(items, unit))
        return
    with bar(len(items), unit) as shown, ProcessPoolExecutor(workers) as pool:
        try:
            for result in pool.map(function, items):
                yield result
                shown.update(1)
        except BrokenProcessPool:
            raise InputError(
                f"a process that read {unit} was ended from outside: is there too little memory? "
                "Nothing was written; run the same command again."
            ) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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

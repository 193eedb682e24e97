"""Progress bars on a terminal (nothing elsewhere), and work in several processes or threads."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, TypeVar, cast

from limr.core.errors import InputError

T = TypeVar("T")
R = TypeVar("R")
_MANY = 8  # items that are worth starting processes for
_WORKERS = 2  # processes that read; each holds one item
_SIDE_BY_SIDE = [1]  # processes of this one's kind, which share the cores


@contextmanager
def bar(total: int, unit: str) -> Iterator[Any]:
    """Yield an object with `update(n)` that shows on stderr how far the work is.

    Where stderr is no terminal (a log file, a pipe) nothing is shown, and tqdm is not loaded.
    """
    if not sys.stderr.isatty():
        yield SimpleNamespace(update=lambda n: None)
        return
    from tqdm import tqdm  # type: ignore[import-untyped]

    with tqdm(total=total, unit=f" {unit}", unit_scale=True, file=sys.stderr, leave=False) as shown:
        yield shown


def over(items: Iterable[T], total: int, unit: str) -> Iterator[T]:
    """Yield the items, showing how many of them are done."""
    with bar(total, unit) as shown:
        for item in items:
            yield item
            shown.update(1)


def mapped(function: Callable[[T], R], items: Collection[T], unit: str) -> Iterator[R]:
    """Yield `function` of each item, in order, computed in processes where there are many items.

    Args:
        function: of a module, without side effects.
        items: what it is given.
        unit: what the items are, for the bar.

    Raises:
        InputError: a process was ended from outside.
    """
    if len(items) < _MANY or cores() < _WORKERS:
        yield from map(function, over(items, len(items), unit))
        return
    with ProcessPoolExecutor(_WORKERS) as pool:
        try:
            yield from over(pool.map(function, items), len(items), unit)
        except BrokenProcessPool:
            raise InputError(
                f"a process that read {unit} was ended from outside: is there too little memory? "
                "Nothing was written; run the same command again."
            ) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def cores() -> int:
    """Return how many cores this process may use, at least 1."""
    found = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # not on every system
        found = len(os.sched_getaffinity(0))
    return max(1, found // _SIDE_BY_SIDE[0])


def share_cores(processes: int) -> None:
    """Count a share of the cores as this process's: as many processes work side by side."""
    _SIDE_BY_SIDE[0] = processes


def ahead(items: Iterator[T]) -> Iterator[T]:
    """Yield the items; the next one is read in a second thread while one is worked on."""
    end = object()
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = pool.submit(next, items, end)
            yield cast("T", item)

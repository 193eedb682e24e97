"""OpenRLHF's dynamic filtering: which problems a step draws, one replacement after another.

The trainer drops a group whose mean score is not strictly between 0 and 1, and asks for one problem
more. With `sampler: dapo` a score is 1 for a right response and 0 for others, so that just the
groups without a signal are dropped. The trainer itself knows no bound: it would go on until its
loader is empty, and train on less than a batch. After `tries` batches ours gives out problems whose
group counts half a score for every response, and so is kept whatever it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from limr.train.embedded.order import Order

SCORES = (0.0, 1.0)  # a group is kept whose mean lies between them
KEPT_ANYWAY = 0.5


class Walk:
    """The problems of the plain order one after another; a step takes each at most once."""

    def __init__(self, order: Order, sizes: Sequence[int] = ()) -> None:
        """Begin after the steps that are done; `sizes`: how many problems each of them took."""
        self._left = _endless(order)
        self._taken: set[int] = set()
        for size in sizes:
            self.step(size)

    def step(self, size: int) -> list[int]:
        """Begin a step and return its first problems, as places in the pool."""
        self._taken = set()
        return self.more(size)

    def more(self, size: int) -> list[int]:
        """Return further problems of the step. The pool must have as many that it did not take."""
        found: list[int] = []
        while len(found) < size:
            place = next(self._left)
            if place not in self._taken:
                self._taken.add(place)
                found.append(place)
        return found


def _endless(order: Order) -> Iterator[int]:
    batch = 1
    while True:
        yield from order.batch(batch)
        batch += 1


def filtered(order: Order, tries: int) -> int:
    """Return how many of a step's problems may be dropped; those drawn after them are kept anyway.

    So a step never draws more problems than there are, nor more than `tries` + 1 batches.
    """
    return max(0, min(tries * order.size, order.problems - order.size))

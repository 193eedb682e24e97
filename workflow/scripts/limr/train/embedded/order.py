"""Which problems a training step takes, as a function of the step alone."""

from __future__ import annotations

from dataclasses import dataclass

from limr.core.random_streams import stream


@dataclass(frozen=True)
class Order:
    """Every epoch goes through the problems in a fresh order, in batches of `size`.

    With `drop_last` the problems left over at an epoch's end are dropped (as the paper's loader
    does); otherwise they make a smaller batch. Fewer problems than `size` are one batch. `shift` is
    added to the steps of a run that started from another one (`limr.train.starts`).
    """

    problems: int
    size: int
    drop_last: bool
    seed: int
    arm: str
    shift: int = 0

    @property
    def steps_per_epoch(self) -> int:
        """At least 1."""
        if self.drop_last:
            return max(1, self.problems // self.size)
        return -(-self.problems // self.size)

    def epoch(self, step: int) -> int:
        """Return the epoch, from 0, of a step, from 1."""
        return (step + self.shift - 1) // self.steps_per_epoch

    def batch(self, step: int) -> list[int]:
        """Return the indices of a step's problems, from the stream (seed, order, arm, epoch)."""
        epoch, batch = divmod(step + self.shift - 1, self.steps_per_epoch)
        order = stream(self.seed, "order", self.arm, epoch).permutation(self.problems)
        return [int(index) for index in order[batch * self.size : (batch + 1) * self.size]]

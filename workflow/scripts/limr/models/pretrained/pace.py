"""A line of progress in a job's log, now and then."""

from __future__ import annotations

import time

from limr.core.job_log import note

EVERY = 30.0  # seconds between lines of progress


class Pace:
    """How far a generation is: `done` responses of `total`."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.tokens = total, 0, 0
        self.start = self.last = time.monotonic()

    def tick(self, tokens: int) -> None:
        """Count tokens, and write a line if it is time."""
        self.tokens += tokens
        now = time.monotonic()
        if now - self.last >= EVERY:
            self.last, seconds = now, now - self.start
            note(
                f"{self.done} of {self.total} responses, {self.tokens} tokens, "
                f"{seconds:.0f} s, {self.tokens / seconds:.0f} tokens/s"
            )

"""What `limr verify` finds, as lines for a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from limr.core.errors import InputError

OK, FAILED, NOTE = "ok", "FAILED", "note"
MOST_LINES = 20  # of one check; the rest is counted
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass
class Findings:
    """Says each finding at once, in a line: its status, the check, and a sentence.

    Attributes:
        say: is told each line.
        folder: the unpacked archive, whose path is cut from sentences.
        failed: whether anything is not as it should be.
    """

    say: Callable[[str], None]
    folder: Path
    failed: bool = False

    def add(self, status: str, check: str, text: str) -> None:
        """Say one thing."""
        self.failed = self.failed or status == FAILED
        line = f"{status:<6} {check}: {text.replace(f'{self.folder}/', '')}"
        # What an archive says must not command a terminal.
        self.say(_CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", line))

    def check(
        self, name: str, problems: Callable[[], Iterable[str]], passed: Callable[[], str]
    ) -> bool:
        """Run a check and say what it found; return whether it passed.

        Args:
            name: the check's name.
            problems: yields a sentence for each thing that is wrong.
            passed: is asked what to say if nothing is; may return nothing.
        """
        n = 0
        for n, text in enumerate(_with_error(problems), start=1):
            if n <= MOST_LINES:
                self.add(FAILED, name, text)
        if n > MOST_LINES:
            self.add(FAILED, name, f"and {n - MOST_LINES:,} more")
        if n == 0 and (text := passed()):
            self.add(OK, name, text)
        return n == 0


def _with_error(problems: Callable[[], Iterable[str]]) -> Iterator[str]:
    """Yield what a check yields, and the error that ends it."""
    try:
        yield from problems()
    except InputError as error:
        yield str(error)
    except Exception as error:  # noqa: BLE001 (whatever a stranger's file breaks, it fails its check)
        yield f"it cannot be checked ({type(error).__name__}: {error})"

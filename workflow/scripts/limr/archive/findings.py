"""What `limr verify` finds, as lines for a terminal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from limr.core.errors import InputError

OK, FAILED, NOTE = "ok", "FAILED", "note"
MOST_LINES = 20  # of one check; the rest is counted
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Line:
    """One thing that was found: a status, the check, and a sentence."""

    status: str
    check: str
    text: str

    def __str__(self) -> str:
        # What an archive says must not command a terminal.
        text = _CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", self.text)
        return f"{self.status:<6} {self.check}: {text}"


@dataclass
class Findings:
    """Collects lines and says each at once.

    Attributes:
        say: is told each line.
        folder: the unpacked archive, whose path is cut from messages.
    """

    say: Callable[[Line], None]
    folder: Path
    lines: list[Line] = field(default_factory=list)

    def add(self, status: str, check: str, text: str) -> None:
        """Say one thing."""
        line = Line(status, check, text.replace(f"{self.folder}/", ""))
        self.lines.append(line)
        self.say(line)

    def check(
        self, name: str, problems: Callable[[], Iterable[str]], passed: str | Callable[[], str]
    ) -> bool:
        """Run a check and say what it found, or that it passed.

        Args:
            name: the check's name.
            problems: yields a sentence for each thing that is wrong.
            passed: what to say if nothing is; a function is asked after the check, and may
                return nothing to say.
        """
        n = 0
        for n, text in enumerate(_all_problems(problems), start=1):
            if n <= MOST_LINES:
                self.add(FAILED, name, text)
        if n > MOST_LINES:
            self.add(FAILED, name, f"and {n - MOST_LINES:,} more")
        said = "" if n else passed if isinstance(passed, str) else passed()
        if said:
            self.add(OK, name, said)
        return n == 0

    @property
    def failed(self) -> bool:
        """Whether anything is not as it should be."""
        return any(line.status == FAILED for line in self.lines)


def _all_problems(problems: Callable[[], Iterable[str]]) -> Iterator[str]:
    """Yield what a check yields, and the error that ends it."""
    try:
        yield from problems()
    except InputError as error:
        yield str(error)
    except Exception as error:  # noqa: BLE001 (whatever a stranger's file breaks, it fails its check)
        yield f"it cannot be checked ({type(error).__name__}: {error})"

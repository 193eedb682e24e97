"""Where the answer of a response stands: in a box, in its last line, or all of it is the answer."""

from __future__ import annotations

from collections.abc import Callable

from limr.grading.boxes import last_box


def last_line(text: str) -> str | None:
    """Return the last line that is not empty, without white space around it; None without one."""
    for line in reversed(text.splitlines()):
        if line.strip():
            return line.strip()
    return None


def whole(text: str) -> str | None:
    """Return the response without white space around it; None where that is nothing."""
    return text.strip() or None


PLACES: dict[str, Callable[[str], str | None]] = {
    "box": last_box,
    "last-line": last_line,
    "whole": whole,
}

"""What was noticed in a log: each with a code, a sentence, how often, and where first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["info", "warning"]


@dataclass(frozen=True)
class Finding:
    """One thing that was noticed.

    Attributes:
        code: a short name that does not change, such as `filtered-groups`; docs/logs.md explains
            each.
        text: one or two sentences for a reader.
        kind: `info` says what was taken for what; a `warning` may change what the numbers mean.
        count: how many rows, groups, steps or prompts it is about; None where that says nothing.
        where: the first place, such as `3.jsonl:17`; empty where there is none.
    """

    code: str
    text: str
    kind: Kind = "info"
    count: int | None = None
    where: str = ""


class Findings:
    """Collects findings in the order in which they were made; a code may occur once."""

    def __init__(self) -> None:
        self._found: dict[str, Finding] = {}

    def add(
        self, code: str, text: str, kind: Kind = "info", count: int | None = None, where: str = ""
    ) -> None:
        """Add one; the first one of a code stays."""
        self._found.setdefault(code, Finding(code, text, kind, count, where))

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._found.values())

    def __contains__(self, code: object) -> bool:
        return code in self._found


def sentences(found: Iterable[Finding]) -> list[str]:
    """Return findings for a terminal or a log, warnings marked as such."""
    return [
        f"{'Warning: ' if f.kind == 'warning' else ''}{f.text}"
        + (f" First: {f.where}." if f.where and f.where not in f.text else "")
        for f in found
    ]


def steps_in_words(steps: list[int], most: int = 4) -> str:
    """Return steps for a sentence: runs as `3 to 8`, and few of many."""
    runs: list[list[int]] = []
    for step in sorted(steps):
        if runs and step == runs[-1][1] + 1:
            runs[-1][1] = step
        else:
            runs.append([step, step])
    words = [f"{a}" if a == b else f"{a} to {b}" for a, b in runs]
    return ", ".join(words[:most]) + (", …" if len(words) > most else "")

"""How a plan is written for people: tables, ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def in_words(found: Mapping[str, float]) -> str:
    """Return a range as `low / central / high`, two digits each."""
    return " / ".join(f"{float(f'{found[end]:.2g}'):,g}" for end in ("low", "central", "high"))


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table, its columns aligned at their left."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]

"""A sweep as it fills: runs done of each cell, so many cells together as the terminal has no room.

Seeds and draws of a cell are one count. The last axis goes across; as many of the others go down as
there is room for, and the rest is counted together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from limr.study.study import Study

States = Mapping[tuple[str, str], str]  # arm and seed -> how far (`limr.live.screen.cells`)


@dataclass
class Count:
    """The runs of a cell, or of several: `busy` ones are at work."""

    runs: int = 0
    done: int = 0
    busy: int = 0
    failed: int = 0

    def add(self, state: str, end: str) -> None:
        """Count a run; `end` is the state of one that is finished."""
        self.runs += 1
        self.done += state == end
        self.failed += state == "failed"
        self.busy += state not in (".", "trained", "done", "failed")

    @property
    def text(self) -> str:
        """Such as `3/5`, with a dot for each run at work."""
        if not self.runs:
            return ""
        failed = f" {self.failed} failed" if self.failed else ""
        return f"{self.done}/{self.runs}{failed}" + " " * bool(self.busy) + "•" * self.busy

    @property
    def style(self) -> str:
        """How it is drawn."""
        if self.failed:
            return "bold red"
        if self.done == self.runs:
            return "green"
        return "" if self.done or self.busy else "dim"


@dataclass
class Grid:
    """Counts in rows: `head` names the columns, each row has a label and a count for each."""

    head: list[str]
    rows: list[tuple[str, list[Count]]]


def grid(study: Study, states: States, room: int) -> Grid:
    """Return a sweep's runs in at most `room` rows, or one for each arm of the file."""
    *down, across = study.axes
    for axes in (down[:n] for n in range(len(down), -1, -1)):
        found = _grid(study, states, axes, across)
        if len(found.rows) <= room:
            break
    return found


def _grid(study: Study, states: States, down: list[str], across: str) -> Grid:
    end = "done" if study.benchmarks else "trained"
    columns: list[Any] = [None, *study.axes[across]]  # None: of arms that have no such axis
    rows: dict[tuple[Any, ...], dict[Any, Count]] = {}
    for group, values in _order(study, down):
        rows[group, *values] = {column: Count() for column in columns}
    for (name, _), state in states.items():
        arm = study.arms[name]
        key = (arm.family, *(arm.cell.get(axis) for axis in down))
        rows[key][arm.cell.get(across)].add(state, end)
    used = [c for c in columns if any(row[c].runs for row in rows.values())]
    return Grid(
        ["" if column is None else f"{across} {column}" for column in used],
        [(_label(key, down), [row[c] for c in used]) for key, row in rows.items()],
    )


def _order(study: Study, down: list[str]) -> list[tuple[str, tuple[Any, ...]]]:
    """Return the rows: of each arm of the file, each combination of values that it has."""
    own: dict[str, set[tuple[Any, ...]]] = {}
    for arm in study.arms.values():
        cell = tuple(arm.cell.get(axis) for axis in down)
        own.setdefault(arm.family, set()).add(cell)
    every = list(product(*([None, *study.axes[axis]] for axis in down)))
    return [(group, cell) for group, found in own.items() for cell in every if cell in found]


def _label(key: tuple[Any, ...], down: list[str]) -> str:
    group, *values = key
    said = (f"{a} {v}" for a, v in zip(down, values, strict=True) if v is not None)
    return "  ".join([str(group), *said])

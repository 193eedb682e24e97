"""The plan of a sweep for people: costs by arm and by value, a grid for each pair of arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from limr.plan.text import in_words, table

Json = dict[str, Any]


def lines(found: Json) -> list[str]:
    """Return the plan of a sweep as text for people."""
    axes = " x ".join(
        f"{axis} ({', '.join(map(str, values))})" for axis, values in found["axes"].items()
    )
    said = [f"Sweep: {axes}: {found['cells']:,} cells", *_costs(found["rows"])]
    told: dict[tuple[str, ...], list[str]] = {}  # pairs of which the same is to be said
    for pair in found["pairs"]:
        told.setdefault(tuple(_told(pair, found["axes"])), []).append(" - ".join(pair["pair"]))
    for words, pairs in told.items():
        said += ["", f"{', '.join(pairs)}: {words[0]}", *words[1:]]
    return said


def _costs(rows: Sequence[Json]) -> list[str]:
    head = ("", "arms", "runs", "to do", "rollouts")
    cells = [
        (row["what"], *(f"{row[key]:,}" for key in ("arms", "runs", "to_do", "rollouts")))
        for row in rows
    ]
    if "gpu_hours" in rows[0]:
        hours, left = "GPU hours left", [in_words(row["gpu_hours"]) for row in rows]
    elif None not in [row["hours"] for row in rows]:
        hours, left = "hours of a core left", [f"{row['hours']:,g}" for row in rows]
    else:
        more = "hours: not known before a run of this study has finished"
        return [*table(head, cells), more]
    return table((*head, hours), [(*cell, own) for cell, own in zip(cells, left, strict=True)])


def _told(pair: Json, axes: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return what two arms can show: a line, and a grid of what sets the cells apart."""
    n = len(pair["cells"])
    said = [
        f"a difference of {pair['points']:.1f} points is found within a cell; of "
        f"{pair['every_cell']:.1f} where all {n} cells are looked at (Bonferroni); of "
        f"{pair['two_cells']:.1f} between the differences of two cells",
    ]
    lacking = {tuple(one["cell"].items()): one["lacking"] for one in pair["cells"]}
    same = sum(share == 0 for share in lacking.values())
    grid = _grid(lacking, {axis: axes[axis] for axis in pair["axes"]})
    if grid:
        said += ["of the larger one's problems the other is expected to lack:", *grid]
    if same:
        said.append(f"{same} of {n} cells cannot be told apart: both arms have the same problems")
    return said


def _grid(shares: Mapping[tuple[Any, ...], float | None], axes: Mapping[str, Any]) -> list[str]:
    """Return shares by the axes that change them: the last one across, the others down."""
    changing = [axis for axis in axes if _changes(shares, axis)]
    if not changing:
        return []
    by = {tuple((axis, dict(cell)[axis]) for axis in changing): n for cell, n in shares.items()}
    *down, across = changing
    head = (" x ".join(down), *(f"{across} {value}" for value in axes[across]))
    rows = [
        (
            ", ".join(map(str, values)),
            *(_share(by.get((*zip(down, values, strict=True), (across, v)))) for v in axes[across]),
        )
        for values in product(*(axes[axis] for axis in down))
    ]
    return table(head, rows)


def _changes(shares: Mapping[tuple[Any, ...], float | None], axis: str) -> bool:
    seen: dict[tuple[Any, ...], float | None] = {}
    for cell, share in shares.items():
        rest = tuple(pair for pair in cell if pair[0] != axis)
        if seen.setdefault(rest, share) != share:
            return True
    return False


def _share(share: float | None) -> str:
    return "?" if share is None else f"{share:.0%}"

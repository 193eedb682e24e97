"""What the tables of a map have in common: where a row is, and what an interval shows."""

from __future__ import annotations

from typing import Any

from limr.analysis import cells
from limr.analysis.cells import Cell, Pair
from limr.analysis.results import Inputs

SHOWS = {"above": "better", "below": "worse", "level": "no difference shown"}
MISSING = "not evaluated"


def where(inputs: Inputs, pair: Pair, cell: Cell) -> dict[str, Any]:
    """Return the first columns of a row: both arms, and the value of every axis."""
    own = dict(cell)
    values = {
        axis: cells.value_text(own[axis]) if axis in own else "all" for axis in cells.axes(inputs)
    }
    first, second = (cells.title(inputs, name) for name in pair)
    return {"arm": first, "against": second, **values}

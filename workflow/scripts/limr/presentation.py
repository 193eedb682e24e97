"""Tables for people: cells as texts, rounded, and in Markdown."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from limr import registry


def texts(frame: pd.DataFrame, module: ModuleType) -> pd.DataFrame:
    """Return a table as texts for people: rounded, missing values as a dash."""
    decimals = getattr(module, "DECIMALS", 1)
    return frame.astype(object).map(lambda value: _text(value, decimals))


def read_texts(name: str, tsv: Path | str) -> tuple[pd.DataFrame, str, str]:
    """Return a written table as texts for people, its title and its caption."""
    module = registry.load("tables", name)
    decimals = getattr(module, "DECIMALS", 1)
    cells = pd.read_csv(tsv, sep="\t", dtype=object, keep_default_na=False)
    shown = cells.map(lambda cell: _text(_value(cell), decimals))
    return shown, str(module.TITLE), str(module.caption(pd.read_csv(tsv, sep="\t")))


def _text(value: object, decimals: int) -> str:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return "–"
    if isinstance(value, float):
        return f"{value:.{decimals}f}".replace("-", "−")
    return f"{value:,}" if isinstance(value, int) else str(value)


def _value(cell: str) -> object:
    """Return what a cell of a written table was: floats are written with a point or exponent."""
    if not cell:
        return None
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            continue
    return cell


def markdown(shown: pd.DataFrame) -> str:
    """Return a Markdown table of a frame of texts."""
    rows = [list(shown.columns), ["---"] * shown.shape[1], *shown.to_numpy().tolist()]
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in cells)

"""Some rows of a log's file, by columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Values: TypeAlias = Any  # (n_rows,) a list, or an Arrow array, which ships no types


@dataclass
class Batch:
    """Rows of one file.

    Attributes:
        rows: (n_rows,) their numbers in the file, from 1 (lines of JSON lines); each once.
        columns: canonical name -> (n_rows,) values; None where a row lacks one.
        broken: (number, what is wrong) of rows that could not be read.
    """

    rows: npt.NDArray[np.int64]
    columns: dict[str, Values]
    broken: list[tuple[int, str]] = field(default_factory=list)


def walk(row: Any, path: str) -> Any:
    """Return what lies under a dotted path; None where nothing does."""
    if isinstance(row, Mapping) and path in row:
        return row[path]
    for name in path.split("."):
        row = row.get(name) if isinstance(row, Mapping) else None
    return row

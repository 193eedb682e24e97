"""A table of Weights & Biases: `{name}_{step}_{hash}.table.json`, in a run's `media/table`.

A table is one JSON document, `{"columns": […], "data": [[…], …]}`, also as downloaded from the
site. Its columns are found as those of the format `table`. Tables that are logged again and again
while they grow hold the same steps; the last one counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from limr.core.tables import Problem
from limr.trajectories import reader
from limr.trajectories.importers import table
from limr.trajectories.json_records import Expand
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "trajectories"
FILES = "**/*.table.json*"
check = reader.check
Options = table.Options
_SAMPLE = 64


def columns(sample: Sample, options: Mapping[str, Any]) -> dict[str, str] | None:
    """Return canonical name -> column; None where this is no table of rollouts.

    Raises:
        InputError: see `limr.trajectories.importers.table.columns`.
    """
    document = sample.document
    if not isinstance(document, Mapping) or not sample.has("columns", "data"):
        return None
    if not all(isinstance(document[name], list) for name in ("columns", "data")):
        return None
    rows = list(islice(rollouts(document), _SAMPLE))
    inside = replace(sample, names=frozenset(map(str, document["columns"])), rows=rows)
    return table.columns(inside, options)


def expander(sample: Sample, options: Mapping[str, Any]) -> Expand:
    """Return what makes rows of the document."""
    return rollouts


def rollouts(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table.

    Raises:
        ValueError: a row is longer or shorter than the columns.
    """
    names = [str(name) for name in document["columns"]]
    for row in document["data"]:
        yield dict(zip(names, row, strict=True))


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of tables; see `limr.trajectories.reader.read`."""
    return reader.read_files(paths, problems, options, "wandb-table")

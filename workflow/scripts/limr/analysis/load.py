"""Read what tables, figures and the report are made from.

A new kind of result is a field of `limr.analysis.results.Inputs`, and a reader here of its name;
docs/extending.md adds one, from its rule to a table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from limr.analysis import paper
from limr.analysis.results import Diagnosis, Inputs, Json
from limr.core import files
from limr.core.tables import (
    AUDITS,
    DIAGNOSTICS,
    DRAWN,
    OPINIONS,
    OVERLAPS,
    SCORES,
    STABILITY,
    TRAJECTORIES,
    read_problems,
)
from limr.evaluate.collect import COLLECTED_EVALUATIONS, COLLECTED_METRICS, COLLECTED_REASONS
from limr.scores.backtest_rows import BACKTEST

Given = Mapping[str, Any]  # name in REQUIRES or OPTIONAL -> a path, or several
Reader = Callable[[Sequence[Path]], Any]


def inputs(study: Mapping[str, Any], given: Given, costed: Sequence[Mapping[str, Any]]) -> Inputs:
    """Read what a table, a figure or the report is given.

    Args:
        study: see `Inputs`.
        given: the rule's inputs: the kinds of `READERS`, and `runs`; other names are left alone.
        costed: of each of the `runs`, `arm` and `seed` of a training run, or `source` of the base's
            responses that a score is made from.

    Raises:
        InputError: a file is missing or not what it should be.
    """
    found = {kind: read(paths) for kind, read in READERS.items() if (paths := _paths(given, kind))}
    records = list(zip(costed, map(files.read_json, _paths(given, "runs")), strict=True))
    return Inputs(
        dict(study),
        runs=[
            {**record, "arm": keys["arm"], "seed": keys["seed"]}
            for keys, record in records
            if "arm" in keys
        ],
        samples={keys["source"]: record for keys, record in records if "source" in keys},
        **found,
    )


def _paths(given: Given, kind: str) -> list[Path]:
    value = given.get(kind) or []
    return [Path(path) for path in ([value] if isinstance(value, str | Path) else value)]


def _frame(path: Path, columns: pa.Schema, newer: pa.Schema | None = None) -> pd.DataFrame:
    frame: pd.DataFrame = files.read_parquet(path, columns, newer=newer).to_pandas()
    return frame


def _by_name(read: Callable[[Path], Any]) -> Reader:
    """Return a reader of several files, each named by its stem: `scores/lim.parquet` is 'lim'."""
    return lambda paths: {path.stem: read(path) for path in paths}


def _subsets(paths: Sequence[Path]) -> dict[str, Json]:
    """Read the records of subsets and, where given, the ids of their problems."""
    records = {path.stem: files.read_json(path) for path in paths if path.suffix == ".json"}
    for path in paths:
        if path.suffix == ".jsonl":
            ids = [row["problem_id"] for row in files.read_jsonl(path)]
            records.setdefault(path.stem, {})["problem_ids"] = ids
    return records


def _diagnostics(paths: Sequence[Path]) -> dict[str, Diagnosis]:
    """Read `diagnostics/{score}.parquet` and, beside each, `diagnostics/{score}.epochs.parquet`."""
    return {
        path.stem: Diagnosis(
            _frame(path, DIAGNOSTICS), _frame(path.with_suffix(".epochs.parquet"), STABILITY)
        )
        for path in paths
        if "." not in path.stem
    }


def _overlaps(paths: Sequence[Path]) -> pd.DataFrame:
    """Read `overlaps/{benchmark}.parquet` as one frame with the column `benchmark`."""
    frames = [_frame(path, OVERLAPS).assign(benchmark=path.stem) for path in paths]
    return pd.concat(frames, ignore_index=True)


READERS: Mapping[str, Reader] = {
    "evaluations": lambda paths: _frame(paths[0], COLLECTED_EVALUATIONS, COLLECTED_REASONS),
    "metrics": lambda paths: _frame(paths[0], COLLECTED_METRICS, DRAWN),
    "opinions": lambda paths: _frame(paths[0], OPINIONS),
    "paper": lambda paths: paper.read(paths[0]),
    "trajectories": _by_name(lambda path: files.read_parquet(path, TRAJECTORIES)),
    "scores": _by_name(lambda path: _frame(path, SCORES)),
    "subsets": _subsets,
    "diagnostics": _diagnostics,
    "audits": _by_name(files.read_json),
    "findings": _by_name(lambda path: _frame(path, AUDITS)),
    "problems": _by_name(read_problems),
    "overlaps": _overlaps,
    "backtest": lambda paths: _frame(paths[0], BACKTEST),
}

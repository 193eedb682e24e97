"""What a table, figure or report is given beside the results that every study has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from limr.analysis import paper, results
from limr.analysis.results import Inputs
from limr.core import files
from limr.core.tables import AUDITS, OVERLAPS, read_problems

Given = Mapping[str, Any]  # name in REQUIRES or OPTIONAL -> a path, or several


def inputs(study: Mapping[str, Any], given: Given, costed: Sequence[Mapping[str, Any]]) -> Inputs:
    """Read what a table, a figure or the report is given.

    Args:
        study: see `Inputs`.
        given: the rule's inputs; other names than those below are not looked at.
        costed: `arm` and `seed`, or `source`, of each of the `runs`.

    Raises:
        InputError: a file is missing or not what it should be.
    """

    def several(key: str) -> list[str]:
        value = given.get(key) or []
        return [value] if isinstance(value, str) else list(value)

    def one(key: str) -> str | None:
        return next(iter(several(key)), None)

    found = results.load(
        dict(study),
        evaluations=one("evaluations"),
        metrics=one("metrics"),
        **{key: several(key) for key in ("trajectories", "scores", "subsets", "diagnostics")},
    )
    found = results.with_checks(found, several("audits"), one("opinions"))
    found = with_problems(found, several("problems"))
    found = with_findings(found, several("findings"))
    found = with_runs(found, zip(costed, several("runs"), strict=True))
    found = with_overlaps(found, several("overlaps"))
    return with_paper(found, one("paper"))


def with_problems(inputs: Inputs, paths: Sequence[Path | str]) -> Inputs:
    """Return the inputs with `problems/*.jsonl`, named by their stem.

    Raises:
        InputError: a file is missing or not what it should be.
    """
    return replace(inputs, problems={Path(path).stem: read_problems(path) for path in paths})


def with_findings(inputs: Inputs, paths: Sequence[Path | str]) -> Inputs:
    """Return the inputs with `audits/*.parquet`, named by their stem.

    Raises:
        InputError: a file is missing or not what it should be.
    """
    found = {Path(path).stem: files.read_parquet(path, AUDITS).to_pandas() for path in paths}
    return replace(inputs, findings=found)


def with_runs(inputs: Inputs, runs: Iterable[tuple[Mapping[str, Any], Path | str]]) -> Inputs:
    """Return the inputs with the records of what sampled responses to learn or to choose from.

    Args:
        inputs: what the study has.
        runs: `arm` and `seed` of each training run, and its `run.json`; `source` of the base's
            responses that a score is made of, and their `samples/{source}.json`.

    Raises:
        InputError: a file is missing or not JSON.
    """
    records = [(keys, files.read_json(path)) for keys, path in runs]
    return replace(
        inputs,
        runs=[
            {**record, "arm": keys["arm"], "seed": keys["seed"]}
            for keys, record in records
            if "arm" in keys
        ],
        samples={keys["source"]: record for keys, record in records if "source" in keys},
    )


def with_overlaps(inputs: Inputs, paths: Sequence[Path | str]) -> Inputs:
    """Return the inputs with `overlaps/*.parquet`, the benchmark named by the stem.

    Raises:
        InputError: a file is missing or not what it should be.
    """
    frames = [
        files.read_parquet(path, OVERLAPS).to_pandas().assign(benchmark=Path(path).stem)
        for path in paths
    ]
    return replace(inputs, overlaps=pd.concat(frames, ignore_index=True)) if frames else inputs


def with_paper(inputs: Inputs, path: Path | str | None) -> Inputs:
    """Return the inputs with what the paper reports, where it is asked for.

    Raises:
        InputError: the file is missing or not what it should be.
    """
    return replace(inputs, paper=paper.read(path)) if path else inputs

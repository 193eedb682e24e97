"""Which questions overlap with training problems, and results without them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from limr.analysis import results
from limr.analysis.results import Inputs
from limr.core.errors import InputError


def measured(inputs: Inputs) -> pd.DataFrame:
    """Return what was measured: `limr.core.tables.OVERLAPS` with `benchmark`.

    Raises:
        InputError: the study has no benchmarks.
    """
    if inputs.overlaps is None:
        raise InputError("the study has no overlaps: name benchmarks under `evaluate`.")
    return inputs.overlaps


def shares(frame: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Return `covered` or `shared` as a share of the question's n-grams; NaN: it has none."""
    return frame[column] / frame["n_grams"].where(frame["n_grams"] > 0)


def overlapping(frame: pd.DataFrame, words: int, least: float) -> dict[str, set[str]]:
    """Return benchmark -> ids of the questions that overlap with a training problem set.

    A question overlaps where its text is that of a training problem, or where one training problem
    has at least the share `least` of its n-grams of `words` words.

    Args:
        frame: `limr.core.tables.OVERLAPS` with `benchmark`.
        words: length of the n-grams.
        least: share in (0, 1].
    """
    rows = frame[(frame["scope"] == "problem set") & (frame["words"] == words)]
    hit = (rows["match"] != "") | (shares(rows, "shared") >= least)
    return {
        str(name): set(part.loc[hit[part.index], "problem_id"])
        for name, part in rows.groupby("benchmark", sort=False)
    }


def left_out(inputs: Inputs) -> dict[str, set[str]]:
    """Return benchmark -> ids of the questions that overlap, by the study's own rule.

    Raises:
        InputError: the study has no benchmarks.
    """
    rule = inputs.study["contamination"]["overlapping"]
    return overlapping(measured(inputs), rule["words"], rule["share"])


def clean(inputs: Inputs) -> Inputs:
    """Return the inputs with the evaluations of the questions that do not overlap.

    Raises:
        InputError: the study has no evaluations or overlaps, or every question overlaps.
    """
    kept = _evaluations(inputs, inside=False)
    if kept.empty:
        raise InputError(
            "every question overlaps with a training problem; none is left. Raise "
            "contamination.overlapping.share."
        )
    return replace(inputs, evaluations=kept)


def only(inputs: Inputs) -> Inputs:
    """Return the inputs with the evaluations of the overlapping questions alone.

    Raises:
        InputError: the study has no evaluations or overlaps.
    """
    return replace(inputs, evaluations=_evaluations(inputs, inside=True))


def _evaluations(inputs: Inputs, inside: bool) -> pd.DataFrame:
    frame, found = results.evaluated(inputs), left_out(inputs)
    pairs = {(benchmark, key) for benchmark, ids in found.items() for key in ids}
    keys = pd.MultiIndex.from_frame(frame[["benchmark", "problem_id"]])
    hit = keys.isin(list(pairs))
    return frame.loc[hit if inside else ~hit]

"""A training metric over steps, as `reward` and `response-length` show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
from pydantic import Field

from limr.analysis.results import Inputs
from limr.core.errors import InputError
from limr.report.figures import _style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Window = Annotated[
    int,
    Field(
        ge=1,
        description="Average over so many steps, this one and those before it; 1: as recorded.",
    ),
]


def data(inputs: Inputs, options: Mapping[str, Any], *, column: str) -> pd.DataFrame:
    """Return one row per run and step with a metric, where the kind of training has it.

    Raises:
        InputError: no run has it.
    """
    frame = inputs.metrics
    if frame is None or frame[column].isna().all():
        raise InputError(f"no training run of this study recorded '{column}'.")
    frame = frame.loc[frame[column].notna(), ["arm", "group", "train", "seed", "step", column]]
    frame = frame.sort_values(["arm", "seed", "step"], kind="stable")
    runs = frame.groupby(["arm", "seed"], sort=False)[column]
    smooth = runs.transform(lambda values: values.rolling(options["window"], min_periods=1).mean())
    return _style.titled(frame.assign(**{column: smooth}), inputs)


def draw(frame: pd.DataFrame, options: Mapping[str, Any], *, column: str, label: str) -> Figure:
    """Draw the metric's mean over runs against steps, labelled at the lines' ends."""
    drawn = _style.figure(7.4, 4.2)
    ax = drawn.subplots()
    _style.lines(ax, frame, column, markers=False)
    ax.set_xlabel("training step")
    ax.set_ylabel(label)
    ax.margins(x=0.0)
    _style.label_ends(ax, frame, column)
    return drawn


def bands(frame: pd.DataFrame) -> str:
    """Say how many runs there are and what the bands are."""
    return f"Lines: mean over runs ({_style.runs(frame)}); bands: lowest to highest run."

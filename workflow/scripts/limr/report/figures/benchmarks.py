"""Accuracy on each benchmark against training steps: the paper's figures 4a to 4c."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from limr.analysis import results
from limr.report.figures import _accuracy, _style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Accuracy by benchmark"
REQUIRES = ("evaluations",)


def data(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per benchmark, run and step: accuracy in percent at the first decoding."""
    frame = _accuracy.headline_only(inputs, _accuracy.by_run(results.evaluated(inputs)))
    titles = results.benchmarks(inputs)
    frame = frame.assign(panel=frame["benchmark"].map(titles))
    found = _accuracy.from_base(_style.titled(frame, inputs), inputs)
    asked = {
        title: {name: results.decodings(results.evaluated(inputs), name)[0]}
        for name, title in titles.items()
    }
    return _accuracy.in_order(_accuracy.with_intervals(found, inputs, asked), list(titles.values()))


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw one panel per benchmark, each with its own vertical range."""
    n = frame["panel"].nunique()
    columns = min(3, n)
    drawn = _style.figure(max(1.0 + 3.2 * columns, 6.0), 0.5 + 3.3 * -(-n // columns))
    _style.panels(drawn, frame, columns, _accuracy.draw_panel)
    _style.legend(drawn, frame)
    return drawn


def caption(frame: pd.DataFrame) -> str:
    """Say what lines and intervals are."""
    return (
        "Accuracy on each benchmark at its first decoding "
        f"({', '.join(frame['decoding'].dropna().unique())}); n counts questions. "
        f"{_accuracy.intervals(frame)} The vertical ranges differ."
    )

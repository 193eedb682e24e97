"""Mean accuracy over benchmarks against steps: the paper's figure 3a, for each decoding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from limr.analysis import results
from limr.report.figures import _accuracy, _style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Accuracy over training"
REQUIRES = ("evaluations",)


def data(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per panel, run and step: mean accuracy over benchmarks in percent.

    A panel is a decoding that every benchmark has; where there is none, one panel shows each
    benchmark's first decoding.
    """
    frame = _accuracy.by_run(results.evaluated(inputs))
    names = list(results.benchmarks(inputs))
    common = [
        decoding
        for decoding in results.decodings(frame, names[0])
        if all(decoding in results.decodings(frame, name) for name in names)
    ]
    if common:
        frame = frame[frame["decoding"].isin(common)].assign(panel=lambda f: f["decoding"])
    else:
        kept = _accuracy.headline_only(inputs, frame)
        frame = kept.assign(panel=_accuracy.HEADLINE)
        common = [_accuracy.HEADLINE]
    keys = ["panel", "arm", "group", "train", "seed", "step"]
    mean = frame.groupby(keys, sort=False).agg(
        accuracy=("accuracy", "mean"),
        benchmarks=("benchmark", "size"),
        questions=("questions", "sum"),
    )
    found = _accuracy.from_base(_style.titled(mean.reset_index(), inputs), inputs)
    first = {name: results.decodings(results.evaluated(inputs), name)[0] for name in names}
    asked = {
        panel: first if panel == _accuracy.HEADLINE else dict.fromkeys(names, panel)
        for panel in common
    }
    return _accuracy.in_order(_accuracy.with_intervals(found, inputs, asked), common)


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw one panel per decoding."""
    panels = list(frame["panel"].unique())
    drawn = _style.figure(1.2 + 4.3 * len(panels), 4.0)
    axes = drawn.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for ax, panel in zip(axes, panels, strict=True):
        _accuracy.draw_panel(ax, frame[frame["panel"] == panel])
        ax.set_title(panel)
    axes[0].set_ylabel(f"mean of {frame['benchmarks'].max()} benchmarks, % correct")
    for ax, panel in zip(axes, panels, strict=True):
        _style.label_ends(ax, frame[frame["panel"] == panel], "accuracy")
    return drawn


def caption(frame: pd.DataFrame) -> str:
    """Say what lines and intervals are, and over how much they were taken."""
    return (
        f"Mean accuracy over {frame['benchmarks'].max()} benchmarks "
        f"({frame['questions'].max()} questions), one panel per decoding. "
        f"{_accuracy.intervals(frame)} A step of fine-tuning is not a step of PPO: "
        "steps compare within a kind of training only."
    )

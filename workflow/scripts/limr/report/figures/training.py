"""What PPO did while it trained: KL, entropy, clipped share and value loss over steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from limr.analysis.results import Inputs
from limr.core.errors import InputError
from limr.core.validation import Keys
from limr.report.figures import _style, _training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Inside the training"
REQUIRES = ("metrics",)
# Columns of the metrics, and what they are.
SHOWN = {
    "kl": "KL to the base policy",
    "entropy": "entropy of the policy",
    "clip_fraction": "share of clipped ratios",
    "value_loss": "loss of the critic",
}


class Options(Keys):
    """Keys of `figures.training`."""

    window: _training.Window = 3


def data(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per metric, run and step: metric, panel, value.

    Raises:
        InputError: no run recorded any of them.
    """
    frame = inputs.metrics
    there = [name for name in SHOWN if frame is not None and name in frame and frame[name].any()]
    if not there:
        raise InputError(f"no training run of this study recorded {', '.join(SHOWN)}.")
    parts = [
        _training.data(inputs, options, column=name)
        .rename(columns={name: "value"})
        .assign(metric=name, panel=SHOWN[name])
        for name in there
    ]
    return pd.concat(parts, ignore_index=True)


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw one panel per metric, the mean over runs of each arm."""
    panels = list(frame["panel"].unique())
    rows = -(-len(panels) // 2)
    drawn = _style.figure(8.4, 0.5 + 2.7 * rows)
    axes = drawn.subplots(rows, 2, squeeze=False).ravel()
    for ax, panel in zip(axes, panels, strict=False):
        _style.lines(ax, frame[frame["panel"] == panel], "value", markers=False)
        ax.set_title(panel)
        ax.set_xlabel("training step")
        ax.set_ylabel("")
        ax.margins(x=0.0)
    for ax in axes[len(panels) :]:
        ax.set_visible(False)
    _style.legend(drawn, frame)
    return drawn


def caption(frame: pd.DataFrame) -> str:
    """Say what is shown and what it warns of."""
    return (
        f"{', '.join(frame['panel'].unique())} by step. {_training.bands(frame)} An entropy near 0 "
        "says that a policy has stopped trying other answers; a KL that climbs without end, or "
        "many clipped ratios, that it moves faster than PPO allows for."
    )

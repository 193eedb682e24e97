"""Rollouts that carry no signal, over training steps: groups all right or all wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

from limr.analysis.results import Inputs
from limr.core.errors import InputError
from limr.core.validation import Keys
from limr.report.figures import _training

TITLE = "Rollouts without a signal"
REQUIRES = ("metrics",)


class Options(Keys):
    """Keys of `figures.without-signal`."""

    window: _training.Window = 4


def data(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per run with a sampler and step: the share in percent.

    Raises:
        InputError: no arm has a sampler.
    """
    frame = inputs.metrics
    if frame is None or "without_signal" not in frame:
        raise InputError(
            "figure 'without-signal': no arm has a sampler, so that none counted its rollouts. "
            "`sampler: uniform` counts those of the plain order."
        )
    share = 100 * frame["without_signal"] / frame["rollouts"]
    counted = replace(inputs, metrics=frame.assign(without_signal_share=share))
    return _training.data(counted, options, column="without_signal_share")


draw = partial(
    _training.draw, column="without_signal_share", label="rollouts in groups without a signal, %"
)


def caption(frame: pd.DataFrame) -> str:
    """Say what is shown."""
    return (
        "Share of the rollouts drawn in each step that are in groups all right or all wrong, "
        f"whether the step trained on them or not. {_training.bands(frame)}"
    )

"""Response length over training steps: the paper's figure 3b."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from limr.analysis.results import Inputs
from limr.core.validation import Keys
from limr.report.figures import _training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Response length"
REQUIRES = ("metrics",)


class Options(Keys):
    """Keys of `figures.response-length`."""

    window: _training.Window = 1


def data(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row a run and step: the mean length of the step's rollouts in tokens."""
    return _training.data(inputs, "response_tokens", options["window"])


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw the length over steps."""
    return _training.draw(frame, "response_tokens", "mean response length, tokens")


def caption(frame: pd.DataFrame) -> str:
    """Say what is shown."""
    return (
        "Mean length of each step's rollouts in tokens, the end token included. "
        f"{_training.bands(frame)}"
    )

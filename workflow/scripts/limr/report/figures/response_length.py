"""Response length over training steps: the paper's figure 3b."""

from __future__ import annotations

from functools import partial

import pandas as pd

from limr.core.validation import Keys
from limr.report.figures import _training

TITLE = "Response length"
REQUIRES = ("metrics",)


class Options(Keys):
    """Keys of `figures.response-length`."""

    window: _training.Window = 1


data = partial(_training.data, column="response_tokens")
draw = partial(_training.draw, column="response_tokens", label="mean response length, tokens")


def caption(frame: pd.DataFrame) -> str:
    """Say what is shown."""
    return (
        "Mean length of each step's rollouts in tokens, the end token included. "
        f"{_training.bands(frame)}"
    )

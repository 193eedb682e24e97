"""Training reward over steps: the paper's figure 3c."""

from __future__ import annotations

from functools import partial

import pandas as pd

from limr.core.validation import Keys
from limr.report.figures import _training

TITLE = "Training reward"
REQUIRES = ("metrics",)


class Options(Keys):
    """Keys of `figures.reward`."""

    window: _training.Window = 1


data = partial(_training.data, column="mean_reward")
draw = partial(_training.draw, column="mean_reward", label="mean reward of the step's rollouts")


def caption(frame: pd.DataFrame) -> str:
    """Say what is shown, and what it is not."""
    return (
        f"Mean reward of each step's rollouts. {_training.bands(frame)} Each arm is rewarded on "
        "its own problems: an arm with easier problems starts higher, so heights do not compare "
        "between arms."
    )

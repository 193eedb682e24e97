"""Training reward over steps: the paper's figure 3c."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from limr.analysis.results import Inputs
from limr.core.validation import Keys
from limr.report.figures import _training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "Training reward"
REQUIRES = ("metrics",)


class Options(Keys):
    """Keys of `figures.reward`."""

    window: _training.Window = 1


def data(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row a PPO run and step: the mean reward of the step's rollouts."""
    return _training.data(inputs, "mean_reward", options["window"])


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw the reward over steps."""
    return _training.draw(frame, "mean_reward", "mean reward of the step's rollouts")


def caption(frame: pd.DataFrame) -> str:
    """Say what is shown, and what it is not."""
    return (
        f"Mean reward of each step's rollouts. {_training.bands(frame)} Each arm is rewarded on "
        "its own problems: an arm with easier problems starts higher, so heights do not compare "
        "between arms."
    )

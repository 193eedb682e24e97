"""The paper's Table 2 beside ours: choices of data under reinforcement learning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis.results import Inputs
from limr.report.tables import _paper

TITLE = "Beside the paper's Table 2"
REQUIRES, OPTIONAL, Options = _paper.REQUIRES, _paper.OPTIONAL, _paper.Options


def build(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per arm and measure: see `limr.report.tables._paper.build`."""
    return _paper.build(inputs, options, 2)


def caption(frame: pd.DataFrame) -> str:
    """Say what is compared with what."""
    return _paper.caption(frame, 2)

"""Every problem: a constant score, for studies that treat the full set as a selection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

TITLE = "Full set"
NEEDS_TRAJECTORIES = False
SEEDED = False
OPTIONS: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}


def score(
    problems: pd.DataFrame,
    trajectories: pd.DataFrame | None,
    options: Mapping[str, Any],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return score 1 for every problem."""
    return pd.DataFrame({"problem_id": problems["problem_id"], "score": 1.0, "reason": ""})

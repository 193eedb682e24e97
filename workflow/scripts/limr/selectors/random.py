"""Random: independent uniform scores, so that any size or threshold is a random subset (RAND)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

TITLE = "Random"
NEEDS_TRAJECTORIES = False
SEEDED = True
OPTIONS: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}


def score(
    problems: pd.DataFrame,
    trajectories: pd.DataFrame | None,
    options: Mapping[str, Any],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return a score for every problem, uniform on [0, 1).

    The score depends on a problem's position, so the same problems in another order are another
    draw.
    """
    return pd.DataFrame(
        {"problem_id": problems["problem_id"], "score": rng.random(len(problems)), "reason": ""}
    )

"""What was chosen when: each round of each arm that chooses, and what the round before had."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import chosen_when, results

TITLE = "What was chosen when"
REQUIRES = ("subsets",)


def build(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per arm and round, see `limr.analysis.chosen_when.summary`."""
    return chosen_when.summary(inputs)


def caption(frame: pd.DataFrame) -> str:
    """Say what the columns count."""
    return (
        "The problems of each round of an arm; an arm that chooses once has one. Problems, kept "
        "(from the round before) and new are means over runs; distinct counts those that any run "
        "chose. A dash: there was no round before."
    )

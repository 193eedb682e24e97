"""How sure each selection is, when every sample is drawn again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import results, which_scores
from limr.core.validation import Keys

TITLE = "How sure the selections are"
REQUIRES = ("diagnostics",)
DECIMALS = 3


class Options(Keys):
    """Keys of `tables.uncertainty`."""

    scores: which_scores.Names = None


SURE, POSSIBLE = 0.95, 0.05


def build(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per diagnosed score."""
    rows = []
    for name in which_scores.diagnosed(inputs, options["scores"], "table 'uncertainty'"):
        frame = inputs.diagnostics[name].problems
        scored = frame.dropna(subset="score")
        kept, left = scored[scored["selected"]], scored[~scored["selected"]]
        rows.append(
            {
                "score": name,
                "cut": frame["rule"].iloc[0],
                "problems": len(scored),
                "selected": len(kept),
                "median standard error": scored["standard_error"].median(),
                "selected again": kept["probability"].mean(),
                f"selected, surely (≥ {SURE:g})": _count(kept["probability"] >= SURE, kept),
                f"left out, possibly in (> {POSSIBLE:g})": _count(
                    left["probability"] > POSSIBLE, left
                ),
                "draws": int(frame["draws"].iloc[0]),
            }
        )
    return pd.DataFrame(rows)


def _count(which: pd.Series[bool], frame: pd.DataFrame) -> int | None:
    """Return how many; None where problems have no probability, since they have no interval."""
    unknown = len(frame) > 0 and bool(frame["probability"].isna().all())
    return None if unknown else int(which.sum())


def caption(frame: pd.DataFrame) -> str:
    """Say what was drawn again, and what was not."""
    return (
        "Every count of correct samples was drawn again and every score computed again, as often "
        "as 'draws' says. Problems: those with a score. Selected again: share of the selection "
        "that the same cut selects from redrawn samples, on average. Surely: selected problems "
        f"that at least {SURE:.0%} of the draws select; possibly in: problems left out that more "
        f"than {POSSIBLE:.0%} of the draws select. Draws vary about scores that hold this noise "
        "already: a second, independent set of samples would agree less with the first. "
        "And it is the noise of the samples of one run; another run of the training adds its own."
    ).replace("%", " %")

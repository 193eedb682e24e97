"""How far the study's scores agree: overlap of the best problems, and rank correlation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import results, which_scores
from limr.core.validation import Keys, key

TITLE = "Agreement of the scores"
REQUIRES = ("scores", "subsets")
DECIMALS = 2


class Options(Keys):
    """Keys of `tables.agreement`."""

    scores: which_scores.Names = None
    size: int | None = key(
        None,
        "How many of the best to compare; null: as many as the first subset that is cut from one "
        "of the scores, else a sixth.",
        ge=1,
    )


COLUMNS = ["score", "other score", "problems", "best", "shared", "overlap", "chance", "Spearman"]


def build(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per pair of scores; none where there is only one score."""
    scores = which_scores.names(inputs, options["scores"], "table 'agreement'")
    size = options["size"] or which_scores.size(inputs, scores)
    rows = [
        {
            "score": one,
            "other score": other,
            "problems": found.n,
            "best": found.size,
            "shared": found.shared,
            "overlap": found.overlap,
            "chance": found.chance,
            "Spearman": found.spearman,
        }
        for (one, other), found in which_scores.compared(inputs, scores, size).items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def caption(frame: pd.DataFrame) -> str:
    """Say what is compared with what, and what chance would give."""
    if frame.empty:
        return "There is one score only that is neither random nor constant: nothing to compare."
    return (
        "Every pair of scores, over the problems that both could score: how many of the best by "
        "one are among as many best by the other, in number (shared) and as a share (overlap), and "
        "Spearman's rank correlation over all of these problems. Two scores that know nothing of "
        "each other overlap by chance, best / problems. Ties at the last place are shared out "
        "evenly, hence broken numbers."
    )

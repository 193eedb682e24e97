"""Scores against pass rates that were measured offline: many samples of one model, no training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from pydantic import Field

from limr.analysis import which_scores
from limr.analysis.results import Inputs
from limr.core.errors import InputError, nearest
from limr.scores import agreement
from limr.scores.agreement import Window
from limr.trajectories.curves import Flags, Floats

Rates = Annotated[
    str | None,
    Field(
        description="Trajectories that hold the pass rates; null: the only ones of the study with "
        "one epoch."
    ),
]
# The ends, where a problem was never or always solved, are bins of their own.
EDGES = np.linspace(0.0, 1.0, 11)


@dataclass(frozen=True)
class Joined:
    """A score and offline pass rates, of the problems that have both.

    Attributes:
        score: the score's name.
        rates_name: the trajectories that the rates are from.
        samples: samples behind a rate: the median over problems.
        rates: (n,) pass rates in [0, 1].
        scores: (n,) scores.
        selected: (n,) whether a problem was selected.
        by_subset: whether a subset of the study says so; else it is the best sixth of all.
    """

    score: str
    rates_name: str
    samples: int
    rates: Floats
    scores: Floats
    selected: Flags
    by_subset: bool

    @property
    def spearman(self) -> float:
        """Rank correlation of score and pass rate; NaN where it is not defined."""
        return agreement.spearman(self.scores, self.rates)

    @property
    def window(self) -> Window | None:
        """The pass-rate window that recovers most of the selection."""
        return agreement.best_window(self.rates, self.selected)


def join(inputs: Inputs, score: str, wanted: str | None, where: str) -> Joined:
    """Return a score with offline pass rates, joined by problem_id.

    Args:
        inputs: what the study has.
        score: the score's name.
        wanted: the trajectories of the rates; None: the only ones with one epoch.
        where: how messages name the plug-in.

    Raises:
        InputError: no such trajectories, or no problem has a score and a rate.
    """
    name = _source(inputs, wanted, where)
    table = inputs.trajectories[name].group_by("problem_id", use_threads=False)
    counts = table.aggregate([("n", "sum"), ("n_correct", "sum")]).to_pandas()
    counts = counts.set_index("problem_id")
    chosen, by_subset = which_scores.selected(inputs, score)
    frame = inputs.scores[score].assign(selected=chosen)
    frame = frame.join(counts, on="problem_id").dropna(subset=["score", "n_sum"])
    if frame.empty:
        raise InputError(f"{where}: no problem has a score '{score}' and a pass rate in '{name}'.")
    return Joined(
        score,
        name,
        int(frame["n_sum"].median()),
        (frame["n_correct_sum"] / frame["n_sum"]).to_numpy(float),
        frame["score"].to_numpy(float),
        frame["selected"].to_numpy(bool),
        by_subset,
    )


def _source(inputs: Inputs, wanted: str | None, where: str) -> str:
    if wanted is not None:
        if wanted not in inputs.trajectories:
            known = nearest(wanted, inputs.trajectories)
            raise InputError(f"{where}: rates: there are no trajectories '{wanted}'.{known}")
        return wanted
    single = [
        name
        for name, table in inputs.trajectories.items()
        if table.num_rows and pc.max(table["epoch"]).as_py() == 0
    ]
    if len(single) != 1:
        raise InputError(
            f"{where}: {len(single)} trajectories of the study have one epoch; name the ones with "
            "the offline pass rates (`rates: NAME`)."
        )
    return single[0]


def by_rate(joined: Joined) -> pd.DataFrame:
    """Return one row per bin of pass rates that holds problems, from low to high.

    Returns:
        bin (in words), low, high, n, mean_score, standard_error (of the mean; NaN for one problem),
        n_selected. A bin holds low <= rate < high; 0 and 1 are bins of their own.
    """
    inner = np.clip(np.digitize(joined.rates, EDGES), 1, len(EDGES) - 1)
    place = np.where(joined.rates == 0, 0, np.where(joined.rates == 1, len(EDGES), inner))
    rows = []
    for number in np.unique(place):
        here = place == number
        scores, n = joined.scores[here], int(here.sum())
        low, high = EDGES[max(number - 1, 0)], EDGES[min(number, len(EDGES) - 1)]
        rows.append(
            {
                "bin": _words(int(number), low, high),
                "low": 0.0 if number == 0 else low if number < len(EDGES) else 1.0,
                "high": high,
                "n": n,
                "mean_score": scores.mean(),
                "standard_error": scores.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan,
                "n_selected": int(joined.selected[here].sum()),
            }
        )
    return pd.DataFrame(rows)


def _words(number: int, low: float, high: float) -> str:
    if number in (0, len(EDGES)):
        return "0" if number == 0 else "1"
    return f"{low:.1f}–{high:.1f}".replace("0.0", "0").replace("1.0", "1")

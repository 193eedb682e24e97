"""Scores against offline pass rates: who is selected at which rate, and what a window would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from limr.analysis import offline_pass_rates, results, which_scores
from limr.core.validation import Keys, key

TITLE = "Scores against offline pass rates"
REQUIRES = ("trajectories", "scores", "subsets")
DECIMALS = 2


class Options(Keys):
    """Keys of `tables.offline`."""

    scores: list[str] | None = key(
        None, "Names of the scores to show; null: those that a subset is cut from."
    )
    rates: offline_pass_rates.Rates = None


def build(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return for each score one row for all joined problems, then one for each bin of rates."""
    where = "table 'offline'"
    parts = []
    for name in _scores(inputs, options["scores"], where):
        joined = offline_pass_rates.join(inputs, name, options["rates"], where)
        window, n = joined.window, len(joined.rates)
        whole = {
            "score": name,
            "pass rate": "all",
            "problems": n,
            "mean score": joined.scores.mean(),
            "selected": int(joined.selected.sum()),
            "share selected": joined.selected.mean(),
            "Spearman": joined.spearman,
            "best window": f"{window.low:.2f} to {window.high:.2f}" if window else "",
            "recovers": window.recovered / window.size if window else pd.NA,
            "chance": window.chance if window else pd.NA,
        }
        bins = offline_pass_rates.by_rate(joined)
        rows = pd.DataFrame(
            {
                "score": name,
                "pass rate": bins["bin"],
                "problems": bins["n"],
                "mean score": bins["mean_score"],
                "selected": bins["n_selected"],
                "share selected": bins["n_selected"] / bins["n"],
            }
        )
        parts += [pd.DataFrame([whole]), rows]
    return pd.concat(parts, ignore_index=True)


def _scores(inputs: results.Inputs, wanted: Sequence[str] | None, where: str) -> list[str]:
    found = which_scores.names(inputs, wanted, where)
    cut = [name for name in found if wanted or which_scores.first_subset(inputs, name)]
    return cut or found


def caption(frame: pd.DataFrame) -> str:
    """Say what was joined and what the window is."""
    return (
        "Problems that have a score and an offline pass rate, by pass rate; 0 and 1 are rows of "
        "their own. Selected: by the first subset cut from the score, else the best sixth. "
        "Spearman: rank correlation of score and pass rate. Best window: of all windows of pass "
        "rates with as many problems as were selected, the one that holds most of them, chosen in "
        "hindsight; the share of the selection that it recovers, and the share that any window "
        "would by chance."
    )

"""How many problems each threshold keeps of each score, with the never and always solved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from limr.analysis import results, which_scores
from limr.core.validation import Keys, Number, key
from limr.scores.thresholds import THRESHOLDS
from limr.trajectories import curves as tr

TITLE = "Problems kept by threshold"
REQUIRES = ("trajectories", "scores", "subsets")
DECIMALS = 2


class Options(Keys):
    """Keys of `tables.thresholds`."""

    scores: which_scores.Names = None
    thresholds: list[Number] = key(
        list(THRESHOLDS), "Thresholds to count at; those of the study's arms are always there."
    )


def build(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per score and threshold, the score's whole range first.

    A threshold that keeps no problem is left out, unless an arm is cut there.
    """
    rows = []
    for name in which_scores.names(inputs, options["scores"], "table 'thresholds'"):
        frame = inputs.scores[name]
        curves = which_scores.curves(inputs, name)
        solved = frame["problem_id"].map(tr.solved(curves) if curves is not None else {})
        arms = _arms(inputs, name)
        cuts = sorted({(at, False) for at in options["thresholds"]} | set(arms))
        for cut in [None, *cuts]:
            kept = _kept(frame["score"], cut)
            if kept.any() or cut is None or cut in arms:
                rows.append(
                    {
                        "score": name,
                        "threshold": _words(cut),
                        "kept": int(kept.sum()),
                        "share": float(kept.sum() / len(frame)),
                        "never solved": _count(solved, kept, "never"),
                        "always solved": _count(solved, kept, "always"),
                        "cut by": ", ".join(arms.get(cut, ())) if cut else "",
                    }
                )
    return pd.DataFrame(rows)


def _arms(inputs: results.Inputs, score: str) -> dict[tuple[float, bool], list[str]]:
    """Return (threshold, strict) -> the titles of the arms that are cut there."""
    titles = {arm["name"]: arm["title"] for arm in inputs.study["arms"]}
    found: dict[tuple[float, bool], list[str]] = {}
    for arm, record in inputs.subsets.items():
        rule = record["rule"]
        if record["score"] == score and "threshold" in rule:
            cut = (float(rule["threshold"]), bool(rule.get("strict", False)))
            found.setdefault(cut, []).append(titles.get(arm, arm))
    return found


def _kept(scores: pd.Series[float], cut: tuple[float, bool] | None) -> np.ndarray[Any, Any]:
    if cut is None:
        return scores.notna().to_numpy()
    return (scores > cut[0] if cut[1] else scores >= cut[0]).to_numpy()


def _words(cut: tuple[float, bool] | None) -> str:
    return "any score" if cut is None else f"{'>' if cut[1] else '≥'} {cut[0]:g}"


def _count(solved: pd.Series[str], kept: np.ndarray[Any, Any], kind: str) -> Any:
    return int((solved[kept] == kind).sum()) if solved.notna().any() else pd.NA


def caption(frame: pd.DataFrame) -> str:
    """Say what the columns count."""
    return (
        "How many problems each threshold keeps of each score, as a share of all problems, and how "
        "many of them were never or always solved over all recorded epochs (a dash where there are "
        "no learning curves to tell from). Thresholds that keep nothing are left out."
    )

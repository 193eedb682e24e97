"""What a study that trains nothing found: how sure its choice is, and what it amounts to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from limr.analysis import subset_records, which_scores
from limr.analysis.results import Inputs, Json
from limr.scores.enough import WANTED
from limr.trajectories import curves as tr

_SURE = 0.95  # share of draws from which a problem counts as sure


@dataclass(frozen=True)
class Fact:
    """A thing that was found: its name, the value in a few words, what it means, a half-sentence.

    `said` goes on from "limr chooses 201 of 1,209 problems"; empty: not part of the answer.
    """

    name: str
    value: str
    detail: str
    said: str = ""


def answer(inputs: Inputs) -> str | None:
    """Return in one sentence what was chosen and how sure it is; None: nothing was chosen."""
    arm = _main_arm(inputs)
    if arm is None:
        return None
    record = inputs.subsets[arm["name"]]
    start = (
        f"{arm['title']} chooses {record['n_selected']:,} of {record['n_problems']:,} problems by "
        f"‘{record['score']}’"
    )
    return "; ".join([start, *(fact.said for fact in facts(inputs) if fact.said)]) + "."


def facts(inputs: Inputs) -> list[Fact]:
    """Return what can be said of the first chosen subset, most important first."""
    arm = _main_arm(inputs)
    if arm is None:
        return []
    record = inputs.subsets[arm["name"]]
    found = (_sureness(inputs, record), _epochs(inputs, record), _agreement(inputs, record),
             _closeness(inputs, record), _edge(inputs, record), _dead(record),
             _unusable(inputs, record))  # fmt: skip
    return [fact for fact in found if fact is not None]


def _main_arm(inputs: Inputs) -> Json | None:
    arms = inputs.study["arms"]
    return next(
        (arm for arm in arms if subset_records.is_chosen(inputs.subsets.get(arm["name"]))), None
    )


def _sureness(inputs: Inputs, record: Json) -> Fact | None:
    diagnosis = inputs.diagnostics.get(record["score"])
    if diagnosis is None:
        return None
    kept = diagnosis.problems[diagnosis.problems["selected"]]
    again, sure = kept["probability"].mean(), int((kept["probability"] >= _SURE).sum())
    return Fact(
        "How sure is the choice?",
        f"{100 * again:.0f} % chosen again",
        f"when the samples of every problem are redrawn; {sure:,} of {len(kept):,} are chosen in "
        f"at least {100 * _SURE:.0f} % of the draws",
        f"{100 * again:.0f} % of them would be chosen again from new samples",
    )


def _epochs(inputs: Inputs, record: Json) -> Fact | None:
    diagnosis = inputs.diagnostics.get(record["score"])
    if diagnosis is None:
        return None
    rows = diagnosis.epochs
    first = rows[(rows["kind"] == "first") & (rows["epochs"] < rows["n_epochs"])]
    if first.empty:
        return None
    total, name = int(rows["n_epochs"].iloc[0]), "How many epochs would have done?"
    # The first number from which on the overlap stays high, so that no lucky epoch is taken.
    low = first.loc[first["overlap"] < WANTED, "epochs"]
    enough = first.loc[first["epochs"] > (low.max() if len(low) else 0), "epochs"]
    if enough.empty:
        best = 100 * first["overlap"].max()
        return Fact(
            name,
            f"not fewer than {total}",
            f"fewer epochs share at most {best:.0f} % of the best with all {total}",
        )
    k = int(enough.min())
    return Fact(
        name,
        f"the first {k} of {total}",
        f"from there on, at least {100 * WANTED:.0f} % of the best are those by all epochs",
        f"the first {k} of {total} epochs would have done for {100 * WANTED:.0f} % of the choice",
    )


def _agreement(inputs: Inputs, record: Json) -> Fact | None:
    names = which_scores.comparable(inputs)
    main = record["score"]
    if main not in names or len(names) < 2:
        return None
    pairs = which_scores.compared(inputs, names, record["n_selected"])
    shared = {
        (one if other == main else other): found
        for (one, other), found in pairs.items()
        if main in (one, other) and not np.isnan(found.overlap)
    }
    if not shared:
        return None
    ordered = sorted(shared, key=lambda name: -shared[name].overlap)
    ends = [f"{100 * shared[name].overlap:.0f} %" for name in (ordered[0], ordered[-1])]
    value = f"{ends[1]} to {ends[0]} shared" if len(ordered) > 1 else f"{ends[0]} shared"
    others = ", ".join(f"{name} {100 * shared[name].overlap:.0f} %" for name in ordered)
    chance = f"{100 * shared[ordered[0]].chance:.0f} %"
    return Fact(
        f"Do selectors agree with {main}?",
        value,
        f"of as many best: {others}; by chance {chance}",
    )


def _closeness(inputs: Inputs, record: Json) -> Fact | None:
    """Return how nearly LIM's order is that of closeness of the pass rate to the mean rate."""
    curves = which_scores.curves(inputs, record["score"])
    if record.get("selector") != "lim" or curves is None:
        return None
    scores = inputs.scores[record["score"]].set_index("problem_id")["score"]
    matrix = tr.samples(curves, [str(key) for key in scores.index])
    n, right = matrix.n.sum(axis=1), matrix.n_correct.sum(axis=1)
    rate = pd.Series(np.where(n > 0, right / np.maximum(n, 1), np.nan), index=scores.index)
    rate = rate[scores.notna()]
    rho = scores.corr(-(rate - rate.mean()).abs(), method="spearman")
    if np.isnan(rho):
        return None
    near = "nearly " if rho >= 0.9 else ""
    return Fact(
        "What does LIM prefer?",
        f"ρ = {rho:.2f}".replace("-", "−"),
        "rank correlation of its scores with how close a problem's pass rate, over all epochs, is "
        f"to the mean pass rate ({100 * rate.mean():.0f} %)",
        f"its order is {near}that of how close pass rates are to their mean "
        f"(ρ\u00a0=\u00a0{rho:.2f})"
        if near
        else "",
    )


def _edge(inputs: Inputs, record: Json) -> Fact | None:
    """Return how much hangs on the threshold, where there is one."""
    at = record["rule"].get("threshold")
    if at is None or record["score"] not in inputs.scores:
        return None
    exact = int((inputs.scores[record["score"]]["score"] == at).sum())
    sizes = sorted((float(key), n) for key, n in record["sizes_at_thresholds"].items())
    below = [f"{key:g} would keep {n:,}" for key, n in sizes if key < at][-1:]
    above = [f"{key:g} {n:,}" for key, n in sizes if key > at][:1]
    return Fact(
        "What hangs on the threshold?",
        f"{exact:,} exactly on {at:g}",
        ", ".join(below + above),
        f"{exact:,} have exactly the threshold {at:g} as their score" if exact else "",
    )


def _dead(record: Json) -> Fact | None:
    if not record.get("never_solved"):
        return None
    never, always = record["never_solved"], record["always_solved"]
    kept = (f"{never['n_selected']:,} and {always['n_selected']:,}", "none")
    return Fact(
        "Dead problems",
        f"{never['n']:,} never, {always['n']:,} always solved",
        f"they give no signal; {kept[not never['n_selected'] + always['n_selected']]} of them were "
        "chosen",
    )


def _unusable(inputs: Inputs, record: Json) -> Fact | None:
    """Return how many problems have no score, no gold answer, or one that cannot be rewarded."""
    missing = record["n_problems"] - record["n_scored"]
    ids = set(inputs.scores[record["score"]]["problem_id"]) if inputs.scores else set()
    known = (p for found in inputs.problems.values() for p in found if p.problem_id in ids)
    empty = sum(not problem.answer.strip() for problem in known)
    dead = record.get("dead") or {"n": 0, "n_selected": 0}
    reasons = record.get("not_scored") or {}
    parts = [f"{n:,}: {reason}" for reason, n in sorted(reasons.items(), key=lambda one: -one[1])]
    parts += [f"{empty:,} without a gold answer"] if empty else []
    if dead["n"]:
        cannot = "whose gold answer the grader cannot reward"
        parts.append(f"{dead['n']:,} {cannot} ({dead['n_selected']:,} chosen)")
    if not parts:
        return None
    said = f"{missing:,} problems have no score" if missing else ""
    value = f"{missing:,} without a score" if missing else f"{max(empty, dead['n']):,}"
    return Fact("Unusable problems", value, "; ".join(parts), said)

"""What runs cost, and what choosing an arm's problems cost before them.

An arm whose problems were chosen by a score from another arm's rollouts is charged that run, up to
the last epoch that the score used, and whatever had to run before that run. An arm chosen from
responses of the base policy is charged these responses. The cost of a score from a file is unknown,
which is not 0.

A run that started from another one costs what both cost, that one up to the start: the part that
several runs share is in the cost of each, once. A score that was made from this part costs nothing
more.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import numpy as np

from limr.analysis import subset_records
from limr.analysis.results import Group, Inputs, Json
from limr.analysis.run_costs import AMOUNTS, Cost, by_step, cost_of, hours_of, run_costs, way
from limr.core import plugins


@dataclass(frozen=True)
class Scoring:
    """What had to run before an arm's problems could be chosen; `cost` None: it is not known."""

    text: str
    cost: Cost | None


@dataclass(frozen=True)
class Entry:
    """A trained group's bill: `total` is its own runs and `scoring`; None: it is not known.

    `scoring` None: its problems were chosen without a run.
    """

    group: Group
    problems: int | None
    n_runs: int
    own: Cost
    scoring: Scoring | None
    total: Cost | None
    ratio: float | None  # total tokens against the arm that trains on every problem


def entries(inputs: Inputs) -> list[Entry]:
    """Return the bill of every trained group whose runs are there, in the study's order."""
    costs = run_costs(inputs)
    groups = [g for g in inputs.groups if any(arm in g.arms for arm, _ in costs)]
    full = next((g for g in groups if g.train == "ppo" and _is_full(inputs, g)), None)
    whole = _mean(costs, full).tokens if full else None
    return [_entry(inputs, group, costs, whole) for group in groups]


def _is_full(inputs: Inputs, group: Group) -> bool:
    return subset_records.is_full(subset_records.group_record(inputs, group))


def _entry(
    inputs: Inputs, group: Group, costs: dict[tuple[str, int], Cost], whole: float | None
) -> Entry:
    record = subset_records.group_record(inputs, group) or {}
    own, before = _mean(costs, group), scoring(inputs, group.arms[0])
    total: Cost | None = own
    if before is not None:
        total = _sum(own, before.cost) if before.cost else None
    return Entry(
        group=group,
        problems=record.get("n_selected"),
        n_runs=sum(arm in group.arms for arm, _ in costs),
        own=own,
        scoring=before,
        total=total,
        ratio=total.tokens / whole if whole and total else None,
    )


def scoring(inputs: Inputs, arm: str) -> Scoring | None:
    """Return what had to run before an arm's problems could be chosen; None: nothing.

    That is the run of the score that chose them, and of the difficulties that its sampler has; of
    choices on the way of its runs too. What its runs went through anyway, as they started from the
    run that its score is of, is charged with them and not again.
    """
    arms = [*(name for name, _ in way(inputs, arm)), arm]
    logs = {log: epochs for name in arms for log, epochs in _logs(inputs, name).items()}
    found = {one.text: one for log in logs.items() if (one := _of_log(inputs, *log, arm))}
    parts = list(found.values())
    if len(parts) < 2:
        return parts[0] if parts else None
    total = parts[0].cost
    for part in parts[1:]:
        total = _sum(total, part.cost) if total and part.cost else None
    return Scoring(" and ".join(found), total)


def _logs(inputs: Inputs, arm: str) -> dict[str, Any]:
    """Return name of learning curves -> the epochs that were used, None for all."""
    record, logs = inputs.subsets.get(arm, {}), {}
    selector = record.get("selector")
    if record and not (selector and not plugins.load("selectors", selector).NEEDS_TRAJECTORIES):
        logs[str(record.get("trajectories"))] = record.get("options", {}).get("epochs")
    about: Json = next((one for one in inputs.study["arms"] if one["name"] == arm), {})
    if "difficulty_from" in about:
        logs.setdefault(about["difficulty_from"], about["difficulty_epochs"])
    return logs


def _of_log(inputs: Inputs, name: str, epochs: Any, final: str) -> Scoring:
    """Return what learning curves cost an arm, `final`, whose way may have the run they are of."""
    if name in inputs.samples:
        return _of_samples(inputs.samples[name])
    source = inputs.study.get("scored_from", {}).get(name)
    if source is None:
        return Scoring(f"'{name}', from a file: not counted", None)
    titles = {arm["name"]: arm["title"] for arm in inputs.study["arms"]}
    early = f", {epochs} epochs" if epochs else ""
    if "last_step" in source:
        early = f", steps 1 to {source['last_step']}{early}"
    text = f"{titles.get(source['arm'], source['arm'])}, seed {source['seed']}{early}"
    shared = _on_the_way(inputs, final, source)
    if shared >= source.get("last_step", np.inf):
        nothing = Cost(0.0, 0.0, 0.0, 0.0, 0.0, _device(inputs, final))
        return Scoring(f"its own first {source['last_step']} steps", nothing)
    cost = _until(inputs, source, epochs)
    if shared and cost:
        text = f"{text}, after its own first {shared} steps"
        cost = _less(cost, _until(inputs, {**source, "last_step": shared}, None))
    before = scoring(inputs, source["arm"])
    if before is not None:
        text = f"{text}, after {before.text}"
        cost = _sum(cost, before.cost) if cost and before.cost else None
    return Scoring(text, cost)


def _of_samples(record: Json) -> Scoring:
    """Return what responses of the base cost: their number and their own tokens, no training."""
    drawn = [record[decoding["name"]] for decoding in record["settings"]["decodings"]]
    n = sum(part["n_responses"] for part in drawn)
    tokens = sum(part["n_responses"] * part["mean_response_tokens"] for part in drawn)
    return Scoring(f"{n:,} responses of the base", Cost(0.0, 0.0, float(n), tokens, np.nan, ""))


def _on_the_way(inputs: Inputs, arm: str, source: Json) -> int:
    """Return up to which step the run that a score is of is part of an arm's one run; 0: none.

    An arm with several runs and the scores of one seed is charged that seed's run whole: to all of
    its runs but one it is another's.
    """
    if [run["seed"] for run in inputs.runs if run["arm"] == arm] != [source["seed"]]:
        return 0
    return dict(way(inputs, arm)).get(source["arm"], 0)


def _device(inputs: Inputs, arm: str) -> str:
    return next((hours_of(run)[1] for run in inputs.runs if run["arm"] == arm), "")


def _until(inputs: Inputs, source: Json, epochs: int | None) -> Cost | None:
    """Return the cost of a run up to its `last_step`, or of its first epochs; without, of all."""
    frame = by_step(inputs)
    rows = frame[(frame["arm"] == source["arm"]) & (frame["seed"] == source["seed"])]
    if "last_step" in source:
        rows = rows[rows["step"] <= source["last_step"]]
    if epochs is not None:
        rows = rows[rows["epoch"] < epochs]
    return None if rows.empty else cost_of(rows.iloc[-1])


def _mean(costs: dict[tuple[str, int], Cost], group: Group) -> Cost:
    own = [cost for (arm, _), cost in costs.items() if arm in group.arms]
    means = {
        name: fmean(getattr(cost, name) for cost in own)
        for name in ("steps", "updates", "rollouts", "tokens", "hours")
    }
    return Cost(**means, device=own[0].device)


def _less(cost: Cost, known: Cost | None) -> Cost | None:
    if known is None:
        return None
    left = {name: getattr(cost, name) - getattr(known, name) for name in ("steps", *AMOUNTS)}
    return replace(cost, **left)


def _sum(own: Cost, before: Cost) -> Cost:
    return replace(
        own,
        steps=own.steps + before.steps,
        updates=own.updates + before.updates,
        rollouts=float(np.nansum([own.rollouts, before.rollouts])),
        tokens=own.tokens + before.tokens,
        hours=own.hours + before.hours if own.device == before.device else np.nan,
    )

"""The compute ledger: what runs cost, and what the choice of an arm's problems cost before them."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean
from typing import Any

from limr import registry, results
from limr.results import Group, Inputs, Json


@dataclass(frozen=True)
class Cost:
    """Cost of a run, or the mean over runs.

    Attributes:
        steps: training steps.
        updates: optimizer steps of the policy.
        rollouts: responses sampled; None: the kind of training samples none.
        tokens: prompt and response tokens trained on.
        hours: seconds of training times threads or GPUs, in hours; None: not recorded.
        device: what the hours are of, e.g. `CPU thread`.
    """

    steps: float
    updates: float
    rollouts: float | None
    tokens: float
    hours: float | None
    device: str


@dataclass(frozen=True)
class Entry:
    """A trained group's bill: `total` is its own runs and the run that its scores are from."""

    group: Group
    problems: int | None
    n_runs: int
    own: Cost
    scored_from: str | None
    scoring: Cost | None
    total: Cost
    ratio: float | None  # total tokens against the arm that trains on every problem


def entries(inputs: Inputs) -> list[Entry]:
    """Return the bill of every trained group whose runs are there, in the study's order."""
    costs = run_costs(inputs)
    groups = [g for g in inputs.groups if any(arm in g.arms for arm, _ in costs)]
    full = next((g for g in groups if g.train == "ppo" and _is_full(inputs, g)), None)
    whole = _mean(costs, full).tokens if full else None
    return [_entry(inputs, group, costs, whole) for group in groups]


def _is_full(inputs: Inputs, group: Group) -> bool:
    return results.is_full(results.group_record(inputs, group))


def _entry(
    inputs: Inputs, group: Group, costs: dict[tuple[str, int], Cost], whole: float | None
) -> Entry:
    record = results.group_record(inputs, group) or {}
    own = _mean(costs, group)
    source = _source(inputs, record)
    scoring = costs.get((source["arm"], source["seed"])) if source else None
    titles = {arm["name"]: arm["title"] for arm in inputs.study["arms"]}
    total = _sum(own, scoring) if scoring else own
    return Entry(
        group=group,
        problems=record.get("n_selected"),
        n_runs=sum(arm in group.arms for arm, _ in costs),
        own=own,
        scored_from=f"{titles[source['arm']]}, seed {source['seed']}" if source else None,
        scoring=scoring,
        total=total,
        ratio=total.tokens / whole if whole else None,
    )


def _source(inputs: Inputs, record: Json) -> Json | None:
    """Return `arm` and `seed` of the run that a subset was chosen from, if it needed one."""
    selector = record.get("selector")
    if not selector or not registry.load("selectors", selector).NEEDS_TRAJECTORIES:
        return None
    found: Json | None = inputs.study.get("scored_from", {}).get(str(record.get("trajectories")))
    return found


def run_costs(inputs: Inputs) -> dict[tuple[str, int], Cost]:
    """Return (arm, seed) -> cost of every run that has both metrics and a record."""
    frame = inputs.metrics
    if frame is None:
        return {}
    found = {}
    for run in inputs.runs:
        rows = frame[(frame["arm"] == run["arm"]) & (frame["seed"] == run["seed"])]
        if len(rows):
            n = inputs.subsets.get(run["arm"], {}).get("n_selected")
            hours, device = _hours(run)
            rollouts, updates = _counts(run.get("settings", {}), n, len(rows))
            found[run["arm"], run["seed"]] = Cost(
                len(rows), updates, rollouts, float(rows["tokens"].sum()), hours, device
            )
    return found


def _counts(settings: Json, n: int | None, steps: int) -> tuple[float | None, float]:
    """Return rollouts and optimizer steps of a run on n problems.

    A subset smaller than a batch is one batch (docs/deviations.md).
    """
    ppo: Any = settings.get("ppo")
    if ppo is None:
        return None, float(steps)
    prompts = min(ppo["prompts_per_step"], n) if n else ppo["prompts_per_step"]
    each = prompts * ppo["samples_per_prompt"]
    updates = -(-each // ppo["train_batch_size"]) * ppo["epochs_per_batch"]
    return float(steps * each), float(steps * updates)


def _hours(run: Json) -> tuple[float | None, str]:
    hardware = run.get("hardware", {})
    on_gpu = str(hardware.get("device", "cpu")).startswith("cuda")
    units = hardware.get("gpus", 1) if on_gpu else hardware.get("threads", 1)
    seconds = run.get("durations", {}).get("steps_seconds")
    name = "GPU" if on_gpu else "CPU thread"
    return (None if seconds is None else seconds * units / 3600), name


def _mean(costs: dict[tuple[str, int], Cost], group: Group) -> Cost:
    own = [cost for (arm, _), cost in costs.items() if arm in group.arms]
    hours = [cost.hours for cost in own if cost.hours is not None]
    rollouts = [cost.rollouts for cost in own if cost.rollouts is not None]
    return Cost(
        fmean(cost.steps for cost in own),
        fmean(cost.updates for cost in own),
        fmean(rollouts) if rollouts else None,
        fmean(cost.tokens for cost in own),
        fmean(hours) if len(hours) == len(own) else None,
        own[0].device,
    )


def _sum(own: Cost, scoring: Cost) -> Cost:
    known = own.hours is not None and scoring.hours is not None
    return Cost(
        own.steps + scoring.steps,
        own.updates + scoring.updates,
        (own.rollouts or 0.0) + (scoring.rollouts or 0.0),
        own.tokens + scoring.tokens,
        own.hours + scoring.hours if known else None,  # type: ignore[operator]
        own.device,
    )

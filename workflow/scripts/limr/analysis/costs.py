"""What runs cost, and what choosing an arm's problems cost before them.

An arm whose problems were chosen by a score from another arm's rollouts is charged that run, up to
the last epoch that the score used, and whatever had to run before that run. An arm chosen from
responses of the base policy is charged these responses. The cost of a score from a file is unknown,
which is not 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from limr.analysis import results, subset_records
from limr.analysis.results import Group, Inputs, Json
from limr.core import plugins


@dataclass(frozen=True)
class Cost:
    """Cost of a run, or the mean over runs; NaN where it is not recorded.

    Attributes:
        steps: training steps.
        updates: optimizer steps of the policy.
        rollouts: responses sampled; NaN: the kind of training samples none.
        tokens: prompt and response tokens trained on.
        hours: seconds of training times threads or GPUs, in hours.
        device: what the hours are of, e.g. `CPU thread`.
    """

    steps: float
    updates: float
    rollouts: float
    tokens: float
    hours: float
    device: str


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

    That is the run of the score that chose them, and of the difficulties that its sampler has.
    """
    found = [_of_log(inputs, *log) for log in _logs(inputs, arm).items()]
    if len(found) < 2:
        return found[0] if found else None
    costs = [one.cost for one in found]
    text = " and ".join(one.text for one in found)
    return Scoring(text, _sum(costs[0], costs[1]) if costs[0] and costs[1] else None)


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


def _of_log(inputs: Inputs, name: str, epochs: Any) -> Scoring:
    if name in inputs.samples:
        return _of_samples(inputs.samples[name])
    source = inputs.study.get("scored_from", {}).get(name)
    if source is None:
        return Scoring(f"'{name}', from a file: not counted", None)
    titles = {arm["name"]: arm["title"] for arm in inputs.study["arms"]}
    early = f", {epochs} epochs" if epochs else ""
    text = f"{titles[source['arm']]}, seed {source['seed']}{early}"
    cost = _until(inputs, source["arm"], source["seed"], epochs)
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


def _until(inputs: Inputs, arm: str, seed: int, epochs: int | None) -> Cost | None:
    """Return the cost of a run's first epochs; None: of all."""
    frame = by_step(inputs)
    rows = frame[(frame["arm"] == arm) & (frame["seed"] == seed)]
    if epochs is not None:
        rows = rows[rows["epoch"] < epochs]
    if rows.empty:
        return None
    last = rows.iloc[-1]
    return Cost(
        last["step"],
        last["updates"],
        last["rollouts"],
        last["tokens"],
        last["hours"],
        last["device"],
    )


@results.remembered
def by_step(inputs: Inputs) -> pd.DataFrame:
    """Return what every run has cost up to each of its steps.

    Returns:
        One row per run and step: arm, seed, step, epoch, updates, rollouts (NaN: it samples none),
        tokens, hours (NaN: not recorded), device. A run's hours are spread over its steps as
        their seconds are.
    """
    frame = inputs.metrics
    columns = ["arm", "seed", "step", "epoch", "updates", "rollouts", "tokens", "hours", "device"]
    found = []
    for (arm, seed), cost in run_costs(inputs).items():
        rows = frame[(frame["arm"] == arm) & (frame["seed"] == seed)]  # type: ignore[index]
        rows = rows.sort_values("step", kind="stable")
        share = np.arange(1, len(rows) + 1) / len(rows)
        seconds = rows["seconds"].cumsum().to_numpy(float) if "seconds" in rows else share
        drawn = _drawn(rows)
        found.append(
            rows[["arm", "seed", "step", "epoch"]].assign(
                updates=cost.updates * share,
                rollouts=cost.rollouts * share if drawn is None else drawn.cumsum(),
                tokens=rows["tokens"].cumsum().astype(np.float64),
                hours=cost.hours * (seconds / seconds[-1]),
                device=cost.device,
            )
        )
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns)


@results.remembered
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
            drawn = _drawn(rows)
            if drawn is not None:
                rollouts = float(drawn.sum())
            found[run["arm"], run["seed"]] = Cost(
                len(rows), updates, rollouts, float(rows["tokens"].sum()), hours, device
            )
    return found


def _drawn(rows: pd.DataFrame) -> npt.NDArray[np.float64] | None:
    """Return the rollouts of each step that a run with a sampler counted; None: it has none."""
    if "rollouts" not in rows or rows["rollouts"].isna().any():
        return None
    return rows["rollouts"].to_numpy(np.float64)


def _counts(settings: Json, n: int | None, steps: int) -> tuple[float, float]:
    """Return rollouts and optimizer steps of a run on n problems.

    A subset smaller than a batch is one batch (docs/deviations.md).
    """
    ppo: Any = settings.get("ppo")
    if ppo is None:
        return np.nan, float(steps)
    prompts = min(ppo["prompts_per_step"], n) if n else ppo["prompts_per_step"]
    each = prompts * ppo["samples_per_prompt"]
    updates = -(-each // ppo["train_batch_size"]) * ppo["epochs_per_batch"]
    return float(steps * each), float(steps * updates)


def _hours(run: Json) -> tuple[float, str]:
    hardware = run.get("hardware", {})
    on_gpu = str(hardware.get("device", "cpu")).startswith("cuda")
    units = hardware.get("gpus", 1) if on_gpu else hardware.get("threads", 1)
    seconds = run.get("durations", {}).get("steps_seconds")
    name = "GPU" if on_gpu else "CPU thread"
    return (np.nan if seconds is None else seconds * units / 3600), name


def _mean(costs: dict[tuple[str, int], Cost], group: Group) -> Cost:
    own = [cost for (arm, _), cost in costs.items() if arm in group.arms]
    means = {
        name: fmean(getattr(cost, name) for cost in own)
        for name in ("steps", "updates", "rollouts", "tokens", "hours")
    }
    return Cost(**means, device=own[0].device)


def _sum(own: Cost, before: Cost) -> Cost:
    return replace(
        own,
        steps=own.steps + before.steps,
        updates=own.updates + before.updates,
        rollouts=float(np.nansum([own.rollouts, before.rollouts])),
        tokens=own.tokens + before.tokens,
        hours=own.hours + before.hours if own.device == before.device else np.nan,
    )

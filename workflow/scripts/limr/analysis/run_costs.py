"""What runs cost, step by step, from the base on.

A run that started from another one costs what both cost, that one up to the start: the part that
several runs share is in the cost of each, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from limr.analysis import results
from limr.analysis.answer_rows import Run
from limr.analysis.results import Inputs, Json

AMOUNTS = ("updates", "rollouts", "tokens", "hours")


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


def way(inputs: Inputs, arm: str) -> list[tuple[str, int]]:
    """Return (arm, last step) of the runs that an arm's goes on from, the first one first."""
    ways = {entry["name"]: entry.get("way", []) for entry in inputs.study.get("arms", [])}
    return [(str(name), int(last)) for name, last in ways.get(arm, [])]


def cost_of(row: Any) -> Cost:
    """Return a row of `by_step` as a cost."""
    return Cost(*(row[name] for name in ("step", *AMOUNTS, "device")))


@results.remembered
def by_step(inputs: Inputs) -> pd.DataFrame:
    """Return what every run has cost up to each of its steps, from the base on.

    Returns:
        One row per run and step: arm, seed, step, epoch, updates, rollouts (NaN: it samples none),
        tokens, hours (NaN: not recorded), device. A run's hours are spread over its steps as
        their seconds are.
    """
    records = {(run["arm"], run["seed"]): run for run in inputs.runs}
    found = []
    for arm, seed in _own_costs(inputs):
        parts: list[pd.DataFrame] = []
        first = 1
        for name, last in [*way(inputs, arm), (arm, None)]:
            record = records.get((name, seed))
            own = None if record is None else _own_steps(inputs, record, (arm, seed), first)
            if own is None:
                break
            own = own if last is None else own[own["step"] <= last]
            if parts:
                before = parts[-1].iloc[-1]
                same = own["device"] == before["device"]
                own = own.assign(**{name: own[name] + before[name] for name in AMOUNTS})
                own["hours"] = own["hours"].where(same)
            parts.append(own.assign(arm=arm, seed=seed))
            first = (last or 0) + 1
        else:
            found += parts
    columns = ["arm", "seed", "step", "epoch", *AMOUNTS, "device"]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns)


def _own_steps(inputs: Inputs, record: Json, shown: Run, first: int) -> pd.DataFrame | None:
    """Return `by_step` of the steps that a run did itself; None where its metrics are lacking.

    Args:
        inputs: what the study has.
        record: the run's.
        shown: arm and seed of the run that shows its metrics, if not it itself: a later round.
        first: its first step.
    """
    frame = inputs.metrics
    if frame is None:
        return None
    arm, seed = record["arm"], record["seed"]
    rows = frame[(frame["arm"] == arm) & (frame["seed"] == seed) & (frame["step"] >= first)]
    if rows.empty:
        last = dict(way(inputs, shown[0])).get(arm, -1)
        of_shown = (frame["arm"] == shown[0]) & (frame["seed"] == shown[1])
        rows = frame[of_shown & frame["step"].between(first, last)]
    if rows.empty:
        return None
    rows = rows.sort_values("step", kind="stable")
    cost = _own_cost(inputs, record, rows)
    drawn = _drawn(rows)
    share = np.arange(1, len(rows) + 1) / len(rows)
    seconds = rows["seconds"].cumsum().to_numpy(float) if "seconds" in rows else share
    found: pd.DataFrame = rows[["arm", "seed", "step", "epoch"]].assign(
        updates=cost.updates * share,
        rollouts=cost.rollouts * share if drawn is None else drawn.cumsum(),
        tokens=rows["tokens"].cumsum().astype(np.float64),
        hours=cost.hours * (seconds / seconds[-1]),
        device=cost.device,
    )
    return found


@results.remembered
def run_costs(inputs: Inputs) -> dict[tuple[str, int], Cost]:
    """Return (arm, seed) -> cost from the base on, of every run with metrics and a record."""
    found = _own_costs(inputs)
    if any(way(inputs, arm) for arm, _ in found):
        last = by_step(inputs).groupby(["arm", "seed"], sort=False).tail(1)
        for _, row in last.iterrows():
            if way(inputs, row["arm"]):
                found[row["arm"], row["seed"]] = cost_of(row)
    return found


def _own_costs(inputs: Inputs) -> dict[tuple[str, int], Cost]:
    """Return `run_costs` of the steps that each run did itself."""
    frame = inputs.metrics
    if frame is None:
        return {}
    found = {}
    for run in inputs.runs:
        rows = frame[(frame["arm"] == run["arm"]) & (frame["seed"] == run["seed"])]
        before = way(inputs, run["arm"])
        rows = rows[rows["step"] > before[-1][1]] if before else rows
        if len(rows):
            found[run["arm"], run["seed"]] = _own_cost(inputs, run, rows)
    return found


def _own_cost(inputs: Inputs, run: Json, rows: pd.DataFrame) -> Cost:
    n = inputs.subsets.get(run["arm"], {}).get("n_selected")
    hours, device = hours_of(run)
    rollouts, updates = _counts(run.get("settings", {}), n, len(rows))
    drawn = _drawn(rows)
    if drawn is not None:
        rollouts = float(drawn.sum())
    return Cost(len(rows), updates, rollouts, float(rows["tokens"].sum()), hours, device)


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


def hours_of(run: Json) -> tuple[float, str]:
    hardware = run.get("hardware", {})
    on_gpu = str(hardware.get("device", "cpu")).startswith("cuda")
    units = hardware.get("gpus", 1) if on_gpu else hardware.get("threads", 1)
    seconds = run.get("durations", {}).get("steps_seconds")
    name = "GPU" if on_gpu else "CPU thread"
    return (np.nan if seconds is None else seconds * units / 3600), name

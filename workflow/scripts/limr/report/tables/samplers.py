"""What each sampler drew, how much of it had no signal, and the accuracy at equal rollouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import contrasts, results, run_costs
from limr.analysis.answer_rows import Run
from limr.analysis.results import Group, Inputs
from limr.core.errors import InputError
from limr.core.validation import Keys, key
from limr.statistics import estimates

TITLE = "Samplers at equal rollouts"
REQUIRES = ("evaluations", "metrics", "subsets", "runs")
DECIMALS = 1


class Options(Keys):
    """Keys of `tables.samplers`."""

    rollouts: int | None = key(
        None, "The rollouts to compare at; null: those of the run that drew fewest.", ge=1
    )
    against: str | None = key(
        None,
        "The arm to compare with; null: the declared one, else the first whose sampler is uniform "
        "or that has none.",
    )


def build(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per PPO arm."""
    spent = run_costs.by_step(inputs)
    groups = [
        group
        for group in results.evaluated_groups(inputs)
        if group.train == "ppo" and spent["arm"].isin(group.arms).any()
    ]
    if not groups:
        return pd.DataFrame(columns=["arm"])
    last = spent.groupby(["arm", "seed"])["rollouts"].max()
    budget = float(options["rollouts"] or last[last.notna()].min())
    names = {run["arm"]: _sampler(run) for run in inputs.runs}
    reference = _reference(inputs, groups, names, options["against"])
    at = {group.name: _steps(inputs, group, spent, budget) for group in groups}
    theirs = _frames(inputs, reference, at[reference.name])
    return pd.DataFrame(
        [
            {
                "arm": group.title,
                "sampler": names[group.arms[0]] or "none",
                **_drawn(inputs, group, spent),
                **_at_budget(inputs, group, spent, at[group.name]),
                **({} if group == reference else _gap(inputs, group, at[group.name], theirs)),
                "against": reference.title,
            }
            for group in groups
        ],
        dtype=object,
    )


def _sampler(run: Mapping[str, Any]) -> str | None:
    found = run.get("settings", {}).get("sampler") or {}
    return found.get("name")


def _reference(
    inputs: Inputs, groups: list[Group], names: Mapping[str, str | None], asked: str | None
) -> Group:
    wanted = asked or results.declared(inputs).against
    for group in groups:
        if wanted == group.name:
            return group
    if asked:
        raise InputError(f"tables.samplers.against: '{asked}' is no PPO arm with evaluations.")
    plain = [group for group in groups if names[group.arms[0]] in (None, "uniform")]
    return (plain or groups)[0]


def _drawn(inputs: Inputs, group: Group, spent: pd.DataFrame) -> dict[str, Any]:
    """Return what a group's runs drew, means over runs; NA where they did not count it."""
    frame = inputs.metrics
    assert frame is not None  # noqa: S101 - REQUIRES has it
    rows = frame[frame["arm"].isin(group.arms)]
    own = spent[spent["arm"].isin(group.arms)].groupby(["arm", "seed"])["rollouts"].max()
    found: dict[str, Any] = {
        "runs": len(own),
        "steps": int(rows["step"].max()),
        "rollouts": round(float(own.mean())),
    }
    names = ["draws a step", "without a signal, %", "problems drawn", "most drawn"]
    if "tries" not in rows or rows["tries"].isna().any():
        return found | dict.fromkeys(names, pd.NA)
    ends = rows[rows["step"] == rows["step"].max()]
    wasted = 100 * rows["without_signal"].sum() / rows["rollouts"].sum()
    values = (
        rows["tries"].mean(),
        wasted,
        ends["problems_drawn"].mean(),
        ends["most_drawn"].mean(),
    )
    return found | dict(zip(names, map(float, values), strict=True))


def _steps(inputs: Inputs, group: Group, spent: pd.DataFrame, budget: float) -> dict[Run, int]:
    """Return run -> its last evaluated step that has drawn at most so much; 0 before the first."""
    frame = results.evaluated(inputs)
    there = set(frame.loc[frame["group"] == group.name, "step"])
    rows = spent[spent["arm"].isin(group.arms)]
    found: dict[Run, int] = {
        (str(arm), int(seed)): 0 for arm, seed in zip(rows["arm"], rows["seed"], strict=True)
    }
    kept = rows[rows["step"].isin(there) & (rows["rollouts"] <= budget)]
    for arm, seed, step in zip(kept["arm"], kept["seed"], kept["step"], strict=True):
        found[str(arm), int(seed)] = max(int(step), found[str(arm), int(seed)])
    return found


def _frames(inputs: Inputs, group: Group, at: Mapping[Run, int]) -> dict[str, pd.DataFrame]:
    """Return benchmark -> runs by questions at these steps; {} where a run has no such step."""
    frame = results.evaluated(inputs)
    there = set(frame.loc[frame["group"] == group.name, "step"])
    if not set(at.values()) <= there:
        return {}
    return {
        name: results.answers_of(inputs, group.name, at, name, results.decodings(frame, name)[0])
        for name in results.benchmarks(inputs)
    }


def _at_budget(
    inputs: Inputs, group: Group, spent: pd.DataFrame, at: Mapping[Run, int]
) -> dict[str, Any]:
    frames = _frames(inputs, group, at)
    if not frames:
        return dict.fromkeys(("at step", "at rollouts", "mean %", "low", "high"), pd.NA)
    rows = spent[spent["arm"].isin(group.arms)]
    runs = zip(rows["arm"], rows["seed"], rows["step"], strict=True)
    here = rows[[at[str(arm), int(seed)] == step for arm, seed, step in runs]]
    steps = sorted(set(at.values()))
    found = contrasts.mean_of(inputs, frames).interval(results.declared(inputs).level)
    return {
        "at step": str(steps[0]) if len(steps) == 1 else f"{steps[0]} to {steps[-1]}",
        "at rollouts": round(float(here["rollouts"].mean())),
        **found.percent("mean %"),
    }


def _gap(
    inputs: Inputs, group: Group, at: Mapping[Run, int], theirs: Mapping[str, pd.DataFrame]
) -> dict[str, Any]:
    """Return the difference to the reference at the budget, paired by question, in points."""
    ours = _frames(inputs, group, at)
    if not ours or not theirs:
        return {}
    arms = contrasts.as_arm(ours), contrasts.as_arm(contrasts.asked_as(theirs, ours))
    declared = results.declared(inputs)
    found = estimates.of_difference(*arms, declared.weight(list(ours))).interval(declared.level)
    points = found.percent("difference")
    return {
        "difference": points["difference"],
        "difference, low": points["low"],
        "difference, high": points["high"],
    }


def caption(frame: pd.DataFrame) -> str:
    """Say what is counted, and at which step arms are compared."""
    return (
        "Means over an arm's runs. Rollouts are those really drawn, whether a step trained on them "
        "or not; without a signal: in groups all right or all wrong; problems drawn: different "
        "ones; most drawn: how often the most drawn problem was. Accuracy is the mean over the "
        "benchmarks (first decoding) at each run's last evaluated step that had drawn no more "
        "rollouts than the run with the fewest drew in all; differences are paired by question, in "
        "points, not corrected. A dash: not counted (an arm without `sampler`), or no step was "
        "evaluated early enough."
    )

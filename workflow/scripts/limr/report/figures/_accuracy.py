"""Accuracy of evaluations over training steps, as `accuracy` and `benchmarks` show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from limr.analysis import contrasts, results
from limr.report.figures import _style
from limr.statistics import estimates

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEADLINE = "headline decoding"


def by_run(rows: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy in percent, one row per benchmark, decoding, run and step."""
    keys = ["benchmark", "decoding", "arm", "group", "train", "seed", "step"]
    rows = rows.assign(accuracy=100 * rows["n_correct"] / rows["n"])
    grouped = rows.groupby(keys, sort=False)["accuracy"]
    return grouped.agg(accuracy="mean", questions="size").reset_index()


def headline_only(inputs: results.Inputs, frame: pd.DataFrame) -> pd.DataFrame:
    """Keep each benchmark's first decoding."""
    first = {b: results.decodings(frame, b)[0] for b in results.benchmarks(inputs)}
    return frame[frame["decoding"] == frame["benchmark"].map(first)]


def from_base(frame: pd.DataFrame, inputs: results.Inputs) -> pd.DataFrame:
    """Add the untrained policy, from which all arms start, to every line as step 0.

    Args:
        frame: `panel`, `group`, `train`, `run`, `step`, `accuracy`.
        inputs: what the study has. A base that was asked with another template is not a start.
    """
    asked = [group.name for group in inputs.groups if group.train == "none" and not group.changes]
    base = frame[frame["group"].isin(asked)].groupby("panel")["accuracy"].mean()
    trained = frame[(frame["train"] != "none") & frame["panel"].isin(base.index)]
    starts = trained.drop_duplicates(["panel", "arm", "seed"])
    has_start = set(frame.loc[frame["step"] == 0, "run"]) & set(starts["run"])
    starts = starts[~starts["run"].isin(has_start)]
    starts = starts.assign(step=0, accuracy=starts["panel"].map(base))
    return pd.concat([frame, starts], ignore_index=True)


def with_intervals(
    frame: pd.DataFrame, inputs: results.Inputs, asked: Mapping[str, Mapping[str, str]]
) -> pd.DataFrame:
    """Add `low` and `high`, the interval of each group's mean at each step, in percent.

    Args:
        frame: `panel`, `group`, `step`; rows of the base that begin a line get none.
        inputs: what the study has.
        asked: panel -> benchmark -> decoding, of what the panel's accuracy is the plain mean of.
    """
    level = results.declared(inputs).level
    rows = []
    for panel, group, step in frame[["panel", "group", "step"]].drop_duplicates().to_numpy():
        answers = {
            name: results.answers_of(inputs, group, int(step), name, decoding)
            for name, decoding in asked[panel].items()
        }
        if all(len(wide) for wide in answers.values()):
            found = estimates.of_mean(contrasts.as_arm(answers)).interval(level)
            ends = {"low": 100 * found.low, "high": 100 * found.high}
            rows.append({"panel": panel, "group": group, "step": step, **ends})
    return frame.merge(pd.DataFrame(rows), on=["panel", "group", "step"], how="left").assign(
        level=100 * level
    )


def in_order(frame: pd.DataFrame, panels: list[str]) -> pd.DataFrame:
    """Return the rows panel by panel, in this order of the panels."""
    return frame.sort_values(
        "panel", key=lambda titles: titles.map(panels.index), kind="stable", ignore_index=True
    )


def draw_panel(ax: Axes, part: pd.DataFrame) -> None:
    """Draw each arm's line with its intervals, and the base policy as a dashed line."""
    trained = part[part["train"] != "none"]
    if len(trained):
        _style.lines(ax, trained, "accuracy", band=False)
        _draw_intervals(ax, trained)
    for _, rows in part[part["train"] == "none"].groupby("group", sort=False):
        colour = rows["colour"].iloc[0]
        ax.axhline(rows["accuracy"].mean(), color=colour, ls=(0, (9, 4)), lw=1.2, zorder=1)
    steps = sorted(part["step"].unique())
    if len(steps) <= 8:
        ax.set_xticks(steps)
    ax.set_xlabel("training step")
    ax.margins(x=0.02)


def _draw_intervals(ax: Axes, trained: pd.DataFrame) -> None:
    """Draw the groups' intervals beside one another, so that none hides another."""
    groups = trained.groupby("group", sort=False)
    apart = 0.012 * float(trained["step"].max())
    for place, (_, rows) in enumerate(groups):
        ends = rows.dropna(subset="low").drop_duplicates("step")
        shift = (place - (len(groups) - 1) / 2) * apart
        colour = rows["colour"].iloc[0]
        ax.vlines(ends["step"] + shift, ends["low"], ends["high"], color=colour, alpha=0.5, lw=1.6)


def intervals(frame: pd.DataFrame) -> str:
    """Say how many runs there are and what lines and intervals are."""
    return (
        f"Lines: mean over runs ({_style.runs(frame[frame['train'] != 'none'])}); upright: the "
        f"{frame['level'].max():g} % interval over runs and questions, side by side so that none "
        "hides another. Dashed: the base policy, from which every line starts at step 0."
    )

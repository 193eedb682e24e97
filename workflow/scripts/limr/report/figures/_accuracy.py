"""Accuracy of evaluations over training steps, as `accuracy` and `benchmarks` show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from limr.analysis import results
from limr.report.figures import _style

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


def in_order(frame: pd.DataFrame, panels: list[str]) -> pd.DataFrame:
    """Return the rows panel by panel, in this order of the panels."""
    return frame.sort_values(
        "panel", key=lambda titles: titles.map(panels.index), kind="stable", ignore_index=True
    )


def draw_panel(ax: Axes, part: pd.DataFrame) -> None:
    """Draw each arm's line with its band, and the base policy as a dashed line."""
    trained = part[part["train"] != "none"]
    if len(trained):
        _style.lines(ax, trained, "accuracy")
    for _, rows in part[part["train"] == "none"].groupby("group", sort=False):
        colour = rows["colour"].iloc[0]
        ax.axhline(rows["accuracy"].mean(), color=colour, ls=(0, (9, 4)), lw=1.2, zorder=1)
    steps = sorted(part["step"].unique())
    if len(steps) <= 8:
        ax.set_xticks(steps)
    ax.set_xlabel("training step")
    ax.margins(x=0.02)


def bands(frame: pd.DataFrame) -> str:
    """Say how many runs there are and what lines and bands are."""
    return (
        f"Lines: mean over runs ({_style.runs(frame[frame['train'] != 'none'])}); bands: lowest to "
        "highest run. Dashed: the base policy, from which every line starts at step 0."
    )

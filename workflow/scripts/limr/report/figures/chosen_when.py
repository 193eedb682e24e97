"""What was chosen when: problems by rounds, and in how many runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from limr.analysis import chosen_when, results
from limr.report.figures import _style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "What was chosen when"
REQUIRES = ("subsets",)
SHADES = "Blues"


def data(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per arm, problem and round, as `limr.analysis.chosen_when.counted`.

    With `share` (of the runs) and `row`: the problem's place in its arm, those first that most runs
    chose in the first round, then in the next.
    """
    frame = chosen_when.counted(inputs)
    frame["share"] = frame["chosen"] / frame["runs"]
    places = []
    for name, part in frame.groupby("group", sort=False):
        wide = part.pivot(index="problem_id", columns="round", values="chosen")
        ordered = wide.sort_values(list(wide.columns), ascending=False, kind="stable")
        places.append(
            pd.DataFrame({"group": name, "problem_id": ordered.index, "row": range(len(ordered))})
        )
    return frame.merge(pd.concat(places), on=["group", "problem_id"], how="left")


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw a column of cells for each round, side by side for each arm."""
    groups = list(frame["group"].unique())
    widths = [frame.loc[frame["group"] == name, "round"].max() for name in groups]
    drawn = _style.figure(1.6 + sum(0.5 + 0.45 * int(n) for n in widths), 4.4)
    axes = drawn.subplots(
        1, len(groups), squeeze=False, sharey=True, gridspec_kw={"width_ratios": widths}
    )[0]
    rows = int(frame["row"].max()) + 1
    for ax, name in zip(axes, groups, strict=True):
        part = frame[frame["group"] == name]
        wide = part.pivot(index="row", columns="round", values="share")
        shown = ax.imshow(
            wide.to_numpy(float), aspect="auto", cmap=SHADES, vmin=0, vmax=1,
            interpolation="nearest", extent=(0.5, len(wide.columns) + 0.5, len(wide), 0),
        )  # fmt: skip
        steps = part.drop_duplicates("round").sort_values("round")
        ax.set_xticks(steps["round"], [f"{step:,}" for step in steps["first step"]])
        ax.set_title(part["title"].iloc[0], rotation=28, ha="left", fontsize=8.5, loc="left")
        ax.set_ylim(rows, 0)
        ax.grid(visible=False)
    axes[0].set_ylabel("problems, by when they were chosen")
    drawn.supxlabel("first step of the round", fontsize=10)
    bar = drawn.colorbar(shown, ax=list(axes), shrink=0.7)
    bar.set_label("share of runs that chose it")
    return drawn


def caption(frame: pd.DataFrame) -> str:
    """Say what a cell is."""
    return (
        "Each line is a problem that any run of the arm chose, each column a round, named by its "
        "first step; the darker, the more of the arm's runs (seeds) chose it. Problems are in the "
        "order of the first rounds: blocks that begin lower down were chosen later."
    )

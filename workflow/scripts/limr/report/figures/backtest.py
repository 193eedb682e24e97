"""How many chosen problems still had a signal, by the epochs that the choice was made from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from limr.analysis.results import Inputs
from limr.core.errors import InputError, nearest
from limr.core.validation import Keys, key
from limr.report.figures import _style
from limr.scores.backtest_rows import ORACLE, RANDOM, SELECTOR, summary
from limr.scores.backtest_text import NOT_ACCURACY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "Signal of what was chosen, by epoch"
REQUIRES = ("backtest",)
COLUMNS = 5  # panels in a row
_OTHERS = "#C9CFD6"


class Options(Keys):
    """Keys of `figures.backtest`."""

    trajectories: str | None = key(
        None, "The learning curves that are shown; null: the first that can be tested."
    )


def data(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per choice and t, best choice first.

    Returns:
        log, selector, role, t, signal, low, high, mean (over the compared t; missing: not
        compared), size, prompts, horizon, level.

    Raises:
        InputError: the study has no such learning curves, or none that can be tested.
    """
    table, where = inputs.backtest, "figure 'backtest'"
    if table is None:
        raise InputError(f"{where}: the study has no learning curves to test on.")
    tested = table[table["t"].notna() & (table["measure"] == "signal") & table["value"].notna()]
    logs = list(tested["log"].unique())
    if not logs:
        raise InputError(f"{where}: {table['reason'].iloc[0]}")
    log = options["trajectories"] or logs[0]
    if log not in logs:
        raise InputError(f"{where}: no backtest of '{log}'.{nearest(log, logs)}")
    means = summary(table[table["log"] == log]).set_index("selector")["signal"]
    order = {name: place for place, name in enumerate(means.index)}
    rows = tested[tested["log"] == log].rename(columns={"value": "signal"})
    rows = rows.assign(mean=rows["selector"].map(means), place=rows["selector"].map(order))
    kept = ["log", "selector", "role", "t", "signal", "low", "high", "mean", "size", "prompts",
            "horizon", "level"]  # fmt: skip
    found: pd.DataFrame = rows.sort_values(["place", "t"], ignore_index=True)[kept]
    return found.astype(dict.fromkeys(("t", "size", "prompts"), int))


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw a panel per selector, with all others in grey, random and the oracle as lines."""
    names = list(frame.loc[frame["role"] == SELECTOR, "selector"].unique())
    columns = max(1, min(COLUMNS, len(names)))
    rows = max(1, -(-len(names) // columns))
    drawn = _style.figure(2.25 * columns + 0.6, 1.85 * rows + 0.7)
    axes = list(drawn.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel())
    lowest = float(np.floor(10 * frame.loc[frame["role"] == RANDOM, "signal"].min() - 0.5) / 10)
    for place, ax in enumerate(axes):
        if place < len(names):
            _draw_panel(ax, frame, names[place], max(lowest, 0.0))
        ax.set_visible(place < len(names))
        ax.tick_params(labelbottom=place + columns >= len(names))
    drawn.supxlabel("t: the choice is made from the first t epochs", fontsize=11)
    drawn.supylabel("share of groups with a signal", fontsize=11)
    _draw_legend(drawn)
    return drawn


def _draw_panel(ax: Axes, frame: pd.DataFrame, name: str, lowest: float) -> None:
    for other, rows in frame[frame["role"] == SELECTOR].groupby("selector", sort=False):
        if other != name:
            ax.plot(rows["t"], rows["signal"], color=_OTHERS, linewidth=0.9, zorder=1)
    for role, dashes in ((RANDOM, ":"), (ORACLE, "--")):
        rows = frame[frame["role"] == role]
        ax.plot(rows["t"], rows["signal"], color=_style.INK, linewidth=1.3, linestyle=dashes)
    rows, colour = frame[frame["selector"] == name], _style.PALETTE[0]
    ax.fill_between(rows["t"], rows["low"], rows["high"], color=colour, alpha=0.2, linewidth=0)
    few = "o" if len(rows) < 3 else None
    ax.plot(rows["t"], rows["signal"], color=colour, linewidth=2.2, marker=few, zorder=3)
    mean = rows["mean"].iloc[0]
    ax.set_title(f"{name}  {mean:.3f}" if pd.notna(mean) else f"{name}  –", fontsize=10)
    ax.set_ylim(lowest, 1.03)
    ax.locator_params(axis="x", integer=True, nbins=5)
    if (rows["signal"] < lowest).mean() > 0.5:
        ax.text(0.5, 0.08, f"below {lowest:g}", transform=ax.transAxes, ha="center", color=colour)


def _draw_legend(drawn: Figure) -> None:
    from matplotlib.lines import Line2D

    shown = {
        "this selector": {"color": _style.PALETTE[0], "linewidth": 2.2},
        "the other selectors": {"color": _OTHERS, "linewidth": 1.4},
        "random": {"color": _style.INK, "linewidth": 1.3, "linestyle": ":"},
        "oracle": {"color": _style.INK, "linewidth": 1.3, "linestyle": "--"},
    }
    handles = [Line2D([], [], **look) for look in shown.values()]  # type: ignore[arg-type]
    drawn.legend(handles, list(shown), loc="outside upper left", ncols=4, fontsize=10)


def caption(frame: pd.DataFrame) -> str:
    """Say what was chosen, what was looked at, and what the band is."""
    one = frame.iloc[0]
    ahead = "epoch" if one["horizon"] == 1 else f"{one['horizon']} epochs"
    return (
        f"{NOT_ACCURACY} Curves '{one['log']}': of {one['prompts']:,} problems the best "
        f"{one['size']:,} by each selector, from their first t epochs alone; the share of their "
        f"groups with right and wrong answers in the next {ahead}. Beside the name: the mean over "
        f"the compared t. Band: {100 * one['level']:g} % bootstrap interval over problems. Random: "
        "an exact expectation; the oracle knows the groups it is judged by. One run."
    )

"""A score against offline pass rates: who is selected at which rate, and the best window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from limr.analysis import offline_pass_rates, results, which_scores
from limr.core.validation import Keys, key
from limr.report.figures import _style
from limr.statistics.intervals import wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "Score and offline pass rate"
REQUIRES = ("trajectories", "scores", "subsets")


class Options(Keys):
    """Keys of `figures.offline-pass-rates`."""

    score: str | None = key(None, "The score to show; null: that of the first subset cut from one.")
    rates: offline_pass_rates.Rates = None


WINDOW = "#E4DFCF"
END = 0.06  # distance of the bars of 0 and 1 from the rest


def data(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per bin of `limr.analysis.offline_pass_rates.by_rate`, and what was joined.

    Returns:
        The bins with share_selected and its Wilson interval (share_low, share_high); score, rates,
        samples, joined, selected, spearman, window_low, window_high, recovered, chance, colour.
    """
    where = "figure 'offline-pass-rates'"
    names = which_scores.names(inputs, None, where)
    score = which_scores.main(inputs, options["score"], names, where)
    joined = offline_pass_rates.join(inputs, score, options["rates"], where)
    window = joined.window
    frame = offline_pass_rates.by_rate(joined)
    ends = [wilson(k, n) for k, n in zip(frame["n_selected"], frame["n"], strict=True)]
    return frame.assign(
        share_selected=frame["n_selected"] / frame["n"],
        share_low=[low for low, _ in ends],
        share_high=[high for _, high in ends],
        score=score,
        rates=joined.rates_name,
        samples=joined.samples,
        joined=len(joined.rates),
        selected=int(joined.selected.sum()),
        spearman=joined.spearman,
        window_low=window.low if window else np.nan,
        window_high=window.high if window else np.nan,
        recovered=window.recovered / window.size if window else np.nan,
        chance=window.chance if window else np.nan,
        colour=_style.score_colours(inputs).get(score, _style.BASE),
    )


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw the share selected on the left, the mean score on the right, by pass rate."""
    drawn = _style.figure(10.4, 4.2)
    left, right = drawn.subplots(1, 2)
    _draw_selected(left, frame)
    _draw_scores(right, frame)
    inner = np.round(np.arange(0.1, 0.95, 0.2), 1)
    for ax in (left, right):
        ax.set_xlim(-END - 0.06, 1.0 + END + 0.06)
        ax.set_xticks([-END, *inner, 1.0 + END], ["0", *(f"{at:g}" for at in inner), "1"])
        ax.set_xlabel(f"offline pass rate, of {int(frame['samples'].iloc[0])} samples")
        ax.grid(False, axis="x")
    return drawn


def _places(frame: pd.DataFrame) -> pd.Series[float]:
    """Return the bars' places: those of 0 and 1 apart from their neighbours."""
    middle = (frame["low"] + frame["high"]) / 2
    return middle.where(frame["low"] < frame["high"], -END + (1.0 + 2 * END) * frame["low"])


def _draw_selected(ax: Axes, frame: pd.DataFrame) -> None:
    first, places = frame.iloc[0], _places(frame)
    share = frame["share_selected"]
    if not np.isnan(first["window_low"]):
        ax.axvspan(first["window_low"], first["window_high"], color=WINDOW, zorder=0, linewidth=0)
    widths = np.where(frame["low"] < frame["high"], 0.086, 0.05)
    ax.bar(places, share, color=first["colour"], width=widths)
    errors = [share - frame["share_low"], frame["share_high"] - share]
    ax.errorbar(places, share, errors, fmt="none", ecolor=_style.INK, elinewidth=1.1)
    overall = first["selected"] / first["joined"]
    ax.axhline(overall, color=_style.INK, linestyle="--", linewidth=1.3)
    at_end = ("axes fraction", "data")
    _style.note(ax, f"all: {overall:.2f}", (1.0, overall), (0, 4), at_end, ha="right")
    ax.set_ylim(0, min(1.0, 1.12 * float(frame["share_high"].max())))
    ax.set_ylabel("share selected")
    ax.set_title(f"Selected by '{first['score']}'")


def _draw_scores(ax: Axes, frame: pd.DataFrame) -> None:
    first = frame.iloc[0]
    half = 1.96 * frame["standard_error"].fillna(0.0)
    ax.errorbar(
        _places(frame), frame["mean_score"], half, fmt="o-", color=first["colour"], linewidth=2,
        markersize=5, elinewidth=1.3,
    )  # fmt: skip
    ax.set_ylabel("mean score")
    ax.set_title(f"Mean of '{first['score']}'")


def caption(frame: pd.DataFrame) -> str:
    """Say what was joined, and what bars, shade and lines are."""
    first = frame.iloc[0]
    window = ""
    if not np.isnan(first["window_low"]):
        window = (
            f" Shaded: the window from {first['window_low']:.2f} to "
            f"{first['window_high']:.2f}, which of all windows with as many problems as were "
            f"selected holds most of them, in hindsight: {100 * first['recovered']:.0f} %, by "
            f"chance {100 * first['chance']:.0f} %."
        )
    return (
        f"The {int(first['joined']):,} problems with a score '{first['score']}' and a pass rate in "
        f"'{first['rates']}' (median of {int(first['samples'])} samples); "
        f"{int(first['selected']):,} of them are selected. Left: share selected by pass rate, with "
        f"Wilson's 95 % interval; dashed: over all.{window} Right: mean score with 1.96 standard "
        f"errors. Spearman's correlation of score and pass rate: {first['spearman']:.2f}."
    ).replace("-0.", "−0.")

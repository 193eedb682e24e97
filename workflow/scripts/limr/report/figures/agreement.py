"""How far the study's scores agree: a matrix of overlaps and of rank correlations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from limr.analysis import results, which_scores
from limr.report.figures import _style
from limr.report.tables import agreement as table

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TITLE = "Agreement of the scores"
REQUIRES = ("scores", "subsets")
Options = table.Options
# Dark is strong, in print without colour too; the two signs differ by hue and by the number.
POSITIVE, NEGATIVE = "Blues", "Oranges"
STRONGEST = 0.82  # of the colour map, so that numbers stay readable


def data(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row a cell of the matrix, row by row.

    Returns:
        row, column (places from 0), score (of the row), other (of the column), kind ("overlap"
        below the diagonal, "Spearman" above, "self" on it), value (NaN: not defined), n (problems
        that both could score), size (how many of the best), chance, colour (of the row's score).
    """
    where = "figure 'agreement'"
    scores = which_scores.names(inputs, options["scores"], where)
    size = options["size"] or which_scores.size(inputs, scores)
    colours = _style.score_colours(inputs)
    pairs = which_scores.compared(inputs, scores, size)
    rows = []
    for i, one in enumerate(scores):
        for j, other in enumerate(scores):
            found = pairs.get((one, other)) or pairs.get((other, one))
            kind = "self" if i == j else "overlap" if i > j else "Spearman"
            value = np.nan
            if found is not None:
                value = found.overlap if kind == "overlap" else found.spearman
            rows.append(
                {
                    "row": i,
                    "column": j,
                    "score": one,
                    "other": other,
                    "kind": kind,
                    "value": value,
                    "n": found.n if found else pd.NA,
                    "size": found.size if found else pd.NA,
                    "chance": found.chance if found else np.nan,
                    "colour": colours.get(one, _style.BASE),
                }
            )
    return pd.DataFrame(rows)


def draw(frame: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw the annotated matrix, overlap below the diagonal and Spearman above."""
    n = int(frame["row"].max()) + 1
    side = max(2.6, 0.86 * n)
    drawn = _style.figure(side + 1.4, side + 1.6)
    ax = drawn.subplots()
    for _, cell in frame.iterrows():
        _draw_cell(ax, cell)
    ax.set(xlim=(0, n), ylim=(n, 0), aspect="equal")
    names = frame[frame["kind"] == "self"]
    ticks = np.arange(n) + 0.5
    ax.set_xticks(ticks, list(names["score"]), rotation=35, ha="right", rotation_mode="anchor")
    ax.set_yticks(ticks, list(names["score"]))
    for axis in (ax.get_xticklabels(), ax.get_yticklabels()):
        for label, colour in zip(axis, names["colour"], strict=True):
            label.set(color=colour, fontweight="bold")
    ax.tick_params(length=0)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.set_title(_title(frame), fontsize=10, fontweight="normal", pad=10)
    return drawn


def _title(frame: pd.DataFrame) -> str:
    below = frame[frame["kind"] == "overlap"]
    if below.empty:
        return "one score only: nothing to compare"
    return (
        "Above the diagonal: Spearman's ρ\n"
        f"Below: overlap of the best {int(below['size'].max()):,}, by chance {_chance(below)}"
    )


def _chance(cells: pd.DataFrame) -> str:
    low, high = f"{cells['chance'].min():.2f}", f"{cells['chance'].max():.2f}"
    return low if low == high else f"{low} to {high}"


def _draw_cell(ax: Axes, cell: pd.Series[Any]) -> None:
    import matplotlib as mpl
    from matplotlib.patches import Rectangle

    at = (cell["column"], cell["row"])
    if cell["kind"] == "self":
        ax.add_patch(Rectangle(at, 1, 1, facecolor="#F1F1F1", edgecolor="white", linewidth=2))
        return
    value = float(cell["value"])
    known = not np.isnan(value)
    strength = abs(value) if known else 0.0
    shades = mpl.colormaps[POSITIVE if value >= 0 else NEGATIVE]
    colour = shades(STRONGEST * strength) if known else (1.0, 1.0, 1.0, 1.0)
    ax.add_patch(Rectangle(at, 1, 1, facecolor=colour, edgecolor="white", linewidth=2))
    ax.text(
        at[0] + 0.5,
        at[1] + 0.5,
        f"{value:.2f}".replace("-", "−") if known else "–",
        ha="center",
        va="center",
        color="white" if strength > 0.84 else _style.INK,
        fontsize=11,
    )


def caption(frame: pd.DataFrame) -> str:
    """Say what is compared, over how many problems, and what chance would give."""
    cells = frame[frame["kind"] == "overlap"]
    if cells.empty:
        return "There is one score only that is neither random nor constant: nothing to compare."
    n = sorted({int(value) for value in cells["n"]})
    problems = f"{n[0]:,}" if len(n) == 1 else f"{n[0]:,} to {n[-1]:,}"
    return (
        f"Every pair of scores, over the {problems} problems that both could score. Above the "
        "diagonal: Spearman's rank correlation. Below: the share of the "
        f"{int(cells['size'].max()):,} best by one score that are among as many best by the other; "
        f"two scores that know nothing of each other share {_chance(cells)} by chance. Dark is "
        "strong agreement; orange is negative. Scores made from the same rollouts share their "
        "noise and agree the better for it."
    )

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
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

TITLE = "Agreement of the scores"
REQUIRES = ("scores", "subsets")
Options = table.Options
# Dark is strong, in print without colour too; the two signs differ by hue and by the number.
POSITIVE, NEGATIVE = "Blues", "Oranges"
STRONGEST = 0.82  # of the colour map, so that numbers stay readable


def data(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per cell of the matrix, row by row.

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
    import seaborn as sns

    n = int(frame["row"].max()) + 1
    if n <= 2:
        return _draw_numbers(frame)
    side = max(2.6, 0.86 * n)
    drawn = _style.figure(side + 1.4, side + 1.6)
    ax = drawn.subplots()
    ax.set_facecolor("#F1F1F1")
    values = frame.pivot(index="row", columns="column", values="value")
    names = frame[frame["kind"] == "self"]
    sns.heatmap(
        values,
        vmin=-1,
        vmax=1,
        cmap=_shades(),
        annot=values.map(lambda value: f"{value:.2f}".replace("-", "−")),
        fmt="",
        annot_kws={"fontsize": 11},
        linewidths=2,
        cbar=False,
        square=True,
        xticklabels=names["score"],
        yticklabels=names["score"],
        ax=ax,
    )
    for text in ax.texts:
        x, y = text.get_position()
        text.set_color(_style.on(_shades()((values.to_numpy(float)[int(y), int(x)] + 1) / 2)))
    for _, cell in frame[frame["value"].isna() & (frame["kind"] != "self")].iterrows():
        ax.text(cell["column"] + 0.5, cell["row"] + 0.5, "–", ha="center", va="center")
    ax.set(xlabel="", ylabel="")
    ax.grid(False)
    ax.tick_params("x", rotation=35)
    ax.tick_params("y", rotation=0)
    for label, colour in zip(ax.get_xticklabels(), names["colour"], strict=True):
        label.set(color=colour, fontweight="bold", ha="right", rotation_mode="anchor")
    for label, colour in zip(ax.get_yticklabels(), names["colour"], strict=True):
        label.set(color=colour, fontweight="bold")
    ax.tick_params(length=0)
    ax.set_title(_title(frame), fontsize=10, fontweight="normal", pad=10)
    return drawn


def _draw_numbers(frame: pd.DataFrame) -> Figure:
    """Draw the agreement of two scores as numbers: a matrix of two says each of them once."""
    drawn = _style.figure(5.6, 2.2)
    ax = drawn.subplots()
    ax.set_axis_off()
    values = frame[frame["kind"] != "self"].set_index("kind")["value"]
    if values.empty:
        ax.set_title(_title(frame), fontsize=10, fontweight="normal")
        return drawn
    overlap = frame[frame["kind"] == "overlap"]
    size, names = int(overlap["size"].max()), " and ".join(frame["score"].unique())
    ax.set_title(names)
    for place, (value, text) in enumerate(
        (
            (f"{100 * values['overlap']:.0f} %", f"of the best {size:,} are the same;\n"
             f"by chance {100 * overlap['chance'].max():.0f} %"),
            (f"{values['Spearman']:.2f}".replace("-", "−"), "Spearman’s rank correlation\n"),
        )
    ):  # fmt: skip
        at = 0.25 + 0.5 * place
        ax.text(at, 0.62, value, ha="center", fontsize=26, fontweight="bold")
        ax.text(at, 0.45, text, ha="center", va="top", fontsize=10)
    return drawn


def _shades() -> ListedColormap:
    """Return the colours of values from -1 to 1."""
    import matplotlib as mpl
    from matplotlib.colors import ListedColormap

    strength = np.linspace(0, STRONGEST, 128)
    negative, positive = mpl.colormaps[NEGATIVE](strength), mpl.colormaps[POSITIVE](strength)
    return ListedColormap(np.concatenate([negative[::-1], positive]))


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


def caption(frame: pd.DataFrame) -> str:
    """Say what is compared, over how many problems, and what chance would give."""
    cells = frame[frame["kind"] == "overlap"]
    if cells.empty:
        return "There is one score only that is neither random nor constant: nothing to compare."
    n = sorted({int(value) for value in cells["n"]})
    problems = f"{n[0]:,}" if len(n) == 1 else f"{n[0]:,} to {n[-1]:,}"
    if len(cells) == 1:
        return (
            f"Two scores, over the {problems} problems that both could score: the share of the "
            f"{int(cells['size'].max()):,} best by one that are among as many best by the other "
            "(beside it what two scores share that know nothing of each other), and Spearman's "
            "rank correlation of all. Scores made from the same rollouts share their noise and "
            "agree the better for it."
        )
    return (
        f"Every pair of scores, over the {problems} problems that both could score. Above the "
        "diagonal: Spearman's rank correlation. Below: the share of the "
        f"{int(cells['size'].max()):,} best by one score that are among as many best by the other; "
        f"two scores that know nothing of each other share {_chance(cells)} by chance. Dark is "
        "strong agreement; orange is negative. Scores made from the same rollouts share their "
        "noise and agree the better for it."
    )

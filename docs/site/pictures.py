"""The site's pictures, drawn from the selectors themselves; SVG, the same bytes each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from example_curves import KINDS, Example

GREY, PICKED, MEAN = "#b9bfc7", "#c24e00", "#1b1f24"
STYLE = {
    "svg.hashsalt": "limr",
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
STAGES = (
    ("prompts", "answers"),
    ("train on all", "all rollouts kept"),
    ("learning curves", "share right, by epoch"),
    ("scores", "a selector"),
    ("subset", "threshold or size"),
    ("train on it", "against random"),
    ("evaluate", "intervals, costs"),
)


def save(figure: Any, path: Path) -> None:
    """Write a figure without a date."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    plt.close(figure)


def picks(of: Example, values: np.ndarray, chosen: np.ndarray, title: str, path: Path) -> None:
    """Draw all curves with the picked ones above them, and how many of each kind were picked."""
    with mpl.rc_context(STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(9.0, 3.4), width_ratios=(3, 2))
        curves, epochs = of.samples.accuracy, np.arange(1, of.samples.n_epochs + 1)
        for row in np.flatnonzero(~chosen):
            left.plot(epochs, curves[row], color=GREY, linewidth=0.7)
        for row in np.flatnonzero(chosen):
            left.plot(epochs, curves[row], color=PICKED, linewidth=1.3, alpha=0.9)
        left.plot(epochs, curves.mean(axis=0), color=MEAN, linewidth=1.6, linestyle="--")
        left.set(xlabel="epoch", ylabel="share of right samples", ylim=(-0.03, 1.03))
        left.set_xticks(epochs[1::2])
        left.set_title(f"{title}: the best {int(chosen.sum())} of {len(chosen)}", loc="left")
        kinds = list(KINDS)
        totals = [of.kinds.count(kind) for kind in kinds]
        samples = [
            sum(bool(c) for c, kind in zip(chosen, of.kinds, strict=True) if kind == wanted)
            for wanted in kinds
        ]
        right.barh(kinds, totals, color=GREY)
        right.barh(kinds, samples, color=PICKED)
        for place, (n, total) in enumerate(zip(samples, totals, strict=True)):
            right.text(total + 0.3, place, f"{n} of {total}", va="center")
        right.invert_yaxis()
        right.set(xlim=(0, max(totals) * 1.3), xticks=[])
        right.spines["bottom"].set_visible(False)
        right.set_title("picked, by kind", loc="left")
        save(figure, path)


def kinds(of: Example, chosen: Mapping[str, np.ndarray], path: Path) -> None:
    """Draw how many problems of each kind were picked, by selector -> (n,) flags."""
    names = list(KINDS)
    counts = np.array(
        [[sum(flags[np.array(of.kinds) == kind]) for kind in names] for flags in chosen.values()]
    )
    with mpl.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(7.0, 0.25 * len(chosen) + 0.8))
        axis.imshow(counts, cmap="Oranges", vmin=0, vmax=counts.max() * 1.3, aspect="auto")
        for (row, column), count in np.ndenumerate(counts):
            axis.text(column, row, str(count) if count else "·", ha="center", va="center")
        axis.set_xticks(range(len(names)), [f"{kind}\n{of.kinds.count(kind)}" for kind in names])
        axis.set_yticks(range(len(chosen)), list(chosen))
        axis.xaxis.tick_top()
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        save(figure, path)


def lim(of: Example, scores: np.ndarray, path: Path) -> None:
    """Draw what LIM measures: three curves, the mean curve, and the distance between them."""
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(1, 3, figsize=(9.0, 2.9), sharey=True)
        curves, epochs = of.samples.accuracy, np.arange(1, of.samples.n_epochs + 1)
        mean = curves.mean(axis=0)
        for axis, (row, what) in zip(axes, _three(of, scores), strict=True):
            axis.plot(epochs, curves[row], color=PICKED, linewidth=1.6)
            axis.plot(epochs, mean, color=MEAN, linewidth=1.6, linestyle="--")
            axis.fill_between(epochs, curves[row], mean, color=PICKED, alpha=0.15)
            axis.set_title(f"{what}: LIM {scores[row]:.2f}", loc="left", fontsize=9)
            axis.set(xlabel="epoch", ylim=(-0.03, 1.03), xticks=epochs[1::2])
        axes[0].set_ylabel("share of right samples")
        save(figure, path)


def _three(of: Example, scores: np.ndarray) -> Sequence[tuple[int, str]]:
    kinds = np.array(of.kinds)
    mastered, hopeless = (np.flatnonzero(kinds == kind) for kind in ("mastered", "hopeless"))
    return (
        (int(np.argmax(scores)), "near the mean curve"),
        (int(mastered[np.argmax(of.samples.pass_rate[mastered])]), "mastered"),
        (int(hopeless[np.argmin(of.samples.pass_rate[hopeless])]), "never solved"),
    )


def pipeline(path: Path) -> None:
    """Draw the stages of a study."""
    with mpl.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(10.0, 1.5))
        width, gap = 1.0, 0.28
        for place, (name, detail) in enumerate(STAGES):
            left = place * (width + gap)
            box = FancyBboxPatch((left, 0), width, 0.62, boxstyle="round,pad=0.05", fill=False)
            axis.add_patch(box)
            axis.text(left + width / 2, 0.4, name, ha="center", va="center", fontsize=8.5)
            axis.text(left + width / 2, 0.15, detail, ha="center", va="center", fontsize=5.8)
            if place:
                ends = ((left - gap + 0.04, 0.31), (left - 0.05, 0.31))
                axis.add_patch(FancyArrowPatch(*ends, arrowstyle="-|>", mutation_scale=9))
        axis.set(xlim=(-0.1, len(STAGES) * (width + gap)), ylim=(-0.1, 0.75))
        axis.axis("off")
        save(figure, path)

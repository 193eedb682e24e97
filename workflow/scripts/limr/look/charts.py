"""Figures for notebooks, in the look of the study's figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from limr.look import drawings
from limr.look.looked import CLASSES, Looked
from limr.report.figures import _style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = dict(zip(CLASSES, (_style.BASE, "#0072B2", "#D55E00", "#B5BAC1"), strict=True))


def curves(looked: Looked, most: int = 200) -> Axes:
    """Draw learning curves by class over the mean curve with its 95 % interval; return the axes.

    Args:
        looked: what was found in a log.
        most: curves drawn, evenly spaced from the best prompt to the worst; 0: the mean only.
    """
    import matplotlib.pyplot as plt
    from matplotlib.ticker import MaxNLocator

    accuracy = looked.curves
    visits = np.arange(1, accuracy.shape[1] + 1)
    rows = np.unique(np.linspace(0, len(accuracy) - 1, min(most, len(accuracy))).round())
    classes = looked.prompts["class"].to_numpy()
    mean, low, high = drawings.mean_interval(accuracy)
    with _style.applied():
        _, ax = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
        for row in rows.astype(int):
            ax.plot(visits, accuracy[row], color=COLOURS[classes[row]], alpha=0.25, linewidth=0.9,
                    marker="o", markersize=2)  # fmt: skip
        for name in CLASSES:
            n = looked.counts.get(name, 0)
            if n:
                ax.plot([], [], color=COLOURS[name], linewidth=2, label=f"{name} ({n:,})")
        ax.fill_between(visits, low, high, color=_style.INK, alpha=0.2, linewidth=0)
        ax.plot(visits, mean, color=_style.INK, linewidth=3, marker="o", markersize=4,
                label=f"mean of {len(accuracy):,}")  # fmt: skip
        ax.set(xlabel="visit", ylabel="accuracy", ylim=(-0.03, 1.03), title="Learning curves")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax

"""Did training help on what was trained on, and not on what was held out?

A group overfitted if its training signal improved in every run while its held-out accuracy fell:
from one of its own earlier steps to its last one, or to below the untrained base. Both falls are
judged by intervals. Every earlier step is looked at, so the level of their intervals is raised to
1 - (1 - level) / n for n earlier steps (Bonferroni): the best one is found by looking.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from limr.analysis import contrasts, results
from limr.analysis.number_text import points
from limr.analysis.results import Group, Inputs
from limr.statistics.intervals import Interval

SIGNALS = {"mean_reward": ("reward", 1), "loss": ("loss", -1)}  # in metrics; which way is better
_SHARE = 0.1  # of a run's steps, whose mean is taken at its begin and at its end


@dataclass(frozen=True)
class Signal:
    """What training improved: the mean over runs of its first and last tenth of steps."""

    name: str
    first: float
    last: float
    improved: bool  # in every run


@dataclass(frozen=True)
class Course:
    """How a group's held-out accuracy went.

    Attributes:
        group: a trained group with evaluations.
        signal: its training reward or loss; None: not recorded.
        best: of its evaluated steps before the last, the one with the highest mean accuracy;
            None: there is none.
        last: its last evaluated step.
        accuracy: mean accuracy at `best` and at `last`, in [0, 1].
        fall: last less best, by the interval that allows for all earlier steps.
        against_base: last less the untrained base; None: that was not evaluated.
    """

    group: Group
    signal: Signal | None
    best: int | None
    last: int
    accuracy: tuple[float, float]
    fall: Interval | None
    against_base: Interval | None

    @property
    def fell(self) -> bool:
        """Whether its held-out accuracy fell, by the interval."""
        return self.fall is not None and self.fall.high < 0

    @property
    def overfitted(self) -> bool:
        """Whether training improved its own signal and lowered held-out accuracy."""
        below = self.against_base is not None and self.against_base.high < 0
        return self.signal is not None and self.signal.improved and (self.fell or below)


def courses(inputs: Inputs) -> list[Course]:
    """Return the course of every trained group that was evaluated, in the study's order."""
    if inputs.evaluations is None:
        return []
    groups = results.evaluated_groups(inputs)
    return [course(inputs, group) for group in groups if group.train != "none"]


def course(inputs: Inputs, group: Group) -> Course:
    """Return how one trained group went.

    Raises:
        InputError: a run lacks a question.
    """
    steps = evaluated_steps(inputs, group)
    last, earlier = steps[-1], steps[:-1]
    means = {step: accuracy(inputs, group, step).mean for step in steps}
    best = max(earlier, key=lambda step: means[step]) if earlier else None
    fall = None
    if best is not None:
        level = 1 - (1 - results.declared(inputs).level) / len(earlier)
        fall = contrasts.change(inputs, group.name, best, last).interval(level)
    start, end, gap = contrasts.base(inputs), contrasts.Choice(step="last"), None
    if start is not None:
        gap = contrasts.group_difference(inputs, group.name, start.name, end)
    return Course(
        group=group,
        signal=_signal(inputs, group),
        best=best,
        last=last,
        accuracy=(means[last if best is None else best], means[last]),
        fall=fall,
        against_base=gap,
    )


@dataclass(frozen=True)
class Onset:
    """Between which evaluated steps overfitting set in.

    Attributes:
        peak: the step from which held-out accuracy fell.
        seen: the first later one at which it is below that of the peak, by the interval.
        fall: the accuracy there less that of the peak.
    """

    peak: int
    seen: int
    fall: Interval


def onset(inputs: Inputs, group: Group) -> Onset | None:
    """Return where a group began to overfit; None: no fall is shown, or training did not improve.

    Every later step is held against the best before it. The level allows for all pairs of steps.

    Raises:
        InputError: a run lacks a question.
    """
    steps, signal = evaluated_steps(inputs, group), _signal(inputs, group)
    if signal is None or not signal.improved:
        return None
    means = {step: accuracy(inputs, group, step).mean for step in steps}
    pairs = max(1, len(steps) * (len(steps) - 1) // 2)
    level = 1 - (1 - results.declared(inputs).level) / pairs
    for place, step in enumerate(steps[1:], 1):
        peak = max(steps[:place], key=lambda earlier: means[earlier])
        fall = contrasts.change(inputs, group.name, peak, step).interval(level)
        if fall.high < 0:
            return Onset(peak, step, fall)
    return None


def evaluated_steps(inputs: Inputs, group: Group) -> list[int]:
    """Return the steps, after 0, at which all runs of a trained group were evaluated."""
    frame = results.evaluated(inputs)
    rows = frame.loc[frame["group"] == group.name, ["arm", "seed", "step"]].drop_duplicates()
    runs = rows["step"].value_counts()
    return sorted(int(step) for step in runs.index[runs == runs.max()] if step > 0)


def accuracy(inputs: Inputs, group: Group, step: int) -> Interval:
    """Return a group's mean accuracy over the benchmarks at a step, with its interval."""
    found = contrasts.mean_of(inputs, results.headline_frames(inputs, group.name, step))
    return found.interval(results.declared(inputs).level)


def _signal(inputs: Inputs, group: Group) -> Signal | None:
    if inputs.metrics is None:
        return None
    rows = inputs.metrics[inputs.metrics["group"] == group.name]
    for column, (name, better) in SIGNALS.items():
        if column in rows and len(rows) and rows[column].notna().all():
            runs = [
                _ends(run[column]) for _, run in rows.sort_values("step").groupby(["arm", "seed"])
            ]
            first, last = np.mean(runs, axis=0)
            rose = all(better * (end - begin) > 0 for begin, end in runs)
            return Signal(name, float(first), float(last), rose)
    return None


def _ends(values: pd.Series[float]) -> tuple[float, float]:
    n = max(1, round(_SHARE * len(values)))
    return float(values.iloc[:n].mean()), float(values.iloc[-n:].mean())


def signal_text(signal: Signal) -> str:
    """Return e.g. `reward rose from −0.36 to 0.77`."""
    word = "rose" if signal.last > signal.first else "fell"
    ends = f"from {signal.first:.2f} to {signal.last:.2f}".replace("-", "−")
    return f"{signal.name} {word} {ends}"


def sentence(found: Course) -> str:
    """Return in words how a group's training signal and held-out accuracy went."""
    said = [f"the training {signal_text(found.signal)}"] if found.signal else []
    if found.fall is not None:
        before, after = (f"{100 * mean:.1f} %" for mean in found.accuracy)
        said.append(
            f"held-out accuracy went from {before} at step {found.best}, its best before the end, "
            f"to {after} at step {found.last}, {points(found.fall)}"
        )
    verdict = " overfitted" if found.overfitted else ""
    return f"{found.group.title}{verdict}: {'; '.join(said)}." if said else ""

"""A smooth surface through a map's differences, with its uncertainty: a Gaussian process.

The true differences are a constant and a smooth deviation from it (squared exponential, one length
per axis), both of unknown size. What was measured is the truth and an error. The errors' sizes are
the cells' own, their variance between runs moderated (`limr.analysis.shared_variance`). They hang
together as far as cells share questions, runs and references: their correlations come from a
bootstrap that resamples questions for all cells at once and the runs of a group at all of its steps
at once. Sizes and lengths maximise the marginal likelihood. They are then taken for known, so that
the band is a little narrow.

Numbers that span a factor of four and more are taken by their logarithms. Over values that are no
numbers nothing is smooth: each has a surface of its own.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from limr.analysis import cells, contrasts, results, shared_variance
from limr.analysis import map as mapping
from limr.analysis.cells import Pair, Value
from limr.analysis.map import STEP, Difference
from limr.analysis.results import Inputs
from limr.core.errors import InputError
from limr.core.plugins import heavy_imports
from limr.core.random_streams import stream
from limr.statistics import bootstrap
from limr.statistics.intervals import Floats

LEAST = 4  # cells through which a surface is laid
_DRAWS = 1000  # of the bootstrap that gives correlations
_WIDE = 4  # a factor from which on numbers are taken by their logarithms
Point = Mapping[str, Value]


@dataclass(frozen=True)
class Axis:
    """Maps the numbers of an axis to [0, 1]."""

    name: str
    low: float
    high: float
    log: bool

    def scaled(self, values: Sequence[Any]) -> Floats:
        """Return numbers of the axis as parts of its range."""
        ends = np.array([self.low, self.high, *values], np.float64)
        ends = np.log(ends) if self.log else ends
        return np.asarray((ends[2:] - ends[0]) / (ends[1] - ends[0]), np.float64)

    def between(self, n: int) -> Floats:
        """Return n numbers from one end to the other, evenly spaced on the axis's scale."""
        space = np.geomspace if self.log else np.linspace
        return np.asarray(space(self.low, self.high, n), np.float64)


@dataclass(frozen=True)
class Surface:
    """A fitted surface over the cells that have the same values on every axis without numbers."""

    fixed: tuple[tuple[str, Value], ...]
    axes: tuple[Axis, ...]
    process: Any

    def at(self, points: Sequence[Point]) -> tuple[Floats, Floats]:
        """Return mean and standard deviation of the true difference, in points of accuracy."""
        mean, deviation = self.process.predict(_places(self.axes, points), return_std=True)
        return np.asarray(mean, np.float64), np.asarray(deviation, np.float64)

    def has(self, point: Point) -> bool:
        """Return whether a point is on this surface."""
        return all(point[axis] == value for axis, value in self.fixed)


def axis(name: str, values: Sequence[Any]) -> Axis | None:
    """Return the axis of some values; None where they are no numbers, or only one."""
    if any(isinstance(value, bool | str) for value in values) or len(set(values)) < 2:
        return None
    low, high = float(min(values)), float(max(values))
    return Axis(name, low, high, low > 0 and high / low >= _WIDE)


@results.remembered
def surfaces(inputs: Inputs, pair: Pair) -> list[Surface]:
    """Return the surfaces of a pair's differences; none where fewer than `LEAST` cells speak.

    Raises:
        InputError: a run lacks a question, or scikit-learn is not installed.
    """
    there = [one for one in mapping.differences(inputs, pair) if one.tested]
    names = [name for name in (*cells.axes(inputs), STEP) if there and name in there[0].place]
    found = {name: axis(name, [one.place[name] for one in there]) for name in names}
    smooth = tuple(one for one in found.values() if one is not None)
    parts: dict[tuple[tuple[str, Value], ...], list[Difference]] = {}
    for one in there:
        fixed = tuple((name, one.place[name]) for name in names if found[name] is None)
        parts.setdefault(fixed, []).append(one)
    return [
        Surface(fixed, smooth, _fitted(inputs, smooth, own))
        for fixed, own in parts.items()
        if len(own) >= LEAST and smooth
    ]


def at_cells(inputs: Inputs, found: Sequence[Difference]) -> list[tuple[float, float]]:
    """Return mean and standard deviation at each difference, in points; NaN: no surface there.

    Args:
        inputs: what the study has.
        found: differences of one pair.
    """
    known = surfaces(inputs, found[0].pair) if found else []
    told = []
    for one in found:
        own = next((surface for surface in known if surface.has(one.place)), None)
        mean, deviation = own.at([one.place]) if own else ([float("nan")], [float("nan")])
        told.append((float(mean[0]), float(deviation[0])))
    return told


def _places(axes: Sequence[Axis], points: Sequence[Point]) -> Floats:
    return np.stack([one.scaled([point[one.name] for point in points]) for one in axes], axis=1)


def covariance(inputs: Inputs, own: Sequence[Difference]) -> Floats:
    """Return the (n, n) covariance of the errors of differences, in squared points of accuracy."""
    errors = [100 * _error(inputs, one) for one in own]
    drawn = draws(inputs, own)
    spread = drawn.std(axis=0)
    together = np.cov(drawn, rowvar=False) / np.outer(spread, spread).clip(1e-12)
    np.fill_diagonal(together, 1.0)
    return np.asarray(together * np.outer(errors, errors), np.float64)


def _error(inputs: Inputs, one: Difference) -> float:
    if one.estimate is None:
        return float("nan")
    where = one.pair, one.match, one.step
    return shared_variance.moderated(inputs, *where, one.estimate).standard_error


def draws(inputs: Inputs, own: Sequence[Difference]) -> Floats:
    """Return (draws, n) resampled differences: questions for all, runs for all steps of a group."""
    sides = [(one.match.first.name, one.match.second.name, one.step) for one in own]
    wanted = dict.fromkeys((name, step) for *both, step in sides for name in both)
    reference = results.headline_frames(inputs, *next(iter(wanted)))
    arms, runs_of = {}, {}
    for name, step in wanted:
        frames = results.headline_frames(inputs, name, step)
        arm = contrasts.as_arm(contrasts.asked_as(frames, reference))
        arms[f"{name} {step}"], runs_of[f"{name} {step}"] = arm, name
    weights = results.declared(inputs).weight(list(reference))
    rng = stream(0, "map", *own[0].pair)
    means = bootstrap.means(arms, weights, rng, _DRAWS, runs_of)
    gaps = [means[f"{one} {step}"] - means[f"{other} {step}"] for one, other, step in sides]
    return np.stack(gaps, axis=1)


def _fitted(inputs: Inputs, axes: Sequence[Axis], own: Sequence[Difference]) -> Any:
    """Return the Gaussian process of one surface."""
    try:
        with heavy_imports():  # a second, which nothing else than a map pays
            from sklearn.exceptions import ConvergenceWarning
            from sklearn.gaussian_process import GaussianProcessRegressor
            from sklearn.gaussian_process.kernels import RBF, ConstantKernel
    except ImportError:
        raise InputError(
            "a map's smooth surface needs scikit-learn, which is not installed. Set the "
            "environment up anew (`make setup`), or leave it out (`smooth: false`)."
        ) from None
    size = {"constant_value": 1.0, "constant_value_bounds": (1e-3, 1e4)}
    lengths = RBF(np.full(len(axes), 0.5), (0.25, 10.0))
    kernel = ConstantKernel(**size) + ConstantKernel(**size) * lengths
    process = GaussianProcessRegressor(
        kernel + _errors(covariance(inputs, own)), n_restarts_optimizer=2, random_state=0
    )
    values = [100 * one.estimate.mean for one in own if one.estimate is not None]
    with warnings.catch_warnings():  # a size or a length at its bound is an answer
        warnings.simplefilter("ignore", ConvergenceWarning)
        process.fit(_places(axes, [one.place for one in own]), values)
    return process


def _errors(known: Floats) -> Any:
    """Return a kernel that adds the known covariance of errors to the points that were measured."""
    from sklearn.gaussian_process.kernels import Kernel

    class Errors(Kernel):  # type: ignore[misc]
        """Like scikit-learn's WhiteKernel, with a known matrix in place of one variance."""

        def __init__(self, known: Floats) -> None:
            self.known = known

        def __call__(self, x: Floats, y: Floats | None = None, eval_gradient: bool = False) -> Any:
            measured = y is None and len(x) == len(self.known)
            added = self.known if measured else np.zeros((len(x), len(x if y is None else y)))
            return (added, np.empty((len(x), len(x), 0))) if eval_gradient else added

        def diag(self, x: Floats) -> Floats:
            return np.zeros(len(x))

        def is_stationary(self) -> bool:
            return False

    return Errors(known)

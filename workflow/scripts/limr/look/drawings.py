"""The page's drawings as plain geometry: places are percent of a plot's width and height.

The page draws them as SVG, in its own colours, so that they are sharp, small and dark at night.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from limr.look.looked import CLASSES, Looked
from limr.statistics import intervals
from limr.trajectories.curves import Floats

Json = dict[str, Any]
_BARS = 40  # of a distribution
_LABELS = 8  # at most so many visits are named
_CUT = 0.01  # this share of the lowest scores may lie below the first bar


def class_bar(looked: Looked) -> list[Json]:
    """Return the classes that occur: name, count, and `x` and `width` of their parts of a bar."""
    of, x, found = max(1, sum(looked.counts.values())), 0.0, []
    for name in CLASSES:
        n = looked.counts.get(name, 0)
        if n:
            found.append({"name": name, "n": n, "x": _percent(x), "width": _percent(n / of)})
        x += n / of
    return found


def mean_curves(looked: Looked) -> Json:
    """Return the mean accuracy by visit with its interval over prompts, and the mean of each class.

    The mean of a visit is over the prompts that have it.
    """
    curves = looked.curves
    mean, low, high = mean_interval(curves)
    of_class = looked.prompts["class"].to_numpy()
    lines = [
        {"d": path(mean_interval(curves[of_class == name])[0]), "of": name}
        for name in CLASSES
        if (of_class == name).any()
    ]
    return {
        "label": f"Mean accuracy by visit: {_ends(mean)}",
        "band": _band(low, high),
        "lines": [*lines, {"d": path(mean), "of": "all"}],
        "bars": [],
        "rule": None,
        **_axes(curves.shape[1]),
    }


def curve(own: Floats, mean: Floats, label: str) -> Json:
    """Return one prompt's curve before the mean curve."""
    lines = [{"d": path(mean), "of": "mean"}, {"d": path(own), "of": "own"}]
    axes = _axes(len(own))
    return {"label": f"{label}: {_ends(own)}", "band": "", "lines": lines, "bars": [],
            "rule": None, **axes}  # fmt: skip


def distribution(scores: Floats, rule: tuple[float, str] | None) -> Json | None:
    """Return the histogram of scores with a line at the score from which prompts are kept.

    Args:
        scores: (n,) NaN = not scored.
        rule: where the line is, and its name.
    """
    known = scores[~np.isnan(scores)]
    if not len(known):
        return None
    low, high = float(np.quantile(known, _CUT, method="lower")), float(known.max())
    if rule is not None:
        low, high = min(low, rule[0]), max(high, rule[0])
    low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
    counts, edges = np.histogram(np.maximum(known, low), bins=_BARS, range=(low, high))
    most, width = int(counts.max()), 100 / _BARS
    bars = [
        {"x": round(k * width, 3), "width": round(0.88 * width, 3), "kept": _kept(edges, k, rule),
         "height": round(100 * int(n) / most, 3), "y": round(100 - 100 * int(n) / most, 3)}
        for k, n in enumerate(counts) if n
    ]  # fmt: skip
    at = None if rule is None else round(100 * (rule[0] - low) / (high - low), 2)
    return {
        "label": f"Distribution of {len(known):,} scores from {known.min():.2f} to {high:.2f}",
        "band": "", "lines": [], "bars": bars,
        "rule": None if rule is None else {"at": at, "text": rule[1], "left": (at or 0) > 50},
        "xs": [(round(100 * (x - low) / (high - low), 2), f"{x:g}".replace("-", "−"))
               for x in _round_values(low, high)],
        "ys": [(100 - round(100 * y / most, 2), f"{y:,}") for y in _counts(most)],
        "below": int((known < low).sum()), "low": f"{low:.2f}".replace("-", "−"),
    }  # fmt: skip


def mean_interval(curves: Floats) -> tuple[Floats, Floats, Floats]:
    """Return (n_visits,) mean, and the ends of its 95 % interval over prompts (Student's t).

    NaN where no prompt has a visit; the ends are NaN where only one has.
    """
    n = (~np.isnan(curves)).sum(axis=0)
    total = np.nansum(curves, axis=0)
    mean = np.where(n > 0, total / np.maximum(n, 1), np.nan)
    squares = np.nansum((curves - mean) ** 2, axis=0)
    df = np.maximum(n - 1, 1).astype(float)
    half = np.where(
        n > 1,
        intervals.two_sided(intervals.LEVEL, df) * np.sqrt(squares / df / np.maximum(n, 1)),
        np.nan,
    )
    return mean, np.clip(mean - half, 0, 1), np.clip(mean + half, 0, 1)


def path(values: Floats) -> str:
    """Return (n_visits,) values in [0, 1] as an SVG path, with gaps at NaN; a lone one is a dot."""
    there = ~np.isnan(values)
    parts = []
    for at in map(int, np.flatnonzero(there)):
        point = f"{_x(at, len(values))} {round(100 - 100 * float(values[at]), 2)}"
        parts.append(f"{'L' if at and there[at - 1] else f'M{point}L'}{point}")
    return "".join(parts)


def _band(low: Floats, high: Floats) -> str:
    there = np.flatnonzero(~np.isnan(low))
    if len(there) < 2:
        return ""
    ends = [(at, high[at]) for at in there] + [(at, low[at]) for at in there[::-1]]
    points = (f"{_x(int(at), len(low))} {round(100 - 100 * float(y), 2)}" for at, y in ends)
    return f"M{'L'.join(points)}Z"


def _x(at: int, n: int) -> float:
    return 50.0 if n < 2 else round(100 * at / (n - 1), 2)


def _axes(n: int) -> Json:
    step = max(1, int(np.ceil(n / _LABELS)))
    named = [k for k in range(n) if (k + 1) % step == 0] if step > 1 else list(range(n))
    return {
        "xs": [(_x(k, n), str(k + 1)) for k in named],
        "ys": [(100 - 25 * k, f"{25 * k} %") for k in range(5)],
    }


def _kept(edges: Floats, bar: int, rule: tuple[float, str] | None) -> bool:
    return rule is not None and float(edges[bar] + edges[bar + 1]) / 2 >= rule[0]


def _round_values(low: float, high: float) -> Sequence[float]:
    step = _step(high - low, 8)
    first, last = int(np.ceil(low / step)), int(np.floor(high / step))
    return [round(k * step, 10) for k in range(first, last + 1)]


def _counts(most: int) -> Sequence[int]:
    step = max(1, int(_step(most, 4)))
    return range(0, most + 1, step)


def _step(span: float, at_most: int) -> float:
    power = 10.0 ** np.floor(np.log10(span / at_most))
    return float(next(f * power for f in (1, 2, 5, 10) if span / (f * power) <= at_most))


def _percent(share: float) -> float:
    return round(100 * share, 3)


def _ends(values: Floats) -> str:
    known = values[~np.isnan(values)]
    return f"from {100 * known[0]:.0f} % to {100 * known[-1]:.0f} %" if len(known) else "unknown"

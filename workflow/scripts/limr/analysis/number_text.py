"""Numbers as sentences say them: percent, points, p-values."""

from __future__ import annotations

from limr.statistics.intervals import Interval


def p_text(p: float) -> str:
    """Return a p value for people."""
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}"


def p_equation(p: float) -> str:
    """Return e.g. `p = 0.02` or `p < 0.0001`."""
    text = p_text(p)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def signed(points: float) -> str:
    """Return e.g. `+18.5` or `−3.0`; what rounds to 0 has no sign."""
    text = f"{points:+.1f}".replace("-", "−")
    return "0.0" if text[1:] == "0.0" else text


def percent(interval: Interval) -> str:
    """Return e.g. `52.1 % [50.0, 54.2]`."""
    return f"{100 * interval.mean:.1f} % [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def points(interval: Interval) -> str:
    """Return e.g. `+18.5 points [11.7, 25.1]`."""
    low, high = 100 * interval.low, 100 * interval.high
    return f"{100 * interval.mean:+.1f} points [{low:.1f}, {high:.1f}]".replace("-", "−")

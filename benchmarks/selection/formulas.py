"""How long a score takes over a plain NumPy version of its formula, side by side; as Markdown.

    .venv/bin/python benchmarks/selection/formulas.py [--problems 1000000] [SELECTOR:NOISE …]

The plain versions score complete curves in double precision and know nothing of gaps, reasons,
options or warnings. Medians of 3 rounds of CPU time, both sides in turn in each round. A shrunk
score has no plain version: it is measured against the ignored one, to say what the model costs.
"""

from __future__ import annotations

import argparse
import datetime
import os
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from limr.core.random_streams import stream
from limr.scores import scoring
from limr.trajectories import curves as tr

SAMPLES, ROUNDS, BLOCK = 8, 3, 65536
Plain = Callable[[tr.Ints, tr.Ints], tr.Floats]


def lim(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """1 - Σ (r - r̄)² / Σ (1 - r̄)²."""
    r = correct / n
    mean = r.mean(axis=0)
    scores: tr.Floats = 1 - ((r - mean) ** 2).sum(axis=1) / ((1 - mean) ** 2).sum()
    return scores


def lim_debiased(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """The same with each square less r (1 - r) / (n - 1), and the mean curve's noise."""
    r = correct / n
    mean, noise, size = r.mean(axis=0), r * (1 - r) / (n - 1), len(r)
    shared = noise.mean(axis=0).sum() / size
    above = ((r - mean) ** 2 - (1 - 2 / size) * noise).sum(axis=1) - shared
    scores: tr.Floats = 1 - above / (((1 - mean) ** 2).sum() - shared)
    return scores


def variance(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """The standard deviation over epochs."""
    scores: tr.Floats = (correct / n).std(axis=1)
    return scores


def variance_debiased(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """The signed root of the variance less its noise."""
    r = correct / n
    noise, epochs = r * (1 - r) / (n - 1), r.shape[1]
    square = r.var(axis=1) - noise.mean(axis=1) * (1 - 1 / epochs)
    scores: tr.Floats = np.sign(square) * np.sqrt(abs(square))
    return scores


def curve_free(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """-(p - p̄)²."""
    p = correct.sum(axis=1) / n.sum(axis=1)
    scores: tr.Floats = -((p - p.mean()) ** 2)
    return scores


def linear(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """LIM's form with a straight line as reference."""
    line = np.linspace(0, 1, n.shape[1])
    scores: tr.Floats = 1 - ((correct / n - line) ** 2).sum(axis=1) / ((1 - line) ** 2).sum()
    return scores


def learnability(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """P (1 - p) of the pass rate."""
    p = correct.sum(axis=1) / n.sum(axis=1)
    scores: tr.Floats = p * (1 - p)
    return scores


PLAIN: dict[tuple[str, str], Plain] = {
    ("lim", "ignore"): lim,
    ("lim", "debias"): lim_debiased,
    ("variance", "ignore"): variance,
    ("variance", "debias"): variance_debiased,
    ("lim-curve-free", "ignore"): curve_free,
    ("linear", "ignore"): linear,
    ("learnability", ""): learnability,
}
SHRUNK = [("lim", "shrink"), ("variance", "shrink"), ("lim-curve-free", "shrink")]


def simulated(n_problems: int, n_epochs: int) -> tr.Samples:
    """Return rising curves of all heights, complete."""
    rng = stream(1, "benchmark", "formulas")
    rise = 1 - np.exp(-np.arange(n_epochs) / 7)
    correct = np.empty((n_problems, n_epochs), np.int64)
    for first in range(0, n_problems, BLOCK):
        part = correct[first : first + BLOCK]
        ability, gain = rng.normal(-0.6, 2.2, len(part)), rng.gamma(2.0, 0.9, len(part))
        logit = ability[:, np.newaxis] + gain[:, np.newaxis] * rise
        part[:] = rng.binomial(SAMPLES, 1 / (1 + np.exp(-logit)))
    return tr.Samples(np.full(correct.shape, SAMPLES), correct)


def seconds(work: Callable[..., tr.Floats], *given: Any) -> tuple[float, tr.Floats]:
    """Return the CPU time of some work, and its result."""
    start = time.process_time()
    found = work(*given)
    return time.process_time() - start, found


def scored(samples: tr.Samples, selector: str, noise: str) -> tr.Floats:
    """Return the scores of a selector."""
    ids = [str(i) for i in range(len(samples.n))]
    problems = scoring.ProblemSet(ids, [None] * len(ids))
    options = {"noise": noise} if noise else {}
    return scoring.score(selector, problems, samples, options, seed=0, name="scores").values


def main() -> None:
    """Print a table of medians and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problems", type=int, default=1_000_000)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("scores", nargs="*", help="such as lim:debias; all by default")
    arguments = parser.parse_args()
    wanted = [tuple(one.split(":")) for one in arguments.scores] or [*PLAIN, *SHRUNK]
    samples = simulated(arguments.problems, arguments.epochs)
    print(
        f"{datetime.date.today()}, {arguments.problems:,} problems, {arguments.epochs} epochs of "
        f"{SAMPLES} samples, load before {os.getloadavg()[0]:.1f}\n"
    )
    print("| score | `noise` | limr, s | plain NumPy, s | ratio | peak, MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for selector, noise in wanted:
        plain = PLAIN[(selector, noise) if noise != "shrink" else (selector, "ignore")]
        rounds = []
        for _ in range(ROUNDS):
            ours, scores = seconds(scored, samples, selector, noise)
            other, expected = seconds(plain, samples.n, samples.n_correct)
            if noise != "shrink":
                np.testing.assert_allclose(scores, expected, atol=1e-7)
            rounds.append((ours, other))
        first, second = (statistics.median(side) for side in zip(*rounds, strict=True))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        print(
            f"| `{selector}` | {f'`{noise}`' if noise else ''} | {first:.2f} | {second:.2f} | "
            f"{first / second:.1f} | {peak:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

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
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from limr.core.random_streams import stream
from limr.scores import scoring
from limr.trajectories import curves as tr

SAMPLES, ROUNDS, BLOCK = 8, 3, 65536
STATUS = Path("/proc/self/status")
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
    p = rate(n, correct)
    scores: tr.Floats = -((p - p.mean()) ** 2)
    return scores


def curve_free_debiased(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """The same with the square less its noise, and the mean's."""
    p, r, size = rate(n, correct), correct / n, len(n)
    noise = (r * (1 - r) / (n - 1)).sum(axis=1) / n.shape[1] ** 2
    scores: tr.Floats = -((p - p.mean()) ** 2 - (1 - 2 / size) * noise - noise.mean() / size)
    return scores


def linear(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """LIM's form with a straight line as reference."""
    line = np.linspace(0, 1, n.shape[1])
    scores: tr.Floats = 1 - ((correct / n - line) ** 2).sum(axis=1) / ((1 - line) ** 2).sum()
    return scores


def linear_debiased(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """The same with each square less its noise."""
    r, line = correct / n, np.linspace(0, 1, n.shape[1])
    square = (r - line) ** 2 - r * (1 - r) / (n - 1)
    scores: tr.Floats = 1 - square.sum(axis=1) / ((1 - line) ** 2).sum()
    return scores


def rate(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """The pass rate."""
    shares: tr.Floats = correct.sum(axis=1) / n.sum(axis=1)
    return shares


def learnability(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """P (1 - p) of the pass rate."""
    p = rate(n, correct)
    return p * (1 - p)


def window(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """1 from .2 to .8."""
    p = rate(n, correct)
    return ((p >= 0.2) & (p <= 0.8)).astype(float)


def nonzero(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """1 if solved sometimes."""
    p = rate(n, correct)
    return ((p > 0) & (p < 1)).astype(float)


def frontier(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """-|p - 1/2|."""
    scores: tr.Floats = -abs(rate(n, correct) - 0.5)
    return scores


def decayed(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """-|a / (a + b) - 1/2|, both counts decaying by .8 towards 1."""
    a, b = np.ones(len(n)), np.ones(len(n))
    for right, wrong in zip(correct.T, (n - correct).T, strict=True):
        a, b = 0.8 * a + 0.2 + right, 0.8 * b + 0.2 + wrong
    scores: tr.Floats = -abs(a / (a + b) - 0.5)
    return scores


def hmm(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """How likely the next group is mixed, by counts of steps that decay by half towards 1."""
    state = np.where(correct == 0, 0, np.where(correct == n, 2, 1))
    rows, counts = np.arange(len(n)), np.ones((len(n), 3, 3))  # from, to
    before = np.full((len(n), 3), 1 / 3)
    for seen in state.T:
        step = counts / counts.sum(axis=2, keepdims=True)
        came = before * step[rows, :, seen]
        counts = 0.5 * counts + 0.5
        counts[rows, :, seen] += came / came.sum(axis=1, keepdims=True)
        before = np.eye(3)[seen]
    last = counts[rows, state[:, -1]]
    scores: tr.Floats = last[:, 1] / last.sum(axis=1)
    return scores


def greso(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """max(.5^z, .01), z the last groups in a row that were all right, or all wrong."""
    kind = np.where(correct == 0, -1, np.where(correct == n, 1, 0))
    same = (kind[:, ::-1] == kind[:, -1:]) & (kind[:, -1:] != 0)
    scores: tr.Floats = np.maximum(0.5 ** np.cumprod(same, axis=1).sum(axis=1), 0.01)
    return scores


def progress(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """The later half's rate minus the earlier half's, by its standard error."""
    half = n.shape[1] // 2
    a, m = correct[:, :half].sum(axis=1), n[:, :half].sum(axis=1)
    b, k = correct[:, -half:].sum(axis=1), n[:, -half:].sum(axis=1)
    p = (a + b) / (m + k)
    error = np.sqrt(p * (1 - p) * (1 / m + 1 / k))
    scores: tr.Floats = np.where(error > 0, (b / k - a / m) / np.where(error > 0, error, 1), 0)
    return scores


def forgetting(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """Σ max(0, r - r')."""
    scores: tr.Floats = np.maximum(-np.diff(correct / n, axis=1), 0).sum(axis=1)
    return scores


def diverse(n: tr.Ints, correct: tr.Ints) -> tr.Floats:
    """Farthest first, a sixth; ids in the order of their texts."""
    order = np.argsort(np.arange(len(n)).astype(str))
    r = (correct / n)[order]
    size, scores = round(len(r) / 6), np.zeros(len(r))
    row = int((((r - r.mean(axis=0)) ** 2).sum(axis=1)).argmin())
    nearest = np.full(len(r), np.inf)
    for place in range(size):
        scores[order[row]] = 1 - place / size
        nearest = np.minimum(nearest, ((r - r[row]) ** 2).sum(axis=1))
        nearest[row] = -np.inf
        row = int(nearest.argmax())
    return scores


PLAIN: dict[tuple[str, str], Plain] = {
    ("lim", "ignore"): lim,
    ("lim", "debias"): lim_debiased,
    ("variance", "ignore"): variance,
    ("variance", "debias"): variance_debiased,
    ("lim-curve-free", "ignore"): curve_free,
    ("lim-curve-free", "debias"): curve_free_debiased,
    ("linear", "ignore"): linear,
    ("linear", "debias"): linear_debiased,
    ("learnability", ""): learnability,
    ("window", ""): window,
    ("nonzero", ""): nonzero,
    ("frontier", ""): frontier,
    ("decayed", ""): decayed,
    ("hmm", ""): hmm,
    ("greso", ""): greso,
    ("progress", ""): progress,
    ("forgetting", ""): forgetting,
}
SHRUNK = [(name, "shrink") for name in ("lim", "variance", "lim-curve-free", "linear")]
# A choice of a sixth of a million is refused: it is measured alone, with fewer problems.
CHOICE = {("diverse", ""): diverse}


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


def peak_mb() -> float:
    """Return the process's peak memory since `forget_peak`; the samples are in it."""
    [line] = [row for row in STATUS.read_text().splitlines() if row.startswith("VmHWM")]
    return int(line.split()[1]) * 1024 / 1e6


def forget_peak() -> None:
    """Begin to look for the peak anew (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


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
    wanted = [one.partition(":")[::2] for one in arguments.scores] or [*PLAIN, *SHRUNK]
    samples = simulated(arguments.problems, arguments.epochs)
    print(
        f"{datetime.date.today()}, {arguments.problems:,} problems, {arguments.epochs} epochs of "
        f"{SAMPLES} samples, load before {os.getloadavg()[0]:.1f}\n"
    )
    print("| score | `noise` | limr, s | plain NumPy, s | ratio | peak, MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for selector, noise in wanted:
        plain = (PLAIN | CHOICE)[(selector, noise) if noise != "shrink" else (selector, "ignore")]
        rounds, peak = [], 0.0
        for _ in range(ROUNDS):
            forget_peak()
            ours, scores = seconds(scored, samples, selector, noise)
            peak = max(peak, peak_mb())
            other, expected = seconds(plain, samples.n, samples.n_correct)
            if noise != "shrink":
                np.testing.assert_allclose(scores, expected, atol=1e-7)
            rounds.append((ours, other))
        first, second = (statistics.median(side) for side in zip(*rounds, strict=True))
        print(
            f"| `{selector}` | {f'`{noise}`' if noise else ''} | {first:.2f} | {second:.2f} | "
            f"{first / second:.1f} | {peak:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

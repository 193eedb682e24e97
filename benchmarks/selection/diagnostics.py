"""Time the diagnostics of a study's scores at the paper's size, on simulated curves.

.venv/bin/python benchmarks/selection/diagnostics.py [--draws 1000] [--problems 8523] [--epochs 21]
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import time

import numpy as np
import pyarrow as pa

from limr.core.random_streams import stream
from limr.core.tables import TRAJECTORIES
from limr.scores import backtest, diagnostics, scoring
from limr.trajectories import curves as tr

# Every selector that makes scores of samples alone, with its defaults; two-anchor needs two files.
SELECTORS = [one.selector for one in backtest.every() if one.selector != "two-anchor"]
SAMPLES, DROPPED = 8, 331  # the paper's loader left 331 of 8,523 prompts out of every epoch


def simulated(n_problems: int, n_epochs: int) -> tuple[scoring.ProblemSet, pa.Table]:
    """Return problems and their learning curves: rising, of all heights, with missing epochs."""
    rng = stream(1, "benchmark", "diagnostics")
    ability, gain = rng.normal(-0.6, 2.2, n_problems), rng.gamma(2.0, 0.9, n_problems)
    rise = 1 - np.exp(-np.arange(n_epochs) / 7)
    p = 1 / (1 + np.exp(-(ability[:, np.newaxis] + gain[:, np.newaxis] * rise)))
    problem, epoch = np.nonzero(rng.random(p.shape) >= DROPPED / 8523)
    ids = np.array([f"problem-{i}" for i in range(n_problems)])
    columns = [
        pa.array(ids[problem]),
        pa.array(epoch, pa.int16()),
        pa.array(np.full(len(problem), SAMPLES), pa.int32()),
        pa.array(rng.binomial(SAMPLES, p)[problem, epoch], pa.int32()),
        pa.nulls(len(problem), pa.float64()),
    ]
    table = pa.Table.from_arrays(columns, schema=TRAJECTORIES)
    return scoring.ProblemSet(ids.tolist(), [None] * n_problems), table


def seconds(
    selector: str, problems: scoring.ProblemSet, curves: pa.Table, draws: int
) -> tuple[float, float]:
    """Return the CPU time of a score's two tables: the bootstrap's, and that over epochs."""
    start = time.process_time()
    samples = tr.samples(curves, problems.problem_ids)
    of = diagnostics.subject(problems, samples, selector, {}, seed=0, name=selector)
    cut = diagnostics.cut(of, None, stream(0, "ties", selector))
    diagnostics.problem_table(of, cut, draws, 0.95, stream(0, "draws", selector))
    middle = time.process_time()
    diagnostics.epoch_table(of, cut, 0.95)
    return middle - start, time.process_time() - middle


def main() -> None:
    """Print a Markdown table of seconds of CPU time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--problems", type=int, default=8523)
    parser.add_argument("--epochs", type=int, default=21)
    arguments = parser.parse_args()
    problems, curves = simulated(arguments.problems, arguments.epochs)
    print(
        f"{arguments.problems:,} problems, {arguments.epochs} epochs of {SAMPLES} samples, "
        f"{arguments.draws:,} draws; one process on {platform.processor() or platform.machine()}, "
        f"load before {os.getloadavg()[0]:.1f}\n"
    )
    print("| score | draws, s | epochs, s |\n|---|---|---|")
    whole = np.zeros(2)
    for selector in SELECTORS:
        found = seconds(selector, problems, curves, arguments.draws)
        whole += found
        print(f"| {selector} | {found[0]:.1f} | {found[1]:.2f} |", flush=True)
    print(f"| all | {whole[0]:.1f} | {whole[1]:.2f} |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(f"\nPeak memory: {peak:.0f} MB")


if __name__ == "__main__":
    main()

"""Time of the bootstrap of a study of the paper's size, against a plain loop."""

from __future__ import annotations

import argparse
import time

import numpy as np

from limr.core.random_streams import stream
from limr.statistics import bootstrap
from limr.statistics.estimates import Arm

QUESTIONS = {"aime24": (30, 4), "math500": (500, 1), "amc23": (40, 4)}
ARMS, SEEDS = 6, 3


def study() -> dict[str, Arm]:
    """Return random results of six arms with three seeds on the paper's benchmarks."""
    rng = stream(1, "bootstrap-time")
    return {
        f"arm-{i}": Arm(
            {
                name: rng.binomial(k, rng.random(n), (SEEDS, n)) / k
                for name, (n, k) in QUESTIONS.items()
            }
        )
        for i in range(ARMS)
    }


def plain(arms: dict[str, Arm], resamples: int) -> dict[str, np.ndarray]:
    """Return the same bootstrap, one resample after the other."""
    rng = np.random.default_rng(1)
    found = {name: np.zeros(resamples) for name in arms}
    for i in range(resamples):
        questions = {b: rng.integers(n, size=n - 1) for b, (n, _) in QUESTIONS.items()}
        for name, arm in arms.items():
            runs = rng.integers(SEEDS, size=SEEDS - 1)
            means = [arm.accuracy[b][np.ix_(runs, questions[b])].mean() for b in QUESTIONS]
            found[name][i] = np.mean(means)
    return found


def main() -> None:
    """Print seconds and how far the standard errors of both are apart."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resamples", type=int, default=10_000)
    resamples = parser.parse_args().resamples
    arms = study()
    start, cpu = time.perf_counter(), time.process_time()
    ours = bootstrap.means(arms, dict.fromkeys(QUESTIONS, 1 / 3), stream(1, "b"), resamples)
    ours_wall, ours_cpu = time.perf_counter() - start, time.process_time() - cpu
    start, cpu = time.perf_counter(), time.process_time()
    loop = plain(arms, resamples)
    loop_wall, loop_cpu = time.perf_counter() - start, time.process_time() - cpu
    apart = max(abs(ours[name].std() / loop[name].std() - 1) for name in arms)
    print(f"vectorised: {ours_wall:.2f} s wall, {ours_cpu:.2f} s CPU")
    print(f"plain loop: {loop_wall:.2f} s wall, {loop_cpu:.2f} s CPU")
    print(f"ratio of CPU seconds: {loop_cpu / ours_cpu:.1f}")
    print(f"standard errors apart by at most {100 * apart:.1f} %")


if __name__ == "__main__":
    main()

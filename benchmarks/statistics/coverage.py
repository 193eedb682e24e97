"""Coverage of the intervals, and power at the minimum detectable effect, by simulation.

Studies are drawn from a model in which questions, runs and random draws vary in the logit of a
question's chance to be solved, and the very functions that make the report judge them:

    PYTHONPATH=workflow/scripts python benchmarks/statistics/coverage.py > results.tsv
"""

from __future__ import annotations

import argparse
import itertools
import sys
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import Pool

import numpy as np
import numpy.typing as npt

from limr.core.random_streams import stream
from limr.statistics import estimates, power
from limr.statistics.estimates import Arm, Estimate

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A design and how much varies; spreads are standard deviations in the logit.

    Attributes:
        accuracy: chance to be solved of a question of median difficulty, in (0, 1).
        questions, samples, seeds: of each arm; questions of each benchmark.
        draws: random draws of the second arm; each has `seeds` runs.
        hardness: of questions, shared by the arms.
        habit: of questions by arm and by run, each.
        run: of runs.
        draw: of random draws.
        shift: of the first arm's logit against the second's.
        benchmarks: of equal size and weight; runs and draws move all of them together.
    """

    accuracy: float
    questions: int
    samples: int
    seeds: int
    draws: int = 1
    hardness: float = 1.5
    habit: float = 0.3
    run: float = 0.1
    draw: float = 0.0
    shift: float = 0.0
    benchmarks: int = 1


def drawn(case: Case, rng: np.random.Generator) -> tuple[Arm, Arm]:
    """Return the results of two arms in one simulated study."""
    n = case.questions * case.benchmarks
    hardness = np.log(case.accuracy / (1 - case.accuracy)) + rng.normal(0, case.hardness, n)
    arms = []
    for shift, draws in ((case.shift, 1), (0.0, case.draws)):
        level = hardness + shift + rng.normal(0, case.habit, n)
        runs = np.repeat(rng.normal(0, case.draw, draws if draws > 1 else 1), case.seeds)
        if draws == 1:
            runs = np.zeros(case.seeds)
        runs = runs + rng.normal(0, case.run, len(runs))
        logit = level + runs[:, np.newaxis] + rng.normal(0, case.habit, (len(runs), n))
        solved = rng.binomial(case.samples, 1 / (1 + np.exp(-logit))) / case.samples
        names = [f"draw-{i // case.seeds}" for i in range(len(runs))]
        parts = np.split(solved, case.benchmarks, axis=1)
        arms.append(Arm({str(i): part for i, part in enumerate(parts)}, names))
    return arms[0], arms[1]


def truth(case: Case) -> tuple[float, float]:
    """Return the mean accuracies of both arms over all questions, runs and draws there could be."""
    centre = np.log(case.accuracy / (1 - case.accuracy))
    nodes, weights = np.polynomial.hermite_e.hermegauss(61)
    found = []
    for shift, draw in ((case.shift, 0.0), (0.0, case.draw if case.draws > 1 else 0.0)):
        spread = np.sqrt(case.hardness**2 + 2 * case.habit**2 + case.run**2 + draw**2)
        shares = 1 / (1 + np.exp(-(centre + shift + spread * nodes)))
        found.append(float(weights @ shares / weights.sum()))
    return found[0], found[1]


def judged(case: Case, studies: int, rng: np.random.Generator) -> dict[str, float]:
    """Return in percent how often 95 % intervals hold the truth, and how much varies by run.

    `run part` is the share of a difference's variance that runs have, beyond questions.
    """
    true = truth(case)
    held = {"accuracy": 0, "difference": 0, "excludes 0": 0}
    widths, part, means = [], [], []
    for _ in range(studies):
        first, second = drawn(case, rng)
        mean = estimates.of_mean(second)
        gap = estimates.of_difference(first, second)
        alone, both = mean.interval(), gap.interval()
        held["accuracy"] += alone.low <= true[1] <= alone.high
        held["difference"] += both.low <= true[0] - true[1] <= both.high
        held["excludes 0"] += both.excludes_zero
        widths.append(100 * (both.high - both.low) / 2)
        runs = sum(x.raw - x.noise for x in gap.runs)
        part.append((runs, gap.question_variance))
        means.append(gap.mean)
    runs, questions = np.mean(part, axis=0)
    return {
        **{name: 100 * n / studies for name, n in held.items()},
        "half-width": float(np.median(widths)),
        "run part": 100 * max(0.0, runs) / (max(0.0, runs) + questions),
    }


def power_at(case: Case, studies: int, rng: np.random.Generator) -> dict[str, float]:
    """Return the MDE of a case, from its true variances, and the simulated power at it.

    The variances are those of many simulated studies without a shift; the shift that makes the
    difference as large as the MDE is then found, and as many studies are drawn with it.
    """
    many = [estimates.of_difference(*drawn(case, rng)) for _ in range(400)]
    typical = _typical(many)
    wanted = power.detectable(typical)
    low, high = 0.0, 6.0
    for _ in range(40):
        middle = (low + high) / 2
        gap = np.subtract(*truth(replace(case, shift=middle)))
        low, high = (middle, high) if gap < wanted else (low, middle)
    at = judged(replace(case, shift=high), studies, rng)
    return {"MDE": 100 * wanted, "power": at["excludes 0"]}


def _typical(many: list[Estimate]) -> Estimate:
    runs = []
    for i, part in enumerate(many[0].runs):
        raw = float(np.mean([e.runs[i].raw for e in many]))
        runs.append(replace(part, raw=raw, noise=float(np.mean([e.runs[i].noise for e in many]))))
    questions = float(np.mean([e.question_variance for e in many]))
    return replace(many[0], mean=0.0, question_variance=questions, runs=tuple(runs))


def cases() -> list[Case]:
    """Return the designs: a grid, runs that vary more or not at all, random ensembles."""
    designs = itertools.cycle([(1, 2), (4, 3), (32, 5), (4, 2), (1, 3), (32, 2), (4, 5)])
    grid = [
        Case(accuracy, questions, *next(designs))
        for questions, accuracy in itertools.product((30, 40, 330, 500), (0.1, 0.5, 0.9))
        for _ in range(2)
    ]
    volatile = [
        Case(0.5, questions, samples, seeds, run=run)
        for questions, samples in ((40, 4), (500, 1))
        for seeds, run in itertools.product((2, 3, 5), (0.0, 0.3))
    ]
    ensembles = [
        Case(0.5, questions, 4, seeds, draws=draws, draw=draw)
        for questions in (40, 330)
        for draws, seeds in ((2, 2), (3, 3), (5, 2))
        for draw in (0.0, 0.3)
    ]
    return [*grid, *volatile, *ensembles, *used()]


def used() -> list[Case]:
    """Return the designs of this repository's studies, each with runs that vary little and much.

    The demo (3 seeds, 2 draws of the random arm) and demo-full (5 seeds, 4 draws), both on 3
    benchmarks of some 110 questions; the paper's AIME24 (4 samples a question) and MATH500 (one)
    with 3 seeds.
    """
    designs = [
        Case(0.5, 110, 4, 3, benchmarks=3),
        Case(0.5, 110, 4, 3, draws=2, benchmarks=3),
        Case(0.5, 110, 4, 5, benchmarks=3),
        Case(0.5, 110, 4, 5, draws=4, benchmarks=3),
        Case(0.3, 30, 4, 3),
        Case(0.8, 500, 1, 3),
    ]
    return [
        replace(design, run=run, draw=run if design.draws > 1 else 0.0)
        for design in designs
        for run in (0.05, 0.15)
    ]


COLUMNS = (
    *("accuracy", "benchmarks", "questions", "samples", "seeds", "draws"),
    *("hardness", "habit", "run", "draw"),
)


def main() -> None:
    """Write one row a case to standard output."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=2000, help="a case (%(default)s)")
    parser.add_argument("--every", type=int, default=1, help="only every nth case (%(default)s)")
    parser.add_argument("--processes", type=int, default=1, help="at a time (%(default)s)")
    args = parser.parse_args()
    head: list[str] = []
    with Pool(args.processes) as pool:
        for row in pool.imap(partial(row_of, studies=args.studies), cases()[:: args.every]):
            if not head:
                head = list(row)
                sys.stdout.write("\t".join(head) + "\n")
            sys.stdout.write("\t".join(f"{row[name]:.4g}" for name in head) + "\n")
            sys.stdout.flush()


def row_of(case: Case, studies: int) -> dict[str, float]:
    """Return a case with what was found."""
    rng = stream(1, "coverage", *[str(getattr(case, name)) for name in COLUMNS])
    row: dict[str, float] = {name: getattr(case, name) for name in COLUMNS}
    found = judged(case, studies, rng)
    row |= {
        f"covered: {name}" if name in ("accuracy", "difference") else name: value
        for name, value in found.items()
    }
    return row | power_at(case, studies // 2, rng)


if __name__ == "__main__":
    main()

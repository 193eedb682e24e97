"""The smallest difference between two arms that a study can be expected to detect."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict, dataclass, replace
from typing import Any

from limr.core import files
from limr.plan.counts import Counts
from limr.statistics import power
from limr.statistics.power import Assumed, Benchmark
from limr.study import preregistration
from limr.study.preregistration import Declaration
from limr.study.study import Study

Json = dict[str, Any]
_SEEDS = (2, 3, 5, 10)
_LEAST = 3  # degrees of freedom below which a spread says little


@dataclass(frozen=True)
class Design:
    """What a study asks of each of two arms, and what is assumed of the answers."""

    benchmarks: dict[str, Benchmark]
    seeds: int
    assumed: Assumed
    how: str  # the accuracy is known: given, measured, assumed
    run_measured: bool  # the deviation between runs is; else it is assumed
    said: Declaration

    def points(
        self, seeds: int, draws: tuple[int, int] = (1, 1), *, among: int = 1, cells: int = 1
    ) -> float:
        """Return the smallest difference, in points, that is found in 80 % of such studies.

        Args:
            seeds: of each arm and draw.
            draws: of each arm.
            among: how many differences are looked at; the level allows for all (Bonferroni).
            cells: 2: the difference is one between the differences of two cells.
        """
        found = power.design(self.benchmarks, seeds, draws, self.assumed)
        variance = cells * found.question_variance
        found = replace(found, question_variance=variance, runs=cells * found.runs)
        level = 1 - (1 - self.said.level) / among
        return round(100 * power.detectable(found, level), 2)


def of(study: Study, counts: Counts, accuracy: float | None) -> Design | None:
    """Return a study's design; None without a comparison, or where questions are not known.

    `accuracy` is in (0, 1); None: measured where the study has evaluations, else assumed.
    """
    said = preregistration.of(study.overview())
    names = [name for name in study.benchmarks if name != said.validation]
    questions = {name: counts.dataset(name).n for name in names}
    unknown = [name for name, n in questions.items() if not n]
    if len(study.trained) < 2 or not names or unknown:
        return None
    weights = said.weight(names)
    benchmarks = {
        name: Benchmark(questions[name], _samples(study, name), weights[name]) for name in names
    }
    measured, run = _measured(study, counts, benchmarks)
    how = "given" if accuracy is not None else "measured" if measured is not None else "assumed"
    known = {"accuracy": accuracy if accuracy is not None else measured, "run": run}
    given = {name: value for name, value in known.items() if value is not None}
    return Design(
        benchmarks, len(study.seeds), replace(Assumed(), **given), how, run is not None, said
    )


def plan(study: Study, counts: Counts, accuracy: float | None) -> Json | None:
    """Return the difference that is detected in 80 % of such studies, see `of`."""
    design = of(study, counts, accuracy)
    if design is None:
        return None
    found = {n: design.points(n) for n in sorted({design.seeds, *_SEEDS})}
    return {
        "points": found[design.seeds],
        "by_seeds": found,
        "accuracy": design.how,
        "assumed": asdict(design.assumed),
        "lines": _lines(design, found),
    }


def _samples(study: Study, benchmark: str) -> int:
    headline = study.benchmarks[benchmark]["decodings"][0]
    return int(headline["samples"]) if headline["temperature"] else 1


def _measured(
    study: Study, counts: Counts, benchmarks: dict[str, Benchmark]
) -> tuple[float | None, float | None]:
    """Return the mean accuracy of finished runs and the standard deviation between an arm's runs.

    In the headline decodings, at each arm's last step; the luck of questions and responses, as it
    is assumed, is taken from the runs' variance. None: nothing has finished, or in all no more than
    `_LEAST` runs beyond the first of their arm.
    """
    values = {
        name: [
            value
            for seed in study.arms[name].seeds
            if (value := _accuracy(study, counts, name, seed, benchmarks)) is not None
        ]
        for name in study.trained
    }
    every = [value for found in values.values() for value in found]
    if not every or not 0 < (mean := math.fsum(every) / len(every)) < 1:
        return None, None
    several = [found for found in values.values() if len(found) > 1]
    df = sum(len(found) - 1 for found in several)
    if df <= _LEAST:
        return mean, None
    squares = math.fsum(statistics.variance(found) * (len(found) - 1) for found in several)
    assumed = replace(Assumed(), accuracy=mean, run=0.0)
    luck = power.design(benchmarks, 2, assumed=assumed).runs[0].noise * 2  # of one run
    return mean, math.sqrt(max(0.0, squares / df - luck))


def _accuracy(
    study: Study, counts: Counts, arm: str, seed: int, benchmarks: dict[str, Benchmark]
) -> float | None:
    """Return the weighted accuracy of a run's last policy; None where it is not evaluated."""
    found = 0.0
    for name, mark in benchmarks.items():
        record = study.paths.evaluation_record(arm, seed, study.arms[arm].steps[-1], name)
        path = counts.results / record.removeprefix(f"{study.paths.root}/")
        if not path.is_file():
            return None
        headline = study.benchmarks[name]["decodings"][0]["name"]
        found += mark.weight * float(files.read_json(path)[headline]["accuracy"])
    return found


def _lines(design: Design, found: dict[int, float]) -> list[str]:
    asked = ", ".join(f"{n} {m.questions} x {m.samples}" for n, m in design.benchmarks.items())
    seeds, assumed = design.seeds, design.assumed
    others = ", ".join(f"{n}: {found[n]:.1f}" for n in sorted(found) if n != seeds)
    plural = "s" if seeds > 1 else ""
    alone = " (one run: nothing is counted for how runs differ)" if seeds == 1 else ""
    return [
        f"Smallest difference between two arms that is found in {100 * power.POWER:.0f} % of such "
        f"studies (level {design.said.percent}): {found[seeds]:.1f} points with {seeds} "
        f"seed{plural}{alone}; with other numbers of seeds {others}",
        f"for questions x responses {asked}; accuracy {100 * assumed.accuracy:.0f} % "
        f"({design.how}); "
        f"assumed: {100 * assumed.between:.0f} % of the variance of responses between questions, "
        f"standard deviations of {100 * assumed.habit:g} points of a question by arm and by run, "
        f"of {100 * assumed.run:.2g} between runs" + " (measured)" * design.run_measured,
    ]

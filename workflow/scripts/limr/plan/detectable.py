"""The smallest difference between two arms that a study can be expected to detect."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pandas as pd

from limr.core import files
from limr.evaluate.collect import COLLECTED_EVALUATIONS
from limr.plan.counts import Counts
from limr.statistics import power
from limr.statistics.power import Assumed, Benchmark
from limr.study import preregistration
from limr.study.preregistration import Declaration
from limr.study.study import Study

Json = dict[str, Any]
_SEEDS = (2, 3, 5, 10)


def plan(study: Study, counts: Counts, accuracy: float | None) -> Json | None:
    """Return the difference that is detected in 80 % of such studies; None without a comparison.

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
    measured = _measured(counts, said) if accuracy is None else None
    level = accuracy if accuracy is not None else measured
    assumed = replace(Assumed(), accuracy=level) if level is not None else Assumed()
    seeds = len(study.seeds)
    found = {n: _points(benchmarks, n, assumed, said.level) for n in sorted({seeds, *_SEEDS})}
    how = "given" if accuracy is not None else "measured" if measured is not None else "assumed"
    return {
        "points": found[seeds],
        "by_seeds": found,
        "accuracy": how,
        "assumed": asdict(assumed),
        "lines": _lines(benchmarks, seeds, found, assumed, how, said),
    }


def _samples(study: Study, benchmark: str) -> int:
    headline = study.benchmarks[benchmark]["decodings"][0]
    return int(headline["samples"]) if headline["temperature"] else 1


def _measured(counts: Counts, said: Declaration) -> float | None:
    """Return the mean accuracy of the existing evaluations, in the headline decodings."""
    path = counts.results / "collected" / "evaluations.parquet"
    if not path.is_file():
        return None
    frame: pd.DataFrame = files.read_parquet(path, COLLECTED_EVALUATIONS).to_pandas()
    frame = frame[frame["benchmark"] != said.validation]
    first = frame.groupby("benchmark", sort=False)["decoding"].transform("first")
    frame = frame[frame["decoding"] == first]
    mean = float((frame["n_correct"] / frame["n"]).mean())
    return mean if 0 < mean < 1 else None


def _points(benchmarks: dict[str, Benchmark], seeds: int, assumed: Assumed, level: float) -> float:
    design = power.design(benchmarks, seeds, assumed=assumed)
    return round(100 * power.detectable(design, level), 2)


def _lines(
    benchmarks: dict[str, Benchmark],
    seeds: int,
    found: dict[int, float],
    assumed: Assumed,
    how: str,
    said: Declaration,
) -> list[str]:
    asked = ", ".join(f"{name} {m.questions} x {m.samples}" for name, m in benchmarks.items())
    others = ", ".join(f"{n}: {found[n]:.1f}" for n in sorted(found) if n != seeds)
    plural = "s" if seeds > 1 else ""
    alone = " (one run: nothing is counted for how runs differ)" if seeds == 1 else ""
    return [
        f"Smallest difference between two arms that is found in {100 * power.POWER:.0f} % of such "
        f"studies (level {said.percent}): {found[seeds]:.1f} points with {seeds} "
        f"seed{plural}{alone}; with other numbers of seeds {others}",
        f"for questions x responses {asked}; accuracy {100 * assumed.accuracy:.0f} % ({how}); "
        f"assumed: {100 * assumed.between:.0f} % of the variance of responses between questions, "
        f"standard deviations of {100 * assumed.habit:g} points of a question by arm and by run, "
        f"of {100 * assumed.run:g} between runs",
    ]

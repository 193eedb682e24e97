"""Every comparison with what it can say: interval, p, Holm's p, McNemar, MDE, equivalence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from limr.analysis import contrasts, findings, results, tested
from limr.analysis.contrasts import Choice
from limr.analysis.results import Group, Inputs
from limr.analysis.tested import Tested
from limr.core.random_streams import stream
from limr.core.validation import Keys, key
from limr.statistics import bootstrap, hypothesis_tests, power

TITLE = "Comparisons and what they can say"
REQUIRES = ("evaluations", "subsets")


class Options(Keys):
    """Keys of `tables.comparisons`."""

    resamples: int = key(
        bootstrap.RESAMPLES, "Draws of the bootstrap that is shown beside the intervals.", ge=100
    )


DECIMALS = 3
COLUMNS = ["kind", "arm", "against", "measure", "difference", "low", "high", "p", "Holm p",
           "family", "McNemar p", "MDE", "verdict", "bootstrap low", "bootstrap high", "questions",
           "seeds", "draws", "steps", "level"]  # fmt: skip


def build(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per comparison and measure: the mean over benchmarks, then each benchmark."""
    rows = [_row(inputs, test, options["resamples"]) for test in tested.tests(inputs)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(inputs: Inputs, test: Tested, resamples: int) -> dict[str, Any]:
    pair, benchmark, found = (test.first, test.second), test.benchmark, test.estimate
    level = results.declared(inputs).level
    low, high = (np.nan, np.nan) if benchmark else _bootstrapped(inputs, pair, resamples)
    return {
        "kind": "primary" if test.family == tested.PRIMARY else "secondary",
        "arm": test.first.title,
        "against": test.second.title,
        "measure": results.benchmarks(inputs)[benchmark] if benchmark else "mean",
        **test.interval.percent("difference"),
        "p": test.p,
        "Holm p": test.holm,
        "family": test.family,
        "McNemar p": _mcnemar(inputs, pair, benchmark) if benchmark else pd.NA,
        "MDE": 100 * power.detectable(found, level),
        "verdict": findings.verdict(inputs, found),
        "bootstrap low": 100 * low,
        "bootstrap high": 100 * high,
        "questions": found.n_questions,
        "seeds": ", ".join(str(results.n_seeds(inputs, group.name)) for group in pair),
        "draws": ", ".join(str(group.draws) for group in pair),
        "steps": ", ".join(str(results.reported_step(inputs, group.name)) for group in pair),
        "level": 100 * level,
    }


def _bootstrapped(inputs: Inputs, pair: tuple[Group, Group], resamples: int) -> tuple[float, float]:
    declared = results.declared(inputs)
    ours, theirs = contrasts.paired(inputs, pair[0].name, pair[1].name, Choice())
    rng = stream(0, "comparisons", pair[0].name, pair[1].name)
    weights = declared.weight(list(ours.accuracy))
    drawn = bootstrap.means({"first": ours, "second": theirs}, weights, rng, resamples)
    return bootstrap.percentiles(drawn["first"] - drawn["second"], declared.level)


def _mcnemar(inputs: Inputs, pair: tuple[Group, Group], benchmark: str) -> Any:
    """Return the smallest p of the runs that share a seed, times their number (Bonferroni).

    Missing where no decoding has one response a question.
    """
    decoding, seeds = _single(inputs, benchmark)
    p_values: list[float] = []
    for seed in seeds if decoding else ():
        choice = Choice(benchmarks=(benchmark,), decoding=decoding, seed=seed)
        sides = contrasts.paired(inputs, pair[0].name, pair[1].name, choice)
        ours, theirs = (arm.accuracy[benchmark] for arm in sides)
        p_values += [hypothesis_tests.mcnemar(a, b)[2] for a in ours for b in theirs]
    return min(1.0, len(p_values) * min(p_values)) if p_values else pd.NA


@results.remembered
def _single(inputs: Inputs, benchmark: str) -> tuple[str | None, list[int]]:
    """Return the first decoding with one response a question, if any, and all seeds."""
    frame = results.evaluated(inputs)
    rows = frame[frame["benchmark"] == benchmark]
    most = rows.groupby("decoding", sort=False)["n"].max()
    names = (name for name in results.decodings(frame, benchmark) if most[name] == 1)
    return next(names, None), sorted(int(seed) for seed in rows["seed"].unique())


def caption(frame: pd.DataFrame) -> str:
    """Say what every column is, and which tests were corrected together."""
    sizes = frame["family"].value_counts(sort=False)
    families = ", ".join(f"{name} ({n})" for name, n in sizes.items())
    return (
        "Differences in points, paired by question, at each arm's reported step, with the "
        f"{frame['level'].max():g} % interval over runs and questions and its p value. Holm p is "
        f"corrected within a family: {families}; tests against the untrained base are apart, so "
        "they weaken no other. McNemar: exact, for the first decoding with one "
        "response a question; the smallest p of runs that share a seed, times their number. MDE: "
        "true difference found in 80 % of such studies, from this comparison's own variances. "
        "Bootstrap, of the means: percentiles of the question-clustered paired bootstrap; seeds "
        "and draws are those of both arms."
    )

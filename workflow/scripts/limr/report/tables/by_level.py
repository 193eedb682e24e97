"""Accuracy by level of difficulty, for every benchmark whose problems have levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from limr.analysis import contrasts, results
from limr.core.errors import InputError, nearest
from limr.core.validation import Keys, key

TITLE = "Accuracy by level"
REQUIRES = ("evaluations", "problems")


class Options(Keys):
    """Keys of `tables.by-level`."""

    benchmarks: list[str] | None = key(
        None, "Benchmarks to break down; null: all whose problems have levels."
    )


COLUMNS = ("benchmark", "level", "questions", "arm", "accuracy", "low", "high",
           "against all levels", "seeds", "draws", "step", "decoding",
           "interval level")  # fmt: skip


def build(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per benchmark, level and group, at its reported step and first decoding.

    Raises:
        InputError: a benchmark that is asked for was not evaluated or has no levels.
    """
    frame, rows = results.evaluated(inputs), []
    for name, title in _titles(inputs, options["benchmarks"]).items():
        decoding = results.decodings(frame, name)[0]
        for level, ids in _levels(inputs, name).items():
            for group in results.evaluated_groups(inputs):
                found = contrasts.group_interval(inputs, group.name, [name], ids)
                whole = results.headline_results(inputs, group.name)[name].mean()
                rows.append(
                    {
                        "benchmark": title,
                        "level": level,
                        "questions": len(ids),
                        "arm": group.title,
                        **found.percent("accuracy"),
                        "against all levels": 100 * (found.mean - whole),
                        "seeds": results.n_seeds(inputs, group.name),
                        "draws": group.draws,
                        "step": results.reported_step(inputs, group.name),
                        "interval level": 100 * results.declared(inputs).level,
                        "decoding": decoding,
                    }
                )
    return pd.DataFrame(rows, columns=COLUMNS)


def _titles(inputs: results.Inputs, wanted: Sequence[str] | None) -> dict[str, str]:
    titles = {n: t for n, t in results.benchmarks(inputs).items() if _levels(inputs, n)}
    for name in wanted or ():
        if name not in titles:
            raise InputError(
                f"table 'by-level': there is no evaluated benchmark '{name}' with levels."
                f"{nearest(name, titles)}"
            )
    return titles if wanted is None else {name: titles[name] for name in wanted}


def _levels(inputs: results.Inputs, benchmark: str) -> dict[int, list[str]]:
    """Return level -> ids, from the easiest; a benchmark of one level has nothing to break down."""
    found: dict[int, list[str]] = {}
    for problem in inputs.problems.get(benchmark, ()):
        if problem.level is not None:
            found.setdefault(problem.level, []).append(problem.problem_id)
    return dict(sorted(found.items())) if len(found) > 1 else {}


def caption(frame: pd.DataFrame) -> str:
    """Say what the numbers are, and how rough."""
    if frame.empty:
        return "No benchmark of this study has problems of more than one level."
    fewest = int(frame["questions"].min())
    return (
        "Share of correct responses in percent by level of the question (1 is the easiest), at "
        "each arm's reported step and the benchmark's first decoding; low to high is its "
        f"{frame['interval level'].max():g} % interval over runs and questions. The "
        f"smallest level has {fewest} questions: read single levels as rough."
    )

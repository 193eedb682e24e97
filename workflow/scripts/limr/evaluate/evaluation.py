"""Evaluation of one policy on one benchmark, whatever the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa

from limr.core import files
from limr.core.errors import InputError
from limr.core.job_log import note
from limr.core.random_streams import stream_seed
from limr.core.tables import EVALUATIONS, REASONS, Problem
from limr.evaluate import collect
from limr.grading.grade import GRADER_VERSION
from limr.grading.pool import GradingPool
from limr.grading.strictness import grader_of
from limr.models.interface import Decoding, LongPromptError, Policy

Json = dict[str, Any]
_SHOWN = 20


def pools(
    grader: Mapping[str, Any], benchmarks: Mapping[str, Mapping[str, Any]], stack: ExitStack
) -> dict[str, GradingPool]:
    """Return each benchmark's grading pool, shared by those of one strictness.

    Args:
        grader: the study's `grader`.
        benchmarks: as for `check`.
        stack: closes the pools.
    """
    graders = {name: grader_of(grader, settings) for name, settings in benchmarks.items()}
    opened: dict[str | None, GradingPool] = {}
    for one in graders.values():
        if one.get("strictness") not in opened:
            opened[one.get("strictness")] = stack.enter_context(GradingPool(one))
    return {name: opened[one.get("strictness")] for name, one in graders.items()}


def check(
    policy: Policy,
    problems: Mapping[str, Sequence[Problem]],
    benchmarks: Mapping[str, Mapping[str, Any]],
) -> None:
    """Refuse prompts that are too long for a policy, on all benchmarks, before it generates.

    Args:
        policy: a policy.
        problems: benchmark -> its problems.
        benchmarks: benchmark -> its `title`, `version`, `decodings` and perhaps `strictness`.

    Raises:
        InputError: prompts leave no room for a response; with the problems' ids.
    """
    for name, settings in benchmarks.items():
        for entry in settings["decodings"]:
            try:
                policy.check([problem.prompt for problem in problems[name]], Decoding(**entry))
            except LongPromptError as error:
                ids = [problems[name][row].problem_id for row in error.rows]
                shown = ", ".join(ids[:_SHOWN]) + (", …" if len(ids) > _SHOWN else "")
                raise InputError(f"benchmark '{name}': {error} Their ids: {shown}.") from None


def evaluate(
    policy: Policy,
    problems: Sequence[Problem],
    benchmark: str,
    settings: Mapping[str, Any],
    pool: GradingPool,
    seed: int,
) -> tuple[pa.Table, Json]:
    """Generate and grade responses to every problem of a benchmark, with each decoding.

    The random stream is named by seed, benchmark and decoding, not by arm or step: at one seed all
    policies get the same draws, which makes paired comparisons sharp.

    Args:
        policy: a loaded model.
        problems: the benchmark's problems.
        benchmark: its name.
        settings: its `title`, `version`, `decodings` and perhaps `strictness`.
        pool: shared by a run's evaluations, so that it grades the same answer only once.
        seed: the run's seed.

    Returns:
        The table `limr.core.tables.EVALUATIONS` with `REASONS` (ordered by decoding, problem,
        sample) and its summary with n, interval, decoding settings and the grader's version.
    """
    rows: list[Json] = []
    for entry in settings["decodings"]:
        decoding = Decoding(**entry)
        draws = stream_seed(seed, "evaluate", benchmark, decoding.name)
        responses = policy.generate([p.prompt for p in problems], decoding, draws)
        each = [
            (problem, sample, response)
            for problem, samples in zip(problems, responses, strict=True)
            for sample, response in enumerate(samples)
        ]
        grades = pool.grade_many([(p.answer, r.text, r.truncated, p.prompt) for p, _, r in each])
        rows += [
            {
                "problem_id": problem.problem_id,
                "decoding": decoding.name,
                "sample": sample,
                "verdict": grade.verdict,
                "format": grade.format,
                "answer": grade.answer,
                "response_tokens": response.tokens,
                "truncated": response.truncated,
                "response": response.text,
                "reason": grade.reason,
            }
            for (problem, sample, response), grade in zip(each, grades, strict=True)
        ]
        right = sum(grade.verdict == "correct" for grade in grades)
        note(f"{benchmark} {decoding.name}: {right} of {len(grades)} correct")
    table = pa.Table.from_pylist(rows, schema=pa.schema([*EVALUATIONS, *REASONS]))
    summary = collect.summarise_evaluation(table)
    return table, {
        "benchmark": benchmark,
        "settings": dict(settings),
        "seed": seed,
        "grader_version": GRADER_VERSION,
        **summary,
    }


def write(table_path: str | Path, summary_path: str | Path, table: pa.Table, summary: Json) -> None:
    """Write an evaluation and its summary, which gains the table's sha256."""
    files.write_parquet(table_path, table)
    files.write_json(summary_path, {**summary, "sha256": files.sha256(table_path)})

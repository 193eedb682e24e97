"""What training runs of every engine share: their digest, checks of a job, tables of outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from limr.core import provenance
from limr.core.errors import InputError
from limr.core.tables import DRAWN, METRICS, ROLLOUTS, VERDICTS
from limr.models.interface import PpoJob, SftJob, TrainJob
from limr.train import starts

_SHOWN = 5


def digest(
    job: TrainJob, base: Any, options: Mapping[str, Any], settings: Mapping[str, Any]
) -> str:
    """Return a digest of everything that a run's results depend on.

    `base` says what the base policy is, such as the sha256 of its weights; `options` are the
    engine's that count, `settings` what belongs to the kind of training or to the engine.
    """
    continued: dict[str, Any] = {}
    if isinstance(job, PpoJob) and job.start:
        continued["start"] = {**asdict(job.start), "state": starts.sha256(job.start.state)}
    if isinstance(job, PpoJob) and job.states:
        continued["states"] = sorted(job.states)
    return provenance.digest(
        {
            "arm": job.arm,
            "seed": job.seed,
            "base": base,
            "problems": [asdict(problem) for problem in job.problems],
            "options": dict(options),
            "grader": dict(job.grader),
            "policies": sorted(job.policies),
            **continued,
            **settings,
        }
    )


def check_steps(job: TrainJob, steps: int) -> None:
    """Refuse policies of steps that the run will not have."""
    first = 0
    if isinstance(job, PpoJob) and job.start:
        first = job.start.step + 1
    beyond = sorted(step for step in job.policies if not first <= step <= steps)
    if beyond:
        raise InputError(
            f"arm '{job.arm}': a policy of step {beyond[0]} is asked for, but the run has steps "
            f"{max(1, first)} to {steps}{'' if first else ' (0 is the base)'}. Evaluate another "
            "step or train for longer."
        )


def check_lengths(job: TrainJob, prompts: Sequence[Sequence[int]], limit: int) -> None:
    """Refuse prompts, as token ids in the order of the job's problems, that are too long."""
    pairs = zip(job.problems, prompts, strict=True)
    long = [problem.problem_id for problem, ids in pairs if len(ids) > limit]
    if long:
        raise InputError(
            f"arm '{job.arm}': {len(long)} prompts are longer than ppo.max_prompt_tokens = "
            f"{limit}: {some(long)}. Raise the limit or leave them out of the problem set."
        )


def check_solutions(job: SftJob) -> None:
    """Refuse problems without a worked solution."""
    ids = [problem.problem_id for problem in job.problems]
    missing = [name for name in ids if not job.solutions.get(name, "").strip()]
    if missing:
        raise InputError(
            f"arm '{job.arm}': {len(missing)} problems have no worked solution to learn from, the "
            f"first is '{missing[0]}'. Train it by PPO, or give it problems with solutions."
        )


def some(names: Sequence[str]) -> str:
    """Return the first names, for a message."""
    return f"{', '.join(names[:_SHOWN])}{', …' if len(names) > _SHOWN else ''}"


def metrics_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return `limr.core.tables.METRICS`, and `DRAWN` where rows have it; null: not there."""
    counted = any(name in row for row in rows for name in DRAWN.names)
    schema = pa.schema([*METRICS, *(DRAWN if counted else ())])
    columns = {name: [row.get(name) for row in rows] for name in schema.names}
    return pa.table(columns, schema=schema)


def rollouts_table(columns: Mapping[str, Sequence[Any]], step: int, epoch: int) -> pa.Table:
    """Return a step's rows of `limr.core.tables.ROLLOUTS` from their other columns."""
    rows = len(columns["verdict"])
    # Every step has the same dictionary, so that the steps' tables join to the same bytes.
    codes = pa.array([VERDICTS.index(verdict) for verdict in columns["verdict"]], pa.int8())
    verdicts = pa.DictionaryArray.from_arrays(codes, pa.array(VERDICTS))
    full = {**columns, "step": [step] * rows, "epoch": [epoch] * rows, "verdict": verdicts}
    return pa.table({name: full[name] for name in ROLLOUTS.names}, schema=ROLLOUTS)

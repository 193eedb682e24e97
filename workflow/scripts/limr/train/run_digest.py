"""What training runs of every engine have in common: what they depend on, and their last step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from limr.core import provenance
from limr.core.errors import InputError
from limr.models.interface import TrainJob


def digest(
    job: TrainJob, base: Any, options: Mapping[str, Any], settings: Mapping[str, Any]
) -> str:
    """Return a digest of everything that a run's results depend on.

    Args:
        job: the run.
        base: what the base policy is, such as the sha256 of its weights.
        options: the engine's options that count.
        settings: what is particular to the kind of training or to the engine.
    """
    return provenance.digest(
        {
            "arm": job.arm,
            "seed": job.seed,
            "base": base,
            "problems": [asdict(problem) for problem in job.problems],
            "options": dict(options),
            "grader": dict(job.grader),
            "policies": sorted(job.policies),
            **settings,
        }
    )


def check_steps(job: TrainJob, steps: int) -> None:
    """Refuse policies of steps that the run will not have.

    Raises:
        InputError: see above.
    """
    beyond = sorted(step for step in job.policies if not 0 <= step <= steps)
    if beyond:
        raise InputError(
            f"arm '{job.arm}': a policy of step {beyond[0]} is asked for, but the run has steps "
            f"1 to {steps} (0 is the base). Evaluate an earlier step or train for longer."
        )

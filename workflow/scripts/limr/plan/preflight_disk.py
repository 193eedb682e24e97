"""Is there room on the disk for what a study will write? From `limr plan`'s own estimate."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from pathlib import Path

from limr.core.errors import InputError
from limr.plan import estimate, hardware, models
from limr.sources.pinned import Source
from limr.study.study import Study

GPU = "h100"  # disk does not depend on it


def needed_gb(study: Study, results: Path, sources: Mapping[str, Source]) -> float | None:
    """Return the GB that the rest of a study wants, the central estimate; None where unknown.

    Args:
        study: a checked study.
        results: its folder, which may not exist.
        sources: the pinned public files.
    """
    if not any(estimate.plans(study)) or not (study.trained or study.benchmarks):
        return None
    try:
        size = models.size(study.config["base"], None)
        given = estimate.Assumptions(hardware.find(GPU), None, {}, sources)
        tasks = estimate.tasks(study, results, size, given)
    except InputError:  # a model of unknown size: `limr plan` asks for it
        return None
    kept = sum(task.kept_bytes.central * task.to_do for task in tasks)
    state = max((task.layout.state_bytes for task in tasks if task.to_do), default=0.0)
    return (kept + state) / 1e9


def check(study: Study, results: Path, sources: Mapping[str, Source]) -> str:
    """Refuse a study that the disk has no room for; return a line that says so, "" where
    nothing is known of what it writes (engines without GPUs write little).

    Raises:
        InputError: less is free than the estimate of what is left to do.
    """
    needed = needed_gb(study, results, sources)
    if needed is None:
        return ""
    place = next(folder for folder in (results, *results.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free / 1e9
    if needed > free:
        raise InputError(
            f"disk: the study still writes about {math.ceil(needed):,} GB (results and one run's "
            f"checkpoints; limr plan shows them), and {place.absolute()} has {free:,.0f} GB free. "
            "Make room, keep results/ on a larger disk (a link will do), or evaluate fewer steps."
        )
    return f"disk: about {math.ceil(needed):,} GB to write, {free:,.0f} GB free"

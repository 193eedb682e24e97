"""What is checked where Snakemake runs, before any job: pinned files, base model, disk."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from limr.core import plugins
from limr.core.errors import InputError
from limr.plan import estimate, hardware, models
from limr.plan.counts import Counts
from limr.sources.pinned import Source, mirror_path
from limr.study.study import Study

GPU = "h100"  # disk does not depend on it


def check(study: Study, results: Path, pinned: Mapping[str, Source], mirror: str | None) -> None:
    """Refuse a study that lacks a file of the mirror, its base model, or room on the disk.

    `results` is its folder, which may not exist; what it holds already is not looked for.
    """
    for name in study.files() if mirror else ():
        if not (results / f"sources/{name}").exists():
            mirror_path(pinned[name], Path(str(mirror)))
    for line in looks(study, results, pinned):
        sys.stderr.write(f"limr: {line}\n")


def looks(study: Study, results: Path, pinned: Mapping[str, Source]) -> list[str]:
    """Check the base model and the disk; return a line on each where there is something to say."""
    engine = plugins.load("engines", study.config["engine"]["train"])
    said = []
    if hasattr(engine, "find_base") and not (results / "base").exists():
        said.append(str(engine.find_base(study.config["base"])))
    if room := check_disk(study, results, pinned):
        said.append(room)
    return said


def needed_gb(study: Study, results: Path, pinned: Mapping[str, Source]) -> float | None:
    """Return the GB that the rest of a study needs, the central estimate; None where unknown."""
    if not any(estimate.plans(study)) or not (study.trained or study.benchmarks):
        return None
    try:
        size = models.size(study.config["base"], None)
        counts = Counts(study, results, {}, pinned)
        tasks = estimate.tasks(estimate.Assumptions(counts, size, hardware.find(GPU), None))
    except InputError:  # a model of unknown size: `limr plan` asks for it
        return None
    kept = sum(task.kept_bytes.central * task.to_do for task in tasks)
    state = max((task.layout.state_bytes for task in tasks if task.to_do), default=0.0)
    starts = sum(task.to_do * len(task.states) * task.layout.start_bytes for task in tasks)
    return (kept + state + starts) / 1e9


def check_disk(study: Study, results: Path, pinned: Mapping[str, Source]) -> str:
    """Refuse a study that the disk has no room for; return a line that says how much it has.

    The line is "" where nothing is known of what the study writes: engines without GPUs write
    little.
    """
    needed = needed_gb(study, results, pinned)
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

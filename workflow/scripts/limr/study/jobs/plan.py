"""All jobs of a study: what may be made, what is wanted, what is there already.

The one list of jobs. Rules take their inputs and settings from it, archives their files, `limr
plan` its counts; a test holds it against what Snakemake plans. docs/extending.md adds a job.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from limr.core import plugins
from limr.study.jobs import choose, data, evaluate, report, train
from limr.study.jobs.job import Job
from limr.study.study import Study

if TYPE_CHECKING:
    from limr.sources.pinned import Source


def jobs(
    study: Study, folder: Path = Path(), pinned: Mapping[str, Source] | None = None
) -> list[Job]:
    """Return every job that a study may have, wanted or not.

    Args:
        study: a checked study.
        folder: the project's folder: a user's own log may be a folder of files.
        pinned: the pinned files; without them the sha256 of downloads are not among the settings.
    """
    return [
        *data.jobs(study, pinned or {}),
        *_preflight(study),
        *train.jobs(study),
        *choose.jobs(study, folder),
        *evaluate.jobs(study),
        *report.jobs(study),
    ]


def _preflight(study: Study) -> Iterator[Job]:
    """Yield a look at a node for each sort of work that a study has on GPUs."""
    work = {"train": bool(study.trained), "generate": study.evaluated}
    for kind, wanted_for in work.items():
        engine = study.config["engine"][kind]
        known = engine in plugins.names("plans")
        modules = getattr(plugins.load("plans", engine), "MODULES", None) if known else None
        if wanted_for and modules:
            environment = getattr(plugins.load("engines", engine), "ENVIRONMENT", "data")
            yield Job(
                "preflight",
                {},
                {"report": study.paths.preflight(kind)},
                {
                    "modules": modules,
                    "gpus": 1,
                    "environment": environment,
                },
                {"work": kind},
            )


def targets(study: Study) -> list[str]:
    """Return what a study is run for: every subset, and the report."""
    paths = study.paths
    subsets = [p for arm in study.selected for p in (paths.subset(arm), paths.subset_record(arm))]
    return [*subsets, paths.report]


def wanted(study: Study, found: Iterable[Job]) -> list[Job]:
    """Return the jobs that a study needs for its targets, each after its inputs.

    Args:
        study: a checked study.
        found: every job that it may have.
    """
    found = list(found)
    maker = {path: number for number, job in enumerate(found) for path in job.outputs}
    looks = [path for job in found if job.rule == "preflight" for path in job.outputs]
    ordered: dict[int, None] = {}
    opened: set[int] = set()
    stack = [maker[path] for path in reversed([*looks, *targets(study)]) if path in maker]
    while stack:
        number = stack.pop()
        if number in ordered:
            continue
        before = dict.fromkeys(maker[path] for path in found[number].inputs if path in maker)
        left = [other for other in before if other not in ordered and other not in opened]
        if left and number not in opened:
            opened.add(number)
            stack += [number, *left]
        else:
            ordered[number] = None
    return [found[number] for number in ordered]

"""Jobs from pinned public files to problems, worked solutions and audits of gold answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from limr.core import plugins
from limr.study.jobs.job import Job, Paths
from limr.study.study import Study

if TYPE_CHECKING:
    from limr.sources.pinned import Source


def jobs(study: Study, pinned: Mapping[str, Source]) -> Iterator[Job]:
    """Yield the jobs of a study's files and problem sets, its benchmarks' included.

    Args:
        study: a checked study.
        pinned: the pinned files; what pins them counts.
    """
    paths = study.paths
    for name in study.files():
        settings = pinned[name].pin if name in pinned else {}
        yield Job("fetch_source", {}, {"file": paths.source(name)}, settings, {"file": name})
    for name, entry in study.datasets.items():
        wildcards, reader = {"dataset": name}, (("datasets", str(entry["source"])),)
        file = entry.get("path") or _source(study, entry.get("file"))
        yield Job(
            "prepare_problems",
            {
                "file": file,
                "levels": _source(study, entry.get("levels_file")),
                "overrides": entry.get("overrides", []),
            },
            {"problems": paths.problems(name), "record": paths.problems_record(name)},
            entry,
            wildcards,
            reader,
        )
        yield Job(
            "prepare_solutions",
            {"file": file},
            {"solutions": paths.solutions(name)},
            entry,
            wildcards,
            reader,
        )
        yield Job(
            "audit_answers",
            {"problems": paths.problems(name)},
            {"table": paths.audit(name), "record": paths.audit_record(name)},
            {"grader": study.config["grader"]},
            wildcards,
        )


def _source(study: Study, name: str | None) -> Paths:
    return study.paths.source(name) if name else []


def audited(study: Study) -> bool:
    """Return whether gold answers are audited: to be shown, or to leave dead problems out."""
    shown = any(
        {"audits", "findings"} & set(plugins.load(kind, name).REQUIRES)
        for kind in ("tables", "figures")
        for name in study.config[kind]
    )
    return shown or any(study.arms[arm].dead_problems != "keep" for arm in study.selected)


def result_files(study: Study) -> dict[str, Paths]:
    """Return what tables and figures may ask for."""
    paths = study.paths
    chosen_from = dict.fromkeys(study.arm_dataset(arm) for arm in study.selected)
    return {
        "audits": [paths.audit_record(name) for name in study.datasets],
        "findings": [paths.audit(name) for name in chosen_from],
        "problems": [paths.problems(name) for name in study.datasets],
    }

"""All jobs of a study that derive files from files, by what they make."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from limr.study.jobs import data, report
from limr.study.jobs.job import Job
from limr.study.study import Study

DERIVED: dict[str, Callable[[Study], Iterator[Job]]] = {
    "problems": data.preparing,
    "audits": data.audits,
    "learning curves": data.curves,
    "scores": data.scores,
    "subsets": data.subsets,
    "diagnostics": data.diagnostics,
    "collected tables": data.collected,
    "second opinions": data.opinions,
    "overlaps": data.overlaps,
    "tables": report.tables,
    "figures": report.figures,
    "report": report.report,
}

"""Make the report: one self-contained page, and its three lines for the terminal."""

from pathlib import Path

from limr.analysis import load, results
from limr.core import files
from limr.core.job_log import logged
from limr.report import page

with logged(snakemake.log[0]):
    settings, given = snakemake.params.settings, snakemake.input
    inputs = results.load(
        settings["study"],
        evaluations=given.evaluations or None,
        metrics=given.metrics or None,
        trajectories=given.trajectories,
        scores=given.scores,
        subsets=given.subsets,
        diagnostics=given.diagnostics,
    )
    inputs = results.with_checks(inputs, (), given.opinions or None)
    inputs = load.with_problems(inputs, given.problems)
    inputs = load.with_runs(inputs, zip(settings["runs"], given.runs, strict=True))
    inputs = load.with_overlaps(inputs, given.overlaps)
    parts = page.Parts(
        config=settings["config"],
        tables=given.tables,
        figures=given.figures,
        rollouts=dict(zip(settings["curves"], given.rollouts, strict=True)),
        notes=given.notes,
        texts=settings["config"]["report"]["texts"],
        folder=Path(given.page[0]).parent,
    )
    page.build_report(inputs, parts, snakemake.output.page)
    lines = [f"Report: {snakemake.output.page}", *page.headline(inputs)]
    files.write_text(snakemake.output.headline, "\n".join(lines) + "\n")

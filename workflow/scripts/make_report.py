"""Make the report: one self-contained page, and its lines for the terminal."""

from pathlib import Path

from limr.analysis import answers, load
from limr.core import files
from limr.core.job_log import logged
from limr.report import page

with logged(snakemake.log[0]):
    settings, given = snakemake.params.settings, snakemake.input
    inputs = load.inputs(settings["study"], dict(given.items()), settings["runs"])
    parts = page.Parts(
        config=settings["config"],
        tables=given.tables,
        figures=given.figures,
        rollouts=dict(zip(settings["curves"], given.rollouts, strict=True)),
        answers=list(zip(settings["answers"], given.answers, strict=True)),
        notes=given.notes,
        texts=settings["config"]["report"]["texts"],
        folder=Path(given.page[0]).parent,
    )
    page.build_report(inputs, parts, snakemake.output.page)
    lines = [f"Report: {snakemake.output.page}", *answers.headline(inputs)]
    files.write_text(snakemake.output.headline, "\n".join(lines) + "\n")

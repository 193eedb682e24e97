"""Make a table, for machines and for people."""

from limr.analysis import load, results
from limr.core.job_log import logged
from limr.report import make

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    inputs = results.load(
        settings["study"],
        evaluations=snakemake.input.evaluations or None,
        metrics=snakemake.input.metrics or None,
        trajectories=snakemake.input.trajectories,
        scores=snakemake.input.scores,
        subsets=snakemake.input.subsets,
        diagnostics=snakemake.input.diagnostics,
    )
    inputs = results.with_checks(inputs, snakemake.input.audits, snakemake.input.opinions or None)
    inputs = load.with_problems(inputs, snakemake.input.problems)
    inputs = load.with_runs(inputs, zip(settings["runs"], snakemake.input.runs, strict=True))
    inputs = load.with_overlaps(inputs, snakemake.input.overlaps)
    make.make_table(
        snakemake.wildcards.table,
        load.with_paper(inputs, snakemake.input.paper),
        settings["options"],
        dict(snakemake.output.items()),
    )

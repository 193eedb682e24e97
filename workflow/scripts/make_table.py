"""Make a table, for machines and for people."""

from limr import results
from limr.joblog import logged

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
    results.make_table(
        snakemake.wildcards.table,
        results.with_checks(inputs, snakemake.input.audits, snakemake.input.opinions or None),
        settings["options"],
        snakemake.output.tsv,
        snakemake.output.markdown,
    )

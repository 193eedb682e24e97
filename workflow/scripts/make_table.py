"""Make a table, for machines and for people."""

from limr import making, results
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
    making.make_table(
        snakemake.wildcards.table,
        results.with_audits(inputs, snakemake.input.audits),
        settings["options"],
        snakemake.output.tsv,
        snakemake.output.markdown,
    )

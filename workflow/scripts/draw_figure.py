"""Draw a figure and keep its data beside it."""

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
    inputs = load.with_runs(inputs, zip(settings["runs"], snakemake.input.runs, strict=True))
    inputs = load.with_findings(inputs, snakemake.input.findings)
    make.draw_figure(
        snakemake.wildcards.figure, inputs, settings["options"], dict(snakemake.output.items())
    )

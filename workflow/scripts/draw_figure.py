"""Draw a figure and keep its data beside it."""

from limr.analysis import load
from limr.core.job_log import logged
from limr.report import make

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    make.draw_figure(
        snakemake.wildcards.figure,
        load.inputs(settings["study"], dict(snakemake.input.items()), settings["runs"]),
        settings["options"],
        dict(snakemake.output.items()),
        settings.get("style", "screen"),
    )

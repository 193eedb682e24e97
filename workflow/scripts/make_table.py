"""Make a table, for machines and for people."""

from limr.analysis import load
from limr.core.job_log import logged
from limr.report import make

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    make.make_table(
        snakemake.wildcards.table,
        load.inputs(settings["study"], dict(snakemake.input.items()), settings["runs"]),
        settings["options"],
        dict(snakemake.output.items()),
    )

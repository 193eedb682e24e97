"""Make the tables, for machines and for people."""

from limr.core.job_log import logged
from limr.report import make

with logged(snakemake.log[0]):
    given, made = dict(snakemake.input.items()), dict(snakemake.output.items())
    make.make_all("tables", snakemake.params.settings, given, made)

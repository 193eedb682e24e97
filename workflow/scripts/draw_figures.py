"""Draw the figures and keep their data beside them."""

from limr.core.job_log import logged
from limr.report import make

with logged(snakemake.log[0]):
    given, made = dict(snakemake.input.items()), dict(snakemake.output.items())
    make.make_all("figures", snakemake.params.settings, given, made)

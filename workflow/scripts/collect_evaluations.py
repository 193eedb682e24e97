"""Collect all evaluations: one row a run, step, benchmark, decoding and problem."""

from limr.core import files
from limr.core.job_log import logged
from limr.evaluate import collect

with logged(snakemake.log[0]):
    keys = snakemake.params.settings["evaluations"]
    entries = list(zip(keys, snakemake.input.evaluations, strict=True))
    files.write_parquet(snakemake.output.evaluations, collect.collect_evaluations(entries))

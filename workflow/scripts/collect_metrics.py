"""Collect the training metrics of all runs: one row a run and step."""

from limr.core import files
from limr.core.job_log import logged
from limr.evaluate import collect

with logged(snakemake.log[0]):
    entries = list(zip(snakemake.params.settings["runs"], snakemake.input.metrics, strict=True))
    files.write_parquet(snakemake.output.metrics, collect.collect_metrics(entries))

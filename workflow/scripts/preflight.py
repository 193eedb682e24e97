"""Look at a compute node before the jobs that want it: GPUs, driver, packages."""

from limr.core import files
from limr.core.job_log import logged
from limr.slurm import node

with logged(snakemake.log[0]):
    asked = snakemake.params.settings
    found = node.examine(asked["modules"], asked["gpus"], asked["environment"])
    files.write_json(snakemake.output.report, found)

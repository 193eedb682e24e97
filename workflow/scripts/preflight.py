"""Look at a compute node before the jobs that want it: GPUs, driver, packages."""

from limr import io
from limr.joblog import logged
from limr.preflight import node

with logged(snakemake.log[0]):
    asked = snakemake.params
    io.write_json(
        snakemake.output.report, node.examine(asked.modules, asked.gpus, asked.environment)
    )

"""Make the base policy that every arm starts from."""

from pathlib import Path

from limr.core import plugins
from limr.core.job_log import logged
from limr.core.tables import read_problems
from limr.models.interface import BaseJob

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    engine = plugins.load("engines", settings["engine"])
    engine.make_base(
        BaseJob(
            base=settings["base"],
            options={**settings["options"], **snakemake.params.uncompared},
            held_out=[p for path in snakemake.input.problems for p in read_problems(path)],
            state=Path(snakemake.params.state),
            policy=Path(snakemake.output.policy),
        )
    )

"""Train an arm by PPO and record every rollout."""

from pathlib import Path

from limr.core import files, plugins, provenance
from limr.core.job_log import logged
from limr.core.tables import read_problems
from limr.models.interface import PpoJob
from limr.train import starts

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    start = starts.of(settings, snakemake.input.get("start"))
    inputs = {"start": starts.sha256(start.state)} if start else {}
    inputs["problems"] = files.sha256(snakemake.input.problems)
    engine = plugins.load("engines", settings["engine"])
    engine.train_ppo(
        PpoJob(
            arm=snakemake.wildcards.arm,
            seed=int(snakemake.wildcards.seed),
            base=Path(snakemake.input.base),
            problems=read_problems(snakemake.input.problems),
            options={**settings["options"], **snakemake.params.uncompared},
            grader=settings["grader"],
            state=Path(snakemake.params.state),
            policies=dict(
                zip(settings["steps"], map(Path, snakemake.output.policies), strict=True)
            ),
            metrics=Path(snakemake.output.metrics),
            record=Path(snakemake.output.record),
            provenance=provenance.describe(settings, snakemake.params.code, inputs),
            ppo=settings["ppo"],
            reward=settings["reward"],
            rollouts=Path(snakemake.output.rollouts),
            start=start,
            states=starts.by_step(snakemake.output.get("states")),
            sampler=settings.get("sampler"),
            difficulty=Path(scores) if (scores := snakemake.input.get("difficulty")) else None,
        )
    )

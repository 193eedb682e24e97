"""Train an arm by PPO and record every rollout."""

from pathlib import Path

from limr.core import files, plugins, provenance
from limr.core.job_log import logged
from limr.core.tables import read_problems
from limr.models.interface import PpoJob, Start
from limr.train.starts import RECORD

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    inputs = {"problems": files.sha256(snakemake.input.problems)}
    start, states = None, list(map(Path, snakemake.output.get("states") or []))
    if "start" in settings:
        start = Start(**settings["start"], state=Path(snakemake.input.start))
        inputs["start"] = files.sha256(start.state / RECORD)
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
            states={int(path.name.removeprefix("step")): path for path in states},
            sampler=settings.get("sampler"),
            difficulty=Path(scores) if (scores := snakemake.input.get("difficulty")) else None,
        )
    )

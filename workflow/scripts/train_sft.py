"""Train an arm by supervised fine-tuning on worked solutions."""

from pathlib import Path

from limr.core import files, plugins, provenance
from limr.core.job_log import logged
from limr.core.tables import read_problems
from limr.models.interface import SftJob

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    inputs = {name: files.sha256(snakemake.input[name]) for name in ("problems", "solutions")}
    rows = files.read_jsonl(snakemake.input.solutions)
    engine = plugins.load("engines", settings["engine"])
    engine.train_sft(
        SftJob(
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
            sft=settings["sft"],
            solutions={row["problem_id"]: row["solution"] for row in rows},
        )
    )

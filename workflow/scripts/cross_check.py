"""Judge the responses of all evaluations again, by another rule than the study's."""

from pathlib import Path

from limr.core import files as io
from limr.core.job_log import logged
from limr.core.tables import read_problems
from limr.evaluate import second_opinion
from limr.grading.grade import GRADER_VERSION
from limr.grading.pool import GradingPool

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    golds = {
        benchmark: {problem.problem_id: problem.answer for problem in read_problems(path)}
        for benchmark, path in zip(settings["benchmarks"], snakemake.input.problems, strict=True)
    }
    files = [Path(path) for path in snakemake.input.evaluations]
    with GradingPool(settings["grader"]) as pool:
        name = settings["grader"]["plugin"] or settings["grader"]["preset"]
        rule = f"{name}, grader version {GRADER_VERSION}"
        entries = list(zip(settings["evaluations"], files, strict=True))
        io.write_parquet(
            snakemake.output.opinions, second_opinion.opinions(entries, golds, pool, rule)
        )

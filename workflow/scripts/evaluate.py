"""Evaluate the policies of a run on every benchmark, with one grading pool and one engine."""

from pathlib import Path

from limr import evaluation, registry
from limr.grading.pool import GradingPool
from limr.joblog import logged
from limr.records import read_problems

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    outputs = zip(snakemake.output.evaluations, snakemake.output.summaries, strict=True)
    benchmarks = settings["benchmarks"]
    problems = dict(zip(benchmarks, map(read_problems, snakemake.input.problems), strict=True))
    engine = registry.load("engines", settings["engine"])
    with GradingPool(settings["grader"]) as pool:
        for step, folder in zip(settings["steps"], snakemake.input.policies, strict=True):
            policy = engine.open_policy(Path(folder), settings["options"])
            for name, benchmark in benchmarks.items():
                table, summary = evaluation.evaluate(
                    policy,
                    problems[name],
                    name,
                    benchmark,
                    pool,
                    int(snakemake.wildcards.seed),
                )
                evaluation.write(*next(outputs), table, {"step": step, **summary})

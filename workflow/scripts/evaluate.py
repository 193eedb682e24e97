"""Evaluate the policies of a run on every benchmark, with one grader and one loaded engine."""

from pathlib import Path

from limr import evaluation, registry
from limr.joblog import logged
from limr.records import read_problems

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    outputs = zip(snakemake.output.evaluations, snakemake.output.summaries, strict=True)
    names = settings["benchmarks"]
    problems = dict(zip(names, map(read_problems, snakemake.input.problems), strict=True))
    for step, folder in zip(settings["steps"], snakemake.input.policies, strict=True):
        policy = registry.load("engines", settings["engine"]).open_policy(
            Path(folder), settings["options"]
        )
        for name, benchmark in settings["benchmarks"].items():
            table, summary = evaluation.evaluate(
                policy,
                problems[name],
                name,
                benchmark,
                settings["grader"],
                int(snakemake.wildcards.seed),
            )
            evaluation.write(*next(outputs), table, {"step": step, **summary})

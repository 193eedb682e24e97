"""Evaluate the policies of a run on every benchmark, with one engine."""

from contextlib import ExitStack, closing
from pathlib import Path

from limr.core import plugins, working_folder
from limr.core.job_log import logged
from limr.core.tables import read_problems
from limr.evaluate import evaluation

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    outputs = zip(snakemake.output.evaluations, snakemake.output.summaries, strict=True)
    benchmarks = settings["benchmarks"]
    options = {**settings["options"], **snakemake.params.uncompared}
    problems = dict(zip(benchmarks, map(read_problems, snakemake.input.problems), strict=True))
    engine = plugins.load("engines", settings["engine"])
    state = Path(snakemake.params.state)
    # What is in the folder is named by what it depends on: none of it is another job's.
    with (
        working_folder.opened(state, "evaluations") as working,
        ExitStack() as stack,
    ):
        pools = evaluation.pools(settings["grader"], benchmarks, stack)
        for step, folder in zip(settings["steps"], snakemake.input.policies, strict=True):
            with closing(engine.open_policy(Path(folder), options, state)) as policy:
                evaluation.check(policy, problems, benchmarks)
                for name, benchmark in benchmarks.items():
                    table, summary = evaluation.evaluate(
                        policy,
                        problems[name],
                        name,
                        benchmark,
                        pools[name],
                        int(snakemake.wildcards.seed),
                    )
                    evaluation.write(*next(outputs), table, {"step": step, **summary})
        working.remove()

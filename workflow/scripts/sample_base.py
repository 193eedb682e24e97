"""Draw and judge responses of the base policy to training problems: a choice before training."""

from contextlib import closing
from pathlib import Path

from limr.core import plugins, working_folder
from limr.core.job_log import logged
from limr.core.tables import read_problems
from limr.evaluate import evaluation
from limr.grading.pool import GradingPool

with logged(snakemake.log[0]):
    settings, source = snakemake.params.settings, snakemake.wildcards.source
    problems = {source: read_problems(snakemake.input.problems)}
    asked = {source: {"decodings": [settings["decoding"]]}}
    options = {**settings["options"], **snakemake.params.uncompared}
    engine = plugins.load("engines", settings["engine"])
    state = Path(snakemake.params.state)
    with (
        working_folder.opened(state, "samples") as working,
        GradingPool(settings["grader"]) as pool,
        closing(engine.open_policy(Path(snakemake.input.base), options, state)) as policy,
    ):
        evaluation.check(policy, problems, asked)
        table, summary = evaluation.evaluate(
            policy, problems[source], source, asked[source], pool, settings["draw"]
        )
        evaluation.write(snakemake.output.samples, snakemake.output.summary, table, summary)
        working.remove()

"""Say which selector would have gone on finding problems with a signal, by learning curves."""

import pyarrow as pa

from limr.core import files
from limr.core.errors import InputError
from limr.core.job_log import logged, note
from limr.core.tables import TRAJECTORIES, read_problems
from limr.scores import backtest, scoring
from limr.trajectories import curves as tr

with logged(snakemake.log[0]):
    settings, given = snakemake.params.settings, snakemake.input
    asked = settings["plan"]
    share = backtest.SIXTH if asked["share"] is None else asked["share"]
    plan = backtest.Plan(**{**asked, "share": share})
    logs = zip(settings["scores"].items(), given.problems, given.trajectories, strict=True)
    tables = []
    for (log, scores), problems_path, curves_path in logs:
        problems = scoring.candidates(read_problems(problems_path))
        curves = files.read_parquet(curves_path, TRAJECTORIES)
        samples = tr.samples(curves, problems.problem_ids)
        tested = backtest.with_scores(scores)
        try:
            tables.append(backtest.backtest(log, problems, samples, tested, plan))
        except InputError as error:  # such as too few epochs: the others are tested all the same
            note(f"{log}: {error}")
            tables.append(backtest.refused(log, str(error), plan))
    files.write_parquet(snakemake.output.backtest, pa.concat_tables(tables))

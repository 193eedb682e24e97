"""Score every problem with a selector."""

from limr.core import files
from limr.core.job_log import logged, note
from limr.core.tables import TRAJECTORIES, read_problems
from limr.scores import scoring
from limr.trajectories import curves as tr

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    problems = scoring.candidates(read_problems(snakemake.input.problems))
    path = snakemake.input.trajectories
    samples = (
        tr.samples(files.read_parquet(path, TRAJECTORIES), problems.problem_ids) if path else None
    )
    found = scoring.score(
        settings["selector"],
        problems,
        samples,
        settings["options"],
        seed=settings["seed"],
        name=snakemake.wildcards.selector,
    )
    for text in found.notes:
        note(text)
    files.write_parquet(snakemake.output.scores, scoring.score_table(found, problems))

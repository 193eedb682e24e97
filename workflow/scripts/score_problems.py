"""Score every problem with a selector."""

from limr import io
from limr import scores as scoring
from limr import trajectories as tr
from limr.joblog import logged
from limr.records import TRAJECTORIES, read_problems

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    problems = scoring.candidates(read_problems(snakemake.input.problems))
    path = snakemake.input.trajectories
    taken = tr.samples(io.read_parquet(path, TRAJECTORIES), problems.problem_ids) if path else None
    found = scoring.score(
        settings["selector"],
        problems,
        taken,
        settings["options"],
        seed=settings["seed"],
        name=snakemake.wildcards.selector,
    )
    io.write_parquet(snakemake.output.scores, scoring.score_table(found, problems))

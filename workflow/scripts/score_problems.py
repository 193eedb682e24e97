"""Score every problem with a selector."""

from limr import io, selection
from limr.joblog import logged
from limr.records import TRAJECTORIES, read_problems

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    path = snakemake.input.trajectories
    scores = selection.score_problems(
        settings["selector"],
        read_problems(snakemake.input.problems),
        io.read_parquet(path, TRAJECTORIES).to_pandas() if path else None,
        settings["options"],
        seed=settings["seed"],
        name=snakemake.wildcards.selector,
    )
    io.write_parquet(snakemake.output.scores, scores)

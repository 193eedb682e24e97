"""Say how sure a score is, problem by problem, and from how many epochs."""

from limr.core import files
from limr.core.job_log import logged
from limr.core.random_streams import stream
from limr.core.tables import SCORES, TRAJECTORIES, read_problems
from limr.scores import diagnostics, scoring
from limr.subsets import cut as selection
from limr.trajectories import curves as tr

with logged(snakemake.log[0]):
    settings, given = snakemake.params.settings, snakemake.input
    seed, name = settings["seed"], snakemake.wildcards.selector
    problems = scoring.candidates(read_problems(given.problems))
    subject = diagnostics.subject(
        problems,
        tr.samples(files.read_parquet(given.trajectories, TRAJECTORIES), problems.problem_ids),
        settings["selector"],
        settings["options"],
        seed=seed,
        name=name,
    )
    diagnostics.check_same(subject, files.read_parquet(given.scores, SCORES))
    subset = selection.read_subset(given.subset, given.record) if given.subset else None
    cut = diagnostics.cut(subject, subset, stream(seed, "diagnose", name, "ties"))
    draws, level = settings["draws"], settings["level"]
    rng = stream(seed, "diagnose", name, "draws")
    table = diagnostics.problem_table(subject, cut, draws, level, rng)
    files.write_parquet(snakemake.output.problems, table)
    files.write_parquet(snakemake.output.epochs, diagnostics.epoch_table(subject, cut, level))

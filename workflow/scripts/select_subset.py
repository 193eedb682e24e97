"""Cut scores into a subset and write its record."""

from limr.core import files
from limr.core.job_log import logged, note
from limr.core.random_streams import stream
from limr.core.tables import AUDITS, SCORES, TRAJECTORIES, read_problems
from limr.subsets import cut, dead_problems

with logged(snakemake.log[0]):
    settings, arm = snakemake.params.settings, snakemake.wildcards.arm
    rule, curves = dict(settings["cut"]), snakemake.input.trajectories
    if snakemake.input.size_like:
        rule["size"] = files.read_json(snakemake.input.size_like)["n_selected"]
    scores = files.read_parquet(snakemake.input.scores, SCORES).to_pandas()
    audit = snakemake.input.audit
    left_out = settings.get("dead_problems", "keep")
    dead = dead_problems.ids(files.read_parquet(audit, AUDITS), left_out) if audit else None
    if dead and left_out != "keep":
        scores = dead_problems.leave_out(scores, dead)
    rows, record = cut.select(
        scores,
        read_problems(snakemake.input.problems),
        rule,
        stream(settings["seed"], "ties", arm),
        trajectories=files.read_parquet(curves, TRAJECTORIES) if curves else None,
        origin=settings["origin"],
        where=f"arm '{arm}'",
    )
    if dead is not None:
        record["dead"] = dead_problems.counts(dead, rows, left_out)
    for line in record["warnings"]:
        note(f"warning: {line}")
    cut.write_subset(snakemake.output.subset, snakemake.output.record, rows, record)

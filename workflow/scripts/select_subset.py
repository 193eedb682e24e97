"""Cut scores into a subset and write its record."""

from limr import io, selection
from limr.joblog import logged, note
from limr.records import SCORES, TRAJECTORIES, read_problems
from limr.streams import stream

with logged(snakemake.log[0]):
    settings, arm = snakemake.params.settings, snakemake.wildcards.arm
    rule, curves = dict(settings["cut"]), snakemake.input.trajectories
    if snakemake.input.size_like:
        rule["size"] = io.read_json(snakemake.input.size_like)["n_selected"]
    rows, record = selection.select(
        io.read_parquet(snakemake.input.scores, SCORES).to_pandas(),
        read_problems(snakemake.input.problems),
        rule,
        stream(settings["seed"], "ties", arm),
        trajectories=io.read_parquet(curves, TRAJECTORIES) if curves else None,
        origin=settings["origin"],
        where=f"arm '{arm}'",
    )
    for line in record["warnings"]:
        note(f"warning: {line}")
    selection.write_subset(snakemake.output.subset, snakemake.output.record, rows, record)

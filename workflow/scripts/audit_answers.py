"""Audit the gold answers of a problem set with the study's grader and with the paper's."""

from limr import gold_audit, io
from limr.joblog import logged, note
from limr.records import read_problems

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    problems = read_problems(snakemake.input.problems)
    table, counts = gold_audit.audit(problems, settings["grader"])
    for finding, n in counts["findings"].items():
        note(f"{finding}: {n}")
    io.write_parquet(snakemake.output.table, table)
    io.write_json(
        snakemake.output.record,
        {
            "dataset": snakemake.wildcards.dataset,
            **counts,
            "problems_sha256": io.sha256(snakemake.input.problems),
        },
    )

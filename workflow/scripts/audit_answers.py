"""Audit the gold answers of a problem set with the study's grader and with the paper's."""

from limr.core import files
from limr.core.job_log import logged, note
from limr.core.tables import read_problems
from limr.problems import answer_audit

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    problems = read_problems(snakemake.input.problems)
    table, counts = answer_audit.audit(problems, settings["grader"])
    for finding, n in counts["findings"].items():
        note(f"{finding}: {n}")
    files.write_parquet(snakemake.output.table, table)
    files.write_json(
        snakemake.output.record,
        {
            "dataset": snakemake.wildcards.dataset,
            **counts,
            "problems_sha256": files.sha256(snakemake.input.problems),
        },
    )

"""Read a log into learning curves, or published scores into scores, and say what was noticed."""

from pathlib import Path

from limr import io, registry
from limr.joblog import logged, note
from limr.records import read_problems

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    importer = registry.load("importers", settings["format"])
    problems = read_problems(snakemake.input.problems)
    table, notes = importer.read(Path(snakemake.input.path), problems, settings)
    for line in notes:
        note(line)
    io.write_parquet(snakemake.output.table, table)
    io.write_json(
        snakemake.output.record,
        {
            "settings": settings,
            "source_sha256": io.sha256(snakemake.input.path),
            "n_rows": table.num_rows,
            "notes": notes,
        },
    )

"""Read a log into learning curves, or published scores into scores, and say what was noticed."""

from dataclasses import asdict
from pathlib import Path

from limr.core import files, plugins
from limr.core.job_log import logged, note
from limr.core.tables import read_problems

with logged(snakemake.log[0]):
    settings, paths = snakemake.params.settings, [Path(path) for path in snakemake.input.paths]
    importer = plugins.load("importers", settings["format"])
    found = importer.read(paths, read_problems(snakemake.input.problems), settings)
    for line in found.report():
        note(line)
    files.write_parquet(snakemake.output.table, found.table)
    files.write_json(
        snakemake.output.record,
        {
            "settings": settings,
            "source_sha256": {path.name: files.sha256(path) for path in paths},
            "n_rows": found.table.num_rows,
            "rows_read": found.rows_read,
            "rows_joined": found.rows_joined,
            "refused": [asdict(refused) for refused in found.refused],
            "notes": found.report(),
            "findings": [asdict(finding) for finding in found.findings],
        },
    )

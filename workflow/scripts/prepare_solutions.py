"""Read or generate the worked solutions of a problem set."""

from pathlib import Path

from limr.core import files, plugins
from limr.core.job_log import logged

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    dataset = plugins.load("datasets", settings["source"])
    file = Path(snakemake.input.file) if snakemake.input.file else None
    solutions = dataset.solutions(settings, file)
    rows = [{"problem_id": key, "solution": text} for key, text in solutions.items()]
    files.write_jsonl(snakemake.output.solutions, rows)

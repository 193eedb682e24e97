"""Read or generate the worked solutions of a problem set."""

from pathlib import Path

from limr import io, registry
from limr.joblog import logged

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    dataset = registry.load("datasets", settings["source"])
    file = Path(snakemake.input.file) if snakemake.input.file else None
    solutions = dataset.solutions(settings, file)
    rows = [{"problem_id": key, "solution": text} for key, text in solutions.items()]
    io.write_jsonl(snakemake.output.solutions, rows)

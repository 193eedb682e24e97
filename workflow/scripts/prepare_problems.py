"""Read or generate a problem set, check it, and say what was noticed."""

from pathlib import Path

from limr import io, registry
from limr.joblog import logged, note
from limr.records import write_problems

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    dataset = registry.load("datasets", settings["source"])
    file = Path(snakemake.input.file) if snakemake.input.file else None
    problems, notes = dataset.prepare(settings, file)
    for line in notes:
        note(line)
    keep = settings.get("empty_answers") == "keep"
    write_problems(snakemake.output.problems, problems, allow_empty_answers=keep)
    io.write_json(
        snakemake.output.record,
        {
            "dataset": snakemake.wildcards.dataset,
            "settings": settings,
            "n_problems": len(problems),
            "notes": notes,
            "sha256": io.sha256(snakemake.output.problems),
        },
    )

"""Read or generate a problem set, check it, and say what was noticed."""

from pathlib import Path

from limr.core import files, plugins
from limr.core.job_log import logged, note
from limr.core.tables import write_problems
from limr.problems import corrections, levels

with logged(snakemake.log[0]):
    settings = snakemake.params.settings
    dataset = plugins.load("datasets", settings["source"])
    file = Path(snakemake.input.file) if snakemake.input.file else None
    problems, notes = dataset.prepare(settings, file)
    if snakemake.input.levels:
        problems, found = levels.apply(problems, Path(snakemake.input.levels))
        notes = [*notes, *found]
    corrected = []
    if snakemake.input.overrides:
        problems, corrected = corrections.apply(problems, Path(snakemake.input.overrides))
    for line in notes:
        note(line)
    # Fine-tuning needs no answer: `answer: null` says that the file has none.
    keep = settings.get("empty_answers") == "keep" or settings.get("answer", "") is None
    write_problems(snakemake.output.problems, problems, allow_empty_answers=keep)
    files.write_json(
        snakemake.output.record,
        {
            "dataset": snakemake.wildcards.dataset,
            "settings": settings,
            "n_problems": len(problems),
            "notes": notes,
            **({"corrected_answers": corrected} if corrected else {}),
            "sha256": files.sha256(snakemake.output.problems),
        },
    )

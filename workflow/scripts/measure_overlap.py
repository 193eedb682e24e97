"""Measure what a benchmark's questions share with the problems that arms train on."""

from pathlib import Path

from limr.core import files as io
from limr.core.job_log import logged, note
from limr.core.tables import read_problems
from limr.problems import overlap

with logged(snakemake.log[0]):
    settings, given = snakemake.params.settings, snakemake.input
    files = zip(settings["datasets"], given.problems, strict=True)
    datasets = {name: read_problems(path) for name, path in files}
    scopes = [overlap.Scope("problem set", name, name) for name in datasets]
    for path in given.subsets:
        arm = Path(path).stem
        ids = [row["problem_id"] for row in io.read_jsonl(path)]
        scopes.append(overlap.Scope("arm", arm, settings["arms"][arm], ids))
    questions = read_problems(given.questions)
    table, cut = overlap.measure(
        questions, datasets, scopes, settings["words"], settings["longest"]
    )
    note(f"{len(questions)} questions against {len(scopes)} sets of training problems")
    note(f"{cut} texts were cut to {settings['longest']} characters")
    io.write_parquet(snakemake.output.overlaps, table)

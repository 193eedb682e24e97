"""A new kind of result, from its rule to a table that shows it, touches four files."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest
import yaml

from small_study import Project

pytestmark = pytest.mark.slow

LIBRARY = "workflow/scripts/limr"
# File -> (before, after); "" is its end. These are the files that exist and are touched.
TOUCHED = {
    "workflow/rules/report.smk": (
        "",
        """

rule measure_lengths:
    input:
        unpack(inputs("measure_lengths")),
    output:
        lengths=AT.collected("lengths"),
    log:
        AT.log("measure_lengths", "all"),
    params:
        settings=settings("measure_lengths"),
        code=code("measure_lengths"),
    script:
        "../scripts/measure_lengths.py"
""",
    ),
    f"{LIBRARY}/study/jobs/evaluate.py": (
        "\n\ndef result_files(study: Study) -> dict[str, Paths]:",
        """

def _lengths(study: Study) -> Job:
    read = {"evaluations": study.paths.collected("evaluations")}
    return Job("measure_lengths", read, {"lengths": study.paths.collected("lengths")})


def result_files(study: Study) -> dict[str, Paths]:""",
    ),
    f"{LIBRARY}/analysis/results.py": (
        "    overlaps: pd.DataFrame | None = None\n",
        "    overlaps: pd.DataFrame | None = None\n    lengths: pd.DataFrame | None = None\n",
    ),
    f"{LIBRARY}/analysis/load.py": (
        '    "overlaps": _overlaps,\n',
        '    "overlaps": _overlaps,\n    "lengths": lambda paths: pd.read_parquet(paths[0]),\n',
    ),
}
NEW = {
    "workflow/scripts/measure_lengths.py": '''"""Measure how long responses are."""

import pandas as pd

from limr.core.job_log import logged

with logged(snakemake.log[0]):
    rows = pd.read_parquet(snakemake.input.evaluations)
    mean = rows.groupby("arm", as_index=False)["response_tokens"].mean()
    mean.to_parquet(snakemake.output.lengths)
''',
    f"{LIBRARY}/report/tables/lengths.py": '''"""How long responses are, by arm."""

TITLE = "Response lengths"
REQUIRES = ("lengths",)


def build(inputs, options):
    """Return one row per arm."""
    return inputs.lengths


def caption(frame):
    """Say what the numbers are."""
    return "Mean tokens per response."
''',
}


def test_a_new_kind_of_result(finished: Project) -> None:
    folder = finished.folder
    for name, (before, after) in TOUCHED.items():
        text = (folder / name).read_text()
        assert text.count(before) == 1 or not before, name
        (folder / name).write_text(text.replace(before, after) if before else text + after)
    jobs = folder / f"{LIBRARY}/study/jobs/evaluate.py"
    text = jobs.read_text()
    jobs.write_text(
        text.replace(
            "        yield from _collect_evaluations(study)\n",
            "        yield from _collect_evaluations(study)\n        yield _lengths(study)\n",
        ).replace(
            '        "overlaps": [',
            '        "lengths": paths.collected("lengths") if study.evaluated else [],\n'
            '        "overlaps": [',
        )
    )
    for name, text in NEW.items():
        (folder / name).write_text(text)
    study = yaml.safe_load((folder / "study.yaml").read_text())
    study["tables"]["lengths"] = {}
    finished.write(study)
    ran = finished.finish("results/tiny/tables/lengths.tsv").jobs
    assert not [job for job in ran if job.startswith(("Train", "Evaluate", "Score", "Select"))]
    table = pd.read_csv(folder / "results/tiny/tables/lengths.tsv", sep="\t")
    assert set(table["arm"]) == {"base", "full", "limr", "rand-1", "rand-2", "linear", "sft"}
    # What a planned job makes is part of the study: an archive takes it without being told.
    asked = (
        "import yaml; from pathlib import Path; from limr.study import files; "
        "from limr.study.load import load; "
        "study = load(yaml.safe_load(open('study.yaml')), 'tiny', Path('config/benchmarks')); "
        "print(*(files.kind(study, f'collected/{name}.parquet') for name in ('lengths', 'others')))"
    )
    told = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=folder, env=finished.environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert told.stdout.split() == ["other", "None"]

"""Which files belong to a study: by its configuration, never by what happens to lie in a folder."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from limr.study.jobs import plan
from limr.study.study import Study

METADATA = ".snakemake/metadata"
_LONGEST_NAME = 254  # Snakemake cuts the name of a record there

# kind -> pattern of the paths under results/{study}/. A name in braces is one of the study's names.
PATTERNS = {
    "source": "sources/{file}",
    "problems": "problems/{dataset}[.]jsonl",
    "solutions": "solutions/{dataset}[.]jsonl",
    "audit": "audits/{dataset}[.]parquet",
    "record": "(?:problems|audits)/{dataset}[.]json|(?:trajectories|samples)/{source}[.]json"
    "|scores/{score}[.]json|subsets/{arm}[.]json|runs/{arm}/seed{seed}/run[.]json",
    "base": "base/.+",
    "rollouts": "runs/{arm}/seed{seed}/rollouts[.]parquet",
    "metrics": "runs/{arm}/seed{seed}/metrics[.]parquet",
    "policy": "runs/{arm}/seed{seed}/policy/step[0-9]+/.+",
    "state": "runs/{arm}/seed{seed}/state/step[0-9]+/.+",
    "trajectories": "trajectories/{source}[.]parquet",
    "samples": "samples/{source}[.]parquet",
    "scores": "scores/{score}[.]parquet",
    "subset": "subsets/{arm}[.]jsonl",
    "diagnostics": "diagnostics/{score}(?:[.]epochs)?[.]parquet",
    "evaluation": "evals/{arm}/seed{seed}/step[0-9]+/{benchmark}[.]parquet",
    "summary": "evals/{arm}/seed{seed}/step[0-9]+/{benchmark}[.]json",
    "overlaps": "overlaps/{benchmark}[.]parquet",
    "collected": "collected/(?:evaluations|metrics|opinions)[.]parquet",
    "table": "tables/{table}[.][a-z]+",
    "figure": "figures/{figure}[.][a-z]+",
    "preflight": "preflight/(?:train|generate)[.]json",
    "report": "report[.]html|report/.+",
    "headline": "headline[.]txt",
    "declaration": "declared[.](?:json|tsr)",
    "log": "logs/(?!archive_study/).+",
    "benchmark": "benchmarks/(?!archive_study/).+",
}
WITH_RESPONSES = ("rollouts", "evaluation", "samples")  # kinds whose rows have texts of responses
# Folders whose files are no part of a study's results.
WORKING = ("state/", "archive/", "logs/archive_study/", "benchmarks/archive_study/")


@lru_cache(maxsize=4)
def _patterns(names: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, re.Pattern[str]]:
    choices = {
        key: "(?:" + ("|".join(map(re.escape, values)) or "(?!)") + ")" for key, values in names
    }
    return {kind: re.compile(text.format(**choices)) for kind, text in PATTERNS.items()}


@lru_cache(maxsize=4)
def _planned(study: Study) -> frozenset[str]:
    return frozenset(path for job in plan.jobs(study) for path in job.outputs)


def _names(study: Study) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (
        ("file", tuple(study.files())),
        ("dataset", tuple(study.datasets)),
        ("arm", tuple(study.arms)),
        ("seed", tuple(map(str, study.seeds))),
        ("source", tuple(study.trajectories)),
        ("score", tuple(study.scores)),
        ("benchmark", tuple(study.benchmarks)),
        ("table", tuple(study.config["tables"])),
        ("figure", tuple(study.config["figures"])),
    )


def kind(study: Study, inside: str) -> str | None:
    """Return what a file under `results/{study}/` is, or None where it is no part of the study.

    `other`: a planned job makes it, and no pattern says more of it.
    """
    for name, pattern in _patterns(_names(study)).items():
        if pattern.fullmatch(inside):
            return name
    return "other" if f"{study.paths.root}/{inside}" in _planned(study) else None


def required(study: Study) -> list[str]:
    """Return the files under `results/{study}/` that a finished study has, policies apart."""
    paths = study.paths
    made = [path for job in plan.wanted(study, plan.jobs(study)) for path in job.outputs]
    apart = (paths.base, f"{paths.root}/preflight/")
    large = re.compile("/(?:policy|state)/step[0-9]+$")
    found = [path for path in made if not path.startswith(apart) and not large.search(path)]
    return sorted(path.removeprefix(f"{paths.root}/") for path in found)


def runs(study: Study) -> list[tuple[str, int]]:
    """Return (arm, seed) of every training run, in the study's order."""
    return study.runs


def evaluations(study: Study) -> list[tuple[str, int, int, str]]:
    """Return (arm, seed, step, benchmark) of every evaluation, in the order of their collection."""
    return [
        (arm.name, seed, step, benchmark)
        for arm in study.arms.values()
        if arm.name in study.base + study.trained
        for seed in arm.seeds
        for step in arm.steps
        for benchmark in study.benchmarks
    ]


def files(study: Study, folder: Path) -> Iterator[tuple[str, str | None]]:
    """Yield (path under `results/{study}/`, kind or None) of every file there, sorted.

    Args:
        study: the study.
        folder: its `results/{study}`.
    """
    paths = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    for inside in paths:
        if not inside.startswith(WORKING) and not Path(inside).name.startswith("."):
            yield inside, kind(study, inside)


def metadata_path(output: str) -> str:
    """Return where Snakemake keeps the record of an output, relative to the working folder."""
    name = urlsafe_b64encode(output.encode()).decode()
    parts = [name[i : i + _LONGEST_NAME] for i in range(0, len(name), _LONGEST_NAME)]
    return "/".join([METADATA, *(f"@{part}" for part in parts[:-1]), parts[-1]])


def metadata(study: Study, folder: Path) -> dict[str, str]:
    """Return output -> path of Snakemake's record, of the study's own outputs, sorted by output.

    Args:
        study: the study.
        folder: the working folder, which has `.snakemake`.
    """
    results, found = f"results/{study.name}/", {}
    for path in (folder / METADATA).rglob("*"):
        if not path.is_file():
            continue
        parts = path.relative_to(folder / METADATA).parts
        try:
            output = urlsafe_b64decode("".join(part.lstrip("@") for part in parts)).decode()
        except ValueError:
            continue  # no record of an output
        inside = output.removeprefix(results)
        folders = re.fullmatch("base|runs/.+/(?:policy|state)/step[0-9]+", inside)
        if output.startswith(results) and (kind(study, f"{inside}/x" if folders else inside)):
            found[output] = path.relative_to(folder).as_posix()
    return dict(sorted(found.items()))

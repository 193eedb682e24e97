"""Which files belong to a study: by its configuration, never by what happens to lie in a folder."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from limr.core import plugins
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


def _names(study: Study) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (
        ("file", tuple(study.files())),
        ("dataset", tuple(study.datasets)),
        ("arm", tuple(study.arms)),
        ("seed", tuple(map(str, study.seeds))),
        ("source", tuple(study.config["trajectories"])),
        ("score", tuple(study.scores)),
        ("benchmark", tuple(study.benchmarks)),
        ("table", tuple(study.config["tables"])),
        ("figure", tuple(study.config["figures"])),
    )


def kind(study: Study, inside: str) -> str | None:
    """Return what a file under `results/{study}/` is, or None where it is no part of the study."""
    for name, pattern in _patterns(_names(study)).items():
        if pattern.fullmatch(inside):
            return name
    return None


def provides_scores(study: Study, source: str | None) -> bool:
    """Return whether a source of `trajectories` holds scores instead of learning curves."""
    if source is None:
        return False
    format_ = study.config["trajectories"][source]["format"]
    return bool(plugins.load("importers", format_).PROVIDES == "scores")


def required(study: Study) -> list[str]:
    """Return the files under `results/{study}/` that a finished study has, policies apart."""
    found = [f"sources/{name}" for name in study.files()]
    found += [
        f"problems/{name}.{suffix}" for name in study.datasets for suffix in ("json", "jsonl")
    ]
    found += [
        f"trajectories/{name}.{suffix}"
        for name in study.config["trajectories"]
        if not provides_scores(study, name)
        for suffix in ("json", "parquet")
    ]
    found += [f"samples/{n}.{end}" for n in study.sampled for end in ("json", "parquet")]
    found += [f"scores/{name}.parquet" for name in study.scores]
    found += [f"subsets/{arm}.{suffix}" for arm in study.selected for suffix in ("json", "jsonl")]
    for arm, seed in runs(study):
        files = ["metrics.parquet", "run.json"]
        files += ["rollouts.parquet"] if study.arms[arm].train == "ppo" else []
        found += [f"runs/{arm}/seed{seed}/{name}" for name in files]
    for arm, seed, step, benchmark in evaluations(study):
        at = f"evals/{arm}/seed{seed}/step{step}/{benchmark}"
        found += [f"{at}.json", f"{at}.parquet"]
    found += ["collected/evaluations.parquet"] if study.benchmarks else []
    found += ["collected/metrics.parquet"] if study.trained else []
    asked = any(
        "opinions" in plugins.load("tables", name).REQUIRES for name in study.config["tables"]
    )
    found += ["collected/opinions.parquet"] if asked and study.benchmarks else []
    found += [f"overlaps/{name}.parquet" for name in study.benchmarks if overlaps(study)]
    found += [
        f"tables/{name}.{suffix}"
        for name in study.config["tables"]
        for suffix in ("md", "tex", "tsv")
    ]
    found += [
        f"figures/{name}.{suffix}"
        for name in study.config["figures"]
        for suffix in ("pdf", "png", "tsv", "txt")
    ]
    return [*found, "headline.txt", "report.html"]


def overlaps(study: Study) -> bool:
    """Return whether a table shows what questions share with training problems."""
    return any("overlaps" in plugins.load("tables", t).REQUIRES for t in study.config["tables"])


def runs(study: Study) -> list[tuple[str, int]]:
    """Return (arm, seed) of every training run, in the study's order."""
    return [(arm, seed) for arm in study.trained for seed in study.seeds]


def evaluations(study: Study) -> list[tuple[str, int, int, str]]:
    """Return (arm, seed, step, benchmark) of every evaluation, in the order of their collection."""
    return [
        (arm.name, seed, step, benchmark)
        for arm in study.arms.values()
        if arm.name in study.base + study.trained
        for seed in study.seeds
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
        folders = re.fullmatch("base|runs/.+/policy/step[0-9]+", inside)
        if output.startswith(results) and (kind(study, f"{inside}/x" if folders else inside)):
            found[output] = path.relative_to(folder).as_posix()
    return dict(sorted(found.items()))

"""How many jobs a study has, how many of them are left, and how long they took before."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from limr.core.errors import InputError
from limr.study.jobs import plan
from limr.study.study import Study


@dataclass(frozen=True)
class Jobs:
    """Jobs of a rule: in all, and those that would run now."""

    all: int
    to_do: int

    @property
    def there(self) -> int:
        """Jobs whose results stand."""
        return self.all - self.to_do


def jobs(study: Study, folder: Path, code: Path | None = None) -> dict[str, Jobs]:
    """Return each rule's jobs, in an order in which they can run; nothing is run.

    A job is to be done where an output is missing or a job before it is to be done. Changed
    settings and edited code are not looked at: that is what Snakemake's dry run is for.

    Args:
        study: a checked study.
        folder: where results/ are.
        code: where the Snakefile is; the folder itself if not given.

    Raises:
        InputError: there is no Snakefile.
    """
    snakefile = (code or folder) / "Snakefile"
    if not snakefile.is_file():
        raise InputError(f"{folder}: there is no Snakefile. Run this in the folder of the project.")
    every: Counter[str] = Counter()
    left: Counter[str] = Counter()
    to_make: set[str] = set()
    for job in plan.wanted(study, plan.jobs(study, folder)):
        there = all((folder / path).exists() for path in job.outputs)
        every[job.rule] += 1
        if not there or not to_make.isdisjoint(job.inputs):
            left[job.rule] += 1
            to_make.update(job.outputs)
    if set(left) <= {"preflight"}:  # nodes are looked at for work that is left
        left.clear()
    found = {rule: Jobs(n, left[rule]) for rule, n in every.items()}
    return {**found, "all": Jobs(1, 1 if left.total() else 0)}


def measured(results: Path, rules: Mapping[str, Jobs]) -> dict[str, float]:
    """Return the mean seconds of each rule's jobs in an earlier run, from its benchmark files.

    Args:
        results: the study's folder, `results/{study}`.
        rules: whose times are wanted; those without a file are left out.
    """
    found: dict[str, float] = {}
    for rule in rules:
        seconds: list[float] = []
        folder, name = results / "benchmarks" / rule, rule
        while not folder.is_dir() and "_" in name:  # of another's steps, as train_ppo_full_long
            name = name.rpartition("_")[0]
            folder = folder.with_name(name)
        for path in sorted(folder.glob("*.tsv")):
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file, delimiter="\t"):
                    try:
                        seconds.append(float(row["s"]))
                    except (KeyError, TypeError, ValueError):
                        continue  # cut short by a kill
        if seconds:
            found[rule] = sum(seconds) / len(seconds)
    return found

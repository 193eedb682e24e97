"""How many jobs a study has, how many of them are left, and how long they took before."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from limr.core.errors import InputError
from limr.study.jobs import graph
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
    """Return each rule's jobs, see `limr.study.jobs.graph.count`; nothing is run.

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
    return {rule: Jobs(n, left) for rule, (n, left) in graph.count(study, folder).items()}


def measured(results: Path, rules: Mapping[str, Jobs]) -> dict[str, float]:
    """Return the mean seconds of each rule's jobs in an earlier run, from its benchmark files.

    Args:
        results: the study's folder, `results/{study}`.
        rules: whose times are wanted; those without a file are left out.
    """
    found: dict[str, float] = {}
    for rule in rules:
        seconds: list[float] = []
        folder = results / "benchmarks" / rule
        if not folder.is_dir():  # a rule that inherits, as evaluate_base does from evaluate
            folder = folder.with_name(rule.rpartition("_")[0] or rule)
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

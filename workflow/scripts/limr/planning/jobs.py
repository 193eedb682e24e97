"""How many jobs a study has, and how many of them are left: what Snakemake says."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from limr.errors import InputError

_ROW = re.compile(r"^(\w+) +(\d+)$")
_SHOWN = 12


@dataclass(frozen=True)
class Jobs:
    """Jobs of a rule: in all, and those that would run now."""

    all: int
    to_do: int

    @property
    def there(self) -> int:
        """Jobs whose results stand."""
        return self.all - self.to_do


def jobs(configfile: Path, folder: Path, code: Path | None = None) -> dict[str, Jobs]:
    """Return each rule's jobs, in the order of the workflow; nothing is run.

    Args:
        configfile: the study.
        folder: where results/ are.
        code: where the Snakefile is; the folder itself if not given.

    Raises:
        InputError: there is no Snakefile, or Snakemake refuses the study.
    """
    snakefile = (code or folder) / "Snakefile"
    if not snakefile.is_file():
        raise InputError(f"{folder}: there is no Snakefile. Run this in the folder of the project.")
    left = _dry_run(configfile, folder, "--snakefile", str(snakefile))
    every = _dry_run(configfile, folder, "--snakefile", str(snakefile), "--forceall")
    return {rule: Jobs(n, left.get(rule, 0)) for rule, n in every.items()}


def _dry_run(configfile: Path, folder: Path, *options: str) -> dict[str, int]:
    snakemake = shutil.which("snakemake", path=str(Path(sys.executable).parent))
    if snakemake is None:
        raise InputError("snakemake is not beside this Python. Run `make setup`.")
    command = [snakemake, "--configfile", str(configfile), "--dry-run", "--quiet", "rules"]
    done = subprocess.run(  # noqa: S603 (no shell; the user's own study)
        [*command, *options], cwd=folder, capture_output=True, text=True, check=False
    )
    output = done.stdout + done.stderr
    if done.returncode:
        end = "\n".join(output.strip().splitlines()[-_SHOWN:])
        raise InputError(f"{configfile}: Snakemake refuses the study:\n{end}")
    return read_stats(output)


def read_stats(output: str) -> dict[str, int]:
    """Return rule -> jobs from what a dry run prints; empty where nothing is to be done."""
    _, _, table = output.partition("Job stats:")
    found: dict[str, int] = {}
    for line in table.splitlines()[3:]:
        match = _ROW.match(line.strip())
        if match is None or match[1] == "total":
            break
        found[match[1]] = int(match[2])
    return found


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

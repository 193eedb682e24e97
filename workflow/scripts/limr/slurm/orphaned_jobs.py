"""Jobs that a killed Snakemake left in SLURM: found before a new start, then waited for or ended.

Snakemake does not know its jobs of an earlier life. A restart would submit them again beside
themselves, and the jobs that end meanwhile would have worked for nothing. They are known by the
prefix of their name (`slurm-jobname-prefix` of the profile) and by the folder that they work in.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from limr.core.errors import InputError

VARIABLE = "LIMR_SLURM_ORPHANS"
CHOICES = ("wait", "cancel", "refuse")
PREFIX = "limr_"
SECONDS = 10.0  # between two looks
_TIMEOUT = 60
_HELD: dict[Path, int] = {}  # locks of this process
_NO_CLUSTER = "Could not establish a configuration source"  # SLURM's programs alone are no cluster
_FORMAT = "%i|%T|%j|%Z|%k"
# A Snakemake that starts no job needs no guard.
_LOOKING = {
    *("--dry-run", "--dryrun", "--lint", "--unlock", "--dag", "--rulegraph", "--filegraph"),
    *("--summary", "--detailed-summary", "--list-rules", "--list", "--report", "--archive"),
    *("--help", "--version", "--cleanup-metadata", "--conda-create-envs-only", "--list-changes"),
}
_SHORT = re.compile(r"-[pkqFat]*[nhSDlv][A-Za-z]*")  # in `-call` the rest is a value


@dataclass(frozen=True)
class Job:
    """A job of SLURM: its number, state, and rule with wildcards."""

    number: str
    state: str
    what: str


def starts_jobs(arguments: Sequence[str]) -> bool:
    """Tell whether a Snakemake with these arguments may start jobs."""
    return not any(word in _LOOKING or _SHORT.fullmatch(word) for word in arguments)


def jobs_of(text: str, folder: Path) -> list[Job]:
    """Return the jobs of this workflow, from squeue's lines (`_FORMAT`).

    Args:
        text: what squeue printed.
        folder: the working folder of the workflow.
    """
    found = []
    for line in text.splitlines():
        parts = line.split("|", 4)
        if len(parts) == 5 and parts[2].startswith(PREFIX) and Path(parts[3]) == folder:
            what = parts[4].removeprefix("rule_").replace("_wildcards_", " ")
            found.append(Job(parts[0], parts[1], what))
    return found


def guard(
    folder: Path,
    study: str,
    environment: Mapping[str, str] = os.environ,
    sleep: Callable[[float], object] = time.sleep,
) -> None:
    """Return once no job of an earlier Snakemake works in this folder.

    Without SLURM on this machine there is nothing to do. While a Snakemake of another study works
    in the same folder, whose jobs they are cannot be told: they are left alone.
    `LIMR_SLURM_ORPHANS` is what to do with orphans: `wait` (the default: what they have made is
    kept), `cancel` (a run goes on from its last checkpoint) or `refuse`.

    Raises:
        InputError: another Snakemake works on this study here; jobs are there and `refuse` was
            asked for; they cannot be cancelled; SLURM does not answer; or the variable has another
            value.
    """
    choice = environment.get(VARIABLE, "wait")
    if choice not in CHOICES:
        raise InputError(f"{VARIABLE} is '{choice}': set it to one of {', '.join(CHOICES)}.")
    if shutil.which("squeue", path=environment.get("PATH")) is None:
        return
    others = _hold(folder / ".snakemake", study)
    found = listed(folder)
    if not found:
        return
    if others:
        sys.stderr.write(f"limr: {others[0]} is at work in this folder too; its jobs go on.\n")
        return
    _say(found, choice)
    if choice == "refuse":
        raise InputError(
            f"{len(found)} jobs of an earlier Snakemake still work in {folder}. Wait for them, or "
            f"end them: scancel {' '.join(job.number for job in found)}"
        )
    if choice == "cancel":
        _call(["scancel", *(job.number for job in found)])
    while found:
        sleep(SECONDS if choice == "wait" else 1.0)
        found = listed(folder)
    sys.stderr.write("limr: they have ended; going on.\n")


def _hold(folder: Path, study: str) -> list[str]:
    """Mark that this process works on a study; return the marks of others that are held."""
    folder.mkdir(exist_ok=True)
    own = folder / f"limr-{study}.lock"
    if own not in _HELD:  # a module's rules are read once for every `use rule`
        descriptor = os.open(own, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise InputError(
                f"another Snakemake works on the study '{study}' in this folder: its jobs are no "
                "orphans. Wait for it, or end it."
            ) from None
        _HELD[own] = descriptor  # until this process ends, whichever way
    return [path.stem for path in sorted(folder.glob("limr-*.lock")) if _is_others(path)]


def _is_others(path: Path) -> bool:
    return path not in _HELD and _held(path)


def _held(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def listed(folder: Path, *options: str) -> list[Job]:
    """Return the jobs of this workflow that squeue lists with these options.

    Raises:
        InputError: SLURM does not answer.
    """
    said = _call(["squeue", "--noheader", "--me", f"--format={_FORMAT}", *options])
    return jobs_of(said, folder)


def _say(jobs: Sequence[Job], choice: str) -> None:
    what = {"wait": "waiting until they end", "cancel": "cancelling them", "refuse": "stopping"}
    lines = [f"  {job.number} {job.state} {job.what}" for job in jobs]
    head = f"limr: {len(jobs)} jobs of an earlier Snakemake still work in this folder; "
    advice = f" ({VARIABLE}=cancel ends them)" if choice == "wait" else ""
    sys.stderr.write("\n".join([head + what[choice] + advice, *lines]) + "\n")


def _call(words: Sequence[str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - SLURM's own programs, no shell
            words, capture_output=True, text=True, check=False, timeout=_TIMEOUT
        )
    except subprocess.TimeoutExpired:
        raise InputError(
            f"{words[0]} does not answer within {_TIMEOUT} s. Is SLURM's controller up?"
        ) from None
    if done.returncode != 0 and _NO_CLUSTER in done.stderr:
        return ""
    if done.returncode != 0:
        raise InputError(
            f"{words[0]} failed: {done.stderr.strip()}. Without it nobody knows whether jobs of an "
            "earlier run still work in this folder. Try again when SLURM answers."
        )
    return done.stdout

"""Jobs that a killed Snakemake left in SLURM: found before a new start, then waited for or ended.

Snakemake does not know the jobs of an earlier Snakemake. It would submit them a second time, and
what the first ones still produce would be lost. They are recognised by the prefix of their name
(`slurm-jobname-prefix` of the profile) and by the folder that they work in.

A start that submits to SLURM leaves a mark in `.snakemake/`. A start on this machine alone asks
SLURM only where that mark is, and only for seconds: a controller that is down stops no local run.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from limr.core.errors import InputError
from limr.slurm import ask

VARIABLE = "LIMR_SLURM_ORPHANS"
CHOICES = ("wait", "cancel", "refuse")
PREFIX = "limr_"
MARK = "limr-submitted"  # in .snakemake: jobs of this folder have been submitted to SLURM
SECONDS = 10.0  # between two looks
LOCAL_SECONDS = 5.0  # how long a start on this machine alone waits for SLURM's answer
_HELD: dict[Path, int] = {}  # locks of this process
_NO_CLUSTER = "Could not establish a configuration source"  # SLURM's programs without a cluster
_FORMAT = "%i|%T|%j|%Z|%k"


@dataclass(frozen=True)
class Job:
    """A job of SLURM: its number, state, and rule with wildcards."""

    number: str
    state: str
    what: str


def jobs_of(text: str, folder: Path) -> list[Job]:
    """Return the jobs that work in a folder, from squeue's lines (`_FORMAT`)."""
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
    *,
    submits: bool = True,
) -> None:
    """Return once no job of an earlier Snakemake works in this folder.

    Without SLURM on this machine there is nothing to do. While a Snakemake of another study works
    in the same folder, whose jobs they are cannot be told: they are left alone.
    `LIMR_SLURM_ORPHANS` is what to do with such jobs: `wait` (the default: their results are
    kept), `cancel` (a run goes on from its last checkpoint) or `refuse`.

    Args:
        folder: the working folder of the workflow.
        study: its name.
        environment: of this process.
        sleep: waits between two looks.
        submits: whether this Snakemake submits to SLURM; if not, see the module's text.

    Raises:
        InputError: another Snakemake works on this study here; there are such jobs and `refuse` is
            set; they cannot be cancelled; SLURM does not answer and this Snakemake submits to it;
            or the variable has another value.
    """
    choice = environment.get(VARIABLE, "wait")
    if choice not in CHOICES:
        raise InputError(f"{VARIABLE} is '{choice}': set it to one of {', '.join(CHOICES)}.")
    if shutil.which("squeue", path=environment.get("PATH")) is None:
        return
    others = _hold(folder / ".snakemake", study)
    found = _found(folder, submits)
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


def _found(folder: Path, submits: bool) -> list[Job]:
    """Return the jobs of an earlier Snakemake; SLURM is asked where it may have some."""
    mark = folder / ".snakemake" / MARK
    if submits:
        mark.touch()
        return listed(folder)
    if not mark.exists():
        return []
    try:
        return listed(folder, seconds=LOCAL_SECONDS)
    except InputError as error:
        sys.stderr.write(f"limr: warning: {error} This run starts nevertheless.\n")
        return []


def _hold(folder: Path, study: str) -> list[str]:
    """Lock a study for this process; return the locks that other processes hold."""
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
        _HELD[own] = descriptor  # until this process ends
    locks = sorted(folder.glob("limr-*.lock"))
    return [path.stem for path in locks if path not in _HELD and _is_held(path)]


def _is_held(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def listed(folder: Path, *options: str, seconds: float = ask.SECONDS) -> list[Job]:
    """Return the jobs of this workflow that squeue lists with these options.

    Raises:
        InputError: SLURM does not answer within so many seconds.
    """
    words = ["squeue", "--noheader", "--me", f"--format={_FORMAT}", *options]
    return jobs_of(_call(words, seconds), folder)


def _say(jobs: Sequence[Job], choice: str) -> None:
    what = {"wait": "waiting until they end", "cancel": "cancelling them", "refuse": "stopping"}
    lines = [f"  {job.number} {job.state} {job.what}" for job in jobs]
    head = f"limr: {len(jobs)} jobs of an earlier Snakemake still work in this folder; "
    advice = f" ({VARIABLE}=cancel ends them)" if choice == "wait" else ""
    sys.stderr.write("\n".join([head + what[choice] + advice, *lines]) + "\n")


def _call(words: Sequence[str], seconds: float = ask.SECONDS) -> str:
    done = ask.call(words, seconds=seconds)
    if done.returncode and _NO_CLUSTER not in done.stderr:
        raise InputError(
            f"{words[0]} failed: {done.stderr.strip()}. Without it nobody knows whether jobs of an "
            "earlier run still work in this folder. Try again when SLURM answers."
        )
    return done.stdout

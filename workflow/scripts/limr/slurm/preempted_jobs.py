"""Jobs that a cluster has ended for more urgent ones: started again where SLURM does not do so.

Where jobs are requeued (`PreemptMode=REQUEUE`) SLURM starts the same job again, and there is
nothing to do. Where they are cancelled (`PreemptMode=CANCEL`) they stay `PREEMPTED`, and Snakemake
would wait for them for ever: its executor leaves them to SLURM, which starts them again only when
it is asked to.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from limr.core.errors import InputError
from limr.slurm import ask, orphaned_jobs

PAUSE = "LIMR_SLURM_FIRST_LOOK"  # seconds between two looks, the profile's for other states too
_SECONDS = 20.0


def watch(
    folder: Path,
    environment: Mapping[str, str],
    sleep: Callable[[float], object] = time.sleep,
) -> None:
    """Look for preempted jobs of this folder until this process ends, where there is SLURM.

    Raises InputError where SLURM does not answer, or the pause is no number of seconds.
    """
    if shutil.which("squeue", path=environment.get("PATH")) is None:
        return
    try:
        pause = max(1.0, float(environment.get(PAUSE, _SECONDS)))
    except ValueError:
        raise InputError(
            f"{PAUSE} is '{environment[PAUSE]}': set it to a number of seconds."
        ) from None
    left_alone = {job.number for job in _preempted(folder)}  # of an earlier Snakemake

    def look() -> None:
        while True:
            sleep(pause)
            left_alone.update(requeue(folder, left_alone))

    threading.Thread(target=look, daemon=True, name="limr-preempted").start()


def requeue(folder: Path, left_alone: set[str]) -> set[str]:
    """Have SLURM start preempted jobs again; return the numbers of those that it refuses.

    `left_alone` are the numbers of jobs that are not this Snakemake's.
    """
    refused: set[str] = set()
    try:
        found = [job for job in _preempted(folder) if job.number not in left_alone]
    except InputError:
        return refused  # the controller may be back at the next look
    for job in found:
        try:
            done = ask.call(["scontrol", "requeue", job.number])
        except InputError:
            continue
        what = "was preempted; it starts again and goes on"
        if done.returncode:
            refused.add(job.number)
            what = (
                f"was preempted, and SLURM does not start it again: {done.stderr.strip()}. End "
                "Snakemake (Ctrl-C) and start it again"
            )
        sys.stderr.write(f"limr: SLURM job {job.number} ({job.what}) {what}.\n")
    return refused


def _preempted(folder: Path) -> list[orphaned_jobs.Job]:
    return orphaned_jobs.listed(folder, "--states=PREEMPTED")

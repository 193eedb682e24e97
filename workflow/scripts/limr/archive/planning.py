"""What Snakemake, with the Snakefile of this limr, would do in an unpacked archive."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from limr.archive import verify_files
from limr.archive.opened import Opened
from limr.core import provenance
from limr.core.errors import InputError

_DRY_RUN = 900.0  # seconds


def asked(opened: Opened, scratch: Path, threads: ThreadPoolExecutor) -> Future[list[str]] | str:
    """Ask Snakemake, with the Snakefile of this limr, what it would do in the unpacked archive.

    It is asked beside the other checks, in a second tree of the same files, since they move files.
    Returns its answer to come, or why it is not asked.
    """
    if verify_files.code_differences(opened):
        return "not planned, since the code differs"
    if opened.record["left_out"].keys() - _policies(opened):
        return "not planned here, since files are left out; `limr restore` plans"
    if opened.record["missing"]:
        return "the study is half finished: there is something to do"
    folder = scratch / "resumed"
    for name in opened.files:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(opened.folder / name, target)
    now = time.time()  # of folders too, which are inputs: nothing is newer than what it made
    for path in folder.rglob("*"):
        os.utime(path, (now, now))
    return threads.submit(planned, folder, folder / opened.record["config"])


def _policies(opened: Opened) -> set[str]:
    return {path for path in opened.record["left_out"] if "/policy/" in path}


def planned(folder: Path, config: Path) -> list[str]:
    """Return the jobs that Snakemake, with this limr's Snakefile, would run in a folder.

    Raises:
        InputError: Snakemake is not there, or cannot plan the study.
    """
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(provenance.ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--configfile", str(config.resolve()), "--dry-run"]
    environment = {**os.environ, "PYTHONPATH": str(provenance.SCRIPTS)}
    environment.pop("LIMR_MIRROR", None)
    try:
        done = subprocess.run(  # noqa: S603 (a fixed command)
            [*command, "--nolock"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_DRY_RUN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"Snakemake did not plan the study within {_DRY_RUN:.0f} s") from None
    lines = (done.stdout + done.stderr).splitlines()
    if done.returncode:
        raise InputError(f"Snakemake cannot plan the study: {' '.join(lines[-3:])}")
    found = (re.fullmatch(r"Job \d+: (.+)", line) for line in lines)
    return [job.group(1) for job in found if job]

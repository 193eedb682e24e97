"""`limr run`: Snakemake, after a stale lock of a killed run is cleared."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from limr.core.errors import InputError

HELP = "run a study by Snakemake, also after a killed run; further options go to Snakemake"
LOCKS = Path(".snakemake/locks")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--profile", default="profiles/demo", help="folder of Snakemake options (%(default)s)"
    )
    parser.add_argument(
        "snakemake", nargs=argparse.REMAINDER, metavar="...", help="after --, for Snakemake"
    )


def run(options: argparse.Namespace) -> int:
    """Run Snakemake in this folder and return its exit code."""
    snakemake = shutil.which("snakemake", path=str(Path(sys.executable).parent))
    if snakemake is None:
        raise InputError("snakemake is not beside this Python. Run `make setup`.")
    further = [option for option in options.snakemake if option != "--"]
    command = [snakemake, "--profile", options.profile, *further]
    if LOCKS.is_dir() and any(LOCKS.iterdir()):
        refuse_a_second_run()
        subprocess.run([*command, "--unlock", "--quiet"], check=True)  # noqa: S603 (no shell; the user's own words)
    return subprocess.run(command, check=False).returncode  # noqa: S603 (as above)


def refuse_a_second_run() -> None:
    """Refuse to clear a lock that a live Snakemake of this folder holds.

    Raises:
        InputError: there is one; the message names its process.
    """
    import psutil

    here = Path.cwd()
    for process in psutil.process_iter(["pid", "cmdline", "cwd"]):
        words = process.info["cmdline"] or []
        is_snakemake = any(Path(word).name == "snakemake" for word in words[:3])
        if is_snakemake and process.info["cwd"] and Path(process.info["cwd"]) == here:
            raise InputError(
                f"another Snakemake (process {process.info['pid']}) is at work in {here}. "
                "Wait for it, or stop it and run this again."
            )

"""`limr verify`: check an archive of a study, on any machine, without a network."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from limr.core.errors import InputError

HELP = "check an archive of a study: every digest, and every result that can be recomputed"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = (
        "Prints one line per check: ok, FAILED (file, field, expected, found) or note (what was "
        "not checked, and why). Exit code 0: nothing failed; 1: something did; 2: no such file. "
        "Nothing in the archive is executed. docs/archive.md says what each failure means."
    )
    parser.add_argument("archive", type=Path, help="the zip")
    parser.add_argument(
        "--signers",
        type=Path,
        metavar="FILE",
        help="keys that you trust (ssh-keygen's allowed_signers): one of them must have signed it",
    )
    parser.add_argument(
        "--witness",
        type=Path,
        metavar="FILE",
        help="certificates of timestamping services that you trust: one of them must have seen the "
        "study's declaration before its first job",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="recompute learning curves, scores and subsets alone, in seconds; says what is left",
    )
    parser.add_argument(
        "--anew",
        action="store_true",
        help="recompute also what an earlier verify on this machine found to be the same",
    )
    parser.add_argument(
        "--rerun",
        type=int,
        metavar="N",
        help="also train the first N steps of every run of the embedded engine again, and compare "
        "every rollout; on the type of processor that they ran on",
    )


def run(options: argparse.Namespace) -> int:
    """Check the archive."""
    # As in the jobs that Snakemake starts; idle threads of each process would wait for one another.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from limr.archive import remembered, verify

    if options.rerun is not None and options.rerun < 1:
        raise InputError("--rerun: at least 1 step.")
    start = time.monotonic()
    place = None if options.anew else remembered.folder()
    good = verify.verify(
        options.archive,
        _say,
        options.signers,
        options.rerun,
        options.witness,
        quick=options.quick,
        place=place,
    )
    verdict = "nothing failed" if good else "FAILED"
    _say(f"{options.archive}: {verdict} ({time.monotonic() - start:.1f} s)")
    return 0 if good else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()

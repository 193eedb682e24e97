"""`limr restore`: go on from an archive of a study."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

HELP = "unpack an archive so that the workflow goes on from it; no job reruns"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = (
        "Into a clone of limr go the results and Snakemake's records; into an empty folder goes "
        "everything. Files that the archive may not pass on are fetched (from LIMR_MIRROR, else "
        "from their origin) and what is made from them is recomputed; every sha256 is checked. "
        "Check an archive of a stranger by `limr verify` first."
    )
    parser.add_argument("archive", type=Path, help="the zip")
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=Path(),
        help="a clone, or an empty folder (this one)",
    )
    parser.add_argument("--no-fetch", action="store_true", help="fetch nothing that is left out")
    parser.add_argument("--no-plan", action="store_true", help="do not ask Snakemake what is left")


def run(options: argparse.Namespace) -> int:
    """Restore the archive, and say what Snakemake would do now."""
    from limr.archive import planning, restore
    from limr.core.errors import InputError

    mirror = os.environ.get("LIMR_MIRROR")
    found = restore.restore(
        options.archive,
        options.folder,
        Path(mirror) if mirror else None,
        fetch=not options.no_fetch,
        say=_say,
    )
    _say(f"{len(found.opened.files):,} files restored into {options.folder.resolve()}.")
    for path, why in found.lacking.items():
        _say(f"left out, and not to be had: {path}: {why}")
    config = found.opened.record["config"]
    if not options.no_plan:
        try:
            jobs = planning.planned(options.folder, options.folder / config)
        except InputError as error:
            _say(f"What Snakemake would do now is not known: {error}")
        else:
            _say(f"Snakemake would do now: {'; '.join(jobs) if jobs else 'nothing'}.")
    _say(f"To go on: change {config}, then `snakemake --configfile {config}` there.")
    return 0


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")

"""What was found as it should be is not made again by the next `limr verify` of the same files.

A folder in the user's cache has an empty file for each such job. Its name is a digest of all that
its outputs follow from: code, packages, settings, and the content of what it reads and makes. So
there is nothing in a file to trust or to damage; one that is missing costs the work only.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from limr.archive.opened import Opened
from limr.core import files, plugins, provenance
from limr.study.jobs import report
from limr.study.jobs.job import Job

DAYS = 90  # what no verify has asked for in so long is forgotten


def folder() -> Path:
    """Return the folder of the user's cache; it need not exist."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "limr/verified"


def name(opened: Opened, job: Job) -> str | None:
    """Return the name of a job with these inputs and outputs; None: it cannot be known by name."""
    given = opened.study.config.values()
    if any(isinstance(part, dict) and part.get("plugin") for part in given):
        return None  # a grader of another package, whose code no digest here covers
    if any((opened.folder / path).is_dir() for path in job.inputs):
        return None
    modules = [plugins.module_name(kind, name) for kind, name in job.plugins]
    code = provenance.code_digest(job.script, [*modules, "limr.archive.verify_derived"])
    contents = {path: _digest(opened, path) for path in [*job.inputs, *job.outputs]}
    record = {key: opened.record.get(key) for key in ("without_responses", "matplotlib")}
    about = [job.rule, dict(job.wildcards), job.settings, {**job.input}, {**job.output}]
    return provenance.digest([code, _packages(), _page(), contents, record, about])


def _digest(opened: Opened, path: str) -> str | None:
    """Return a file's sha256; a stand-in for left-out texts has one, too."""
    if path in opened.files:
        return opened.files[path][1]
    return files.sha256(opened.folder / path) if opened.has(path) else opened.sha256(path)


@cache
def _packages() -> list[str]:
    found = {p.name for place in sys.path if place for p in Path(place).glob("*.dist-info")}
    return [platform.python_version(), platform.machine(), *sorted(found)]


@cache
def _page() -> list[str]:
    return [files.sha256(provenance.ROOT / path) for path in report.PAGE]


def known(place: Path, name: str) -> bool:
    """Return whether a job was found as it should be, and keep that in mind for longer."""
    try:
        os.utime(place / name)
    except OSError:
        return False
    return True


def keep(place: Path, name: str) -> None:
    """Remember a job; where that cannot be, the next verify does its work again."""
    with suppress(OSError):
        place.mkdir(parents=True, exist_ok=True)
        (place / name).touch()


def forget_old(place: Path) -> None:
    """Forget what no verify has asked for in a long time."""
    limit = time.time() - DAYS * 86400
    with suppress(OSError):
        for path in place.iterdir():
            if path.stat().st_mtime < limit:
                path.unlink()

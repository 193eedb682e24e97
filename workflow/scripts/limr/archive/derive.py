"""Recomputes derived files from the files of an archive, by the scripts of the running limr.

A script of the workflow is run in this process with a stand-in for what Snakemake gives it. The
scripts are those beside this module, never the archive's. Each reads archived files only, so that
every step is checked by itself, whatever was altered before it.
"""

from __future__ import annotations

import contextlib
import io as texts
import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from limr.core import provenance
from limr.core.errors import InputError
from limr.study.jobs import report
from limr.study.jobs.job import Job


class _Named(SimpleNamespace):
    """Inputs or outputs as a script sees them."""

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)

    def items(self) -> Any:
        return vars(self).items()


def run(job: Job, folder: Path, scratch: Path) -> None:
    """Run a job in a folder; its outputs must not exist yet.

    Args:
        job: the job.
        folder: what its paths are relative to.
        scratch: a folder for its log.

    Raises:
        InputError: it failed; with the last line that it said.
    """
    log = scratch / "job.log"
    read = dict(job.input)
    if "page" in read:  # never the archive's: a template is code
        read["page"] = [str(provenance.ROOT / name) for name in report.PAGE]
    given = SimpleNamespace(
        input=_Named(**read),
        output=_Named(**job.output),
        params=_Named(settings=job.settings, code="", registry="", root=""),
        wildcards=SimpleNamespace(**job.wildcards),
        log=[str(log.resolve())],
    )
    path = provenance.SCRIPTS / f"{job.script}.py"
    try:
        with contextlib.chdir(folder), contextlib.redirect_stderr(texts.StringIO()):
            runpy.run_path(str(path), init_globals={"snakemake": given})
    except SystemExit:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        raise InputError(f"{job.script}: {lines[-1] if lines else 'it failed'}") from None


@contextlib.contextmanager
def made_again(job: Job, folder: Path, scratch: Path) -> Iterator[dict[str, tuple[Path, Path]]]:
    """Yield path -> (recomputed, archived) for every output of a job that is archived.

    The archived outputs are moved aside while the job runs under the very paths it ran under, since
    some files speak of paths; afterwards everything is as before.

    Raises:
        InputError: the job failed.
    """
    aside, again = scratch / "aside", scratch / "again"
    archived = [path for path in job.outputs if (folder / path).is_file()]
    try:
        for path in archived:
            _move(folder / path, aside / path)
        run(job, folder, scratch)
        for path in archived:
            if not (folder / path).is_file():
                raise InputError(f"{job.script}: it did not make {path}")
            _move(folder / path, again / path)
        yield {path: (again / path, aside / path) for path in archived}
    finally:
        for path in job.outputs:
            (folder / path).unlink(missing_ok=True)
        for path in archived:
            if (aside / path).exists():
                _move(aside / path, folder / path)
        shutil.rmtree(again, ignore_errors=True)


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)

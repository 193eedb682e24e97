"""Recomputes derived files from the files of an archive, by the scripts of the running limr.

A script of the workflow is run in this process with a stand-in for what Snakemake gives it. The
scripts are those beside this module, never the archive's. Each reads archived files only, so that
every step is checked by itself, whatever was altered before it.
"""

from __future__ import annotations

import contextlib
import io as texts
import os
import runpy
import shutil
import tempfile
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


def run(job: Job, folder: Path, log: Path) -> None:
    """Run a job in a folder; its outputs must not exist yet.

    Args:
        job: the job.
        folder: what its paths are relative to.
        log: where its log goes.

    Raises:
        InputError: it failed; with the last line that it said.
    """
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
def made_again(job: Job, folder: Path, scratch: Path) -> Iterator[Path]:
    """Yield a folder with the outputs of a job, made again under the very paths it ran under.

    Some files speak of paths. The folder has the job's inputs and nothing else of the archive, so
    that several jobs may run side by side.

    Raises:
        InputError: the job failed.
    """
    with tempfile.TemporaryDirectory(prefix="again-", dir=scratch) as temporary:
        again = Path(temporary) / "archive"
        again.mkdir()
        for path in dict.fromkeys(job.inputs):  # several arms may share a file
            (again / path).parent.mkdir(parents=True, exist_ok=True)
            if (folder / path).is_dir():
                shutil.copytree(folder / path, again / path, copy_function=os.link)
            else:
                os.link(folder / path, again / path)
        run(job, again, Path(temporary) / "job.log")
        for path in job.outputs:
            if (folder / path).is_file() and not (again / path).is_file():
                raise InputError(f"{job.script}: it did not make {path}")
        yield again

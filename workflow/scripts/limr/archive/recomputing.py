"""Runs an archive's jobs again, several side by side, but none that is known to be the same."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from limr.archive import remembered, verify_derived
from limr.archive.findings import NOTE, Findings
from limr.archive.opened import Opened
from limr.archive.verify_derived import Todo
from limr.core import plugins, progress

MOST = 8  # processes: each takes some 300 MB
Faults = Callable[[], list[str]]  # waits for a job, and says where its outputs differ


class Work:
    """The jobs of an archive that are run again.

    Args:
        opened: the archive.
        scratch: a folder for what is made.
        place: the folder of `limr.archive.remembered`; None: everything is run again.
    """

    def __init__(self, opened: Opened, scratch: Path, place: Path | None) -> None:
        self.opened, self.scratch, self.place = opened, scratch, place
        self._names: dict[tuple[str, ...], str | None] = {}

    def known(self, one: Todo) -> bool:
        """Return whether an earlier verify found the very same as it should be."""
        if self.place is None:
            return False
        name = self._names[one.outputs] = remembered.name(self.opened, one.job)
        return name is not None and remembered.known(self.place, name)

    def faults(self, one: Todo) -> list[str]:
        """Run a job again; return where its outputs differ."""
        found = list(verify_derived.faults(self.opened, one, self.scratch))
        name = self._names.get(one.outputs)
        if not found and self.place is not None and name is not None:
            remembered.keep(self.place, name)
        return found


_WORK: list[Work] = []  # of a process that runs jobs: inherited by the fork, never sent


def _start(parent: int, processes: int) -> None:
    progress.share_cores(processes)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, who closes the pool
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _faults(one: Todo) -> list[str]:
    return _WORK[-1].faults(one)


@contextmanager
def started(work: Work, jobs: Sequence[Todo]) -> Iterator[dict[tuple[str, ...], Faults]]:
    """Yield outputs of a job -> what waits for it. Jobs start at once, in their order."""
    processes = min(MOST, progress.cores(), len(jobs))
    with progress.bar(len(jobs), "jobs run again") as shown:
        if processes <= 1:
            yield {one.outputs: _counted(partial(work.faults, one), shown) for one in jobs}
            return
        _import_once(jobs)
        _WORK.append(work)
        forks = multiprocessing.get_context("fork")
        pool = ProcessPoolExecutor(processes, forks, _start, (os.getpid(), processes))
        try:
            found = {one.outputs: pool.submit(_faults, one) for one in jobs}
            yield {name: _counted(one.result, shown) for name, one in found.items()}
        finally:
            pool.shutdown(cancel_futures=True)
            _WORK.pop()


def _counted(find: Faults, shown: Any) -> Faults:
    def found() -> list[str]:
        faults = find()
        shown.update(1)
        return faults

    return found


def _import_once(jobs: Sequence[Todo]) -> None:
    """Import what draws and what plug-ins import before the fork, so that every process has it."""
    for kind, name in {plugin for one in jobs for plugin in one.job.plugins}:
        plugins.load(kind, name)
    if any(one.job.rule == "draw_figures" for one in jobs):
        import seaborn  # noqa: F401 (some figures need it)

        from limr.report.figures import _style

        with _style.applied():
            pass


def recompute(
    work: Work,
    stand_ins: list[str],
    findings: Findings,
    labels: Container[str] | None,
) -> None:
    """Run jobs again and say where what they make is not what is archived.

    Args:
        work: the archive, and what is known of it.
        stand_ins: problems without texts.
        findings: is told.
        labels: of the kinds of jobs that are run again; None: all.
    """
    opened, found = work.opened, verify_derived.recomputed(work.opened)
    left = [name for name, jobs in found.items() if labels is not None and name not in labels]
    asked = {name: jobs for name, jobs in found.items() if name not in left}
    todo = {name: verify_derived.todo(opened, jobs, stand_ins) for name, jobs in asked.items()}
    known = {one.outputs for jobs, _ in todo.values() for one in jobs if work.known(one)}
    wanted = [one for jobs, _ in todo.values() for one in jobs if one.outputs not in known]
    with started(work, wanted) as results:
        for name, (jobs, skipped) in todo.items():
            _derived(findings, name, jobs, results, skipped)
    if work.place is not None:
        remembered.forget_old(work.place)
    if left:
        findings.add(NOTE, "quick", f"not recomputed: {', '.join(left)}")


def _derived(
    findings: Findings,
    name: str,
    jobs: list[Todo],
    results: Mapping[tuple[str, ...], Faults],
    skipped: list[str],
) -> None:
    """Say what was found of jobs that were run again; those without a result are known."""
    n = sum(len(one.outputs) for one in jobs)
    before = sum(len(one.outputs) for one in jobs if one.outputs not in results)
    if not n and not skipped:
        return
    asked = [results[one.outputs] for one in jobs if one.outputs in results]
    known = f" ({before} of them by an earlier verify here; --anew repeats it)" if before else ""
    findings.check(
        name,
        lambda: (text for faults in asked for text in faults()),
        lambda: f"{n} files recomputed, without a difference{known}",
    )
    if skipped:
        findings.add(
            NOTE,
            name,
            f"{len(skipped)} files could not be recomputed, since an input of theirs is not here: "
            f"{skipped[0]}, …",
        )

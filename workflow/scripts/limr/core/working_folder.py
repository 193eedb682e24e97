"""The working folder of a run: one writer, nothing of another job, nothing half-written.

<folder>.lock            held while a process works on the run
<folder>/job.txt         digest of the job that the folder belongs to
<folder>/attempts.txt    one line per process start
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from limr.core import files


@dataclass(frozen=True)
class Folder:
    """The working folder of the run that this process works on."""

    root: Path
    digest: str  # of the job that it belongs to
    attempts: int  # process starts so far, this one included
    waited: bool  # another process held the lock when this one came
    lock: int  # descriptor of the lock: a child process that inherits it keeps holding it

    def path(self, *names: str) -> Path:
        """Return a path inside the folder."""
        return self.root.joinpath(*names)

    def remove(self) -> None:
        """Delete the folder: the outputs are written."""
        shutil.rmtree(self.root)


@contextmanager
def opened(root: Path, digest: str) -> Iterator[Folder]:
    """Open the working folder of the job with this digest, alone.

    A folder of another job is renamed to `<root>.other-<its digest>`, with a message on stderr. A
    second process waits until the first is done: that may be the orphan of a killed workflow.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    with _locked(root.with_name(f"{root.name}.lock")) as (lock, waited):
        _set_aside_other(root, digest)
        root.mkdir(exist_ok=True)
        for leftover in root.rglob(".*.tmp"):  # half-written when an earlier process was killed
            files.remove(leftover)
        files.write_text(root / "job.txt", digest + "\n")
        mark = root / "attempts.txt"
        if mark.is_symlink() or not mark.is_file():  # no process of ours makes one
            files.remove(mark)
        with mark.open("a", encoding="utf-8") as file:
            file.write("started\n")
        attempts = mark.read_bytes().count(b"\n")
        yield Folder(root, digest, attempts, waited, lock)


def _set_aside_other(root: Path, digest: str) -> None:
    if not os.path.lexists(root):  # a link to nowhere is there
        return
    mark = root / "job.txt"
    found = mark.read_text(encoding="utf-8", errors="replace").strip() if mark.is_file() else ""
    if found == digest:
        return
    found = found if found.isalnum() else "unknown"  # it becomes a name
    aside = root.with_name(f"{root.name}.other-{found[:8]}")
    files.remove(aside)
    root.rename(aside)
    sys.stderr.write(
        f"{root}: holds the unfinished run of another configuration, or its job.txt is damaged: "
        f"kept as {aside.name}, and the run starts anew. Delete it if it is not wanted any more.\n"
    )


@contextmanager
def _locked(path: Path) -> Iterator[tuple[int, bool]]:
    """Hold an exclusive lock on `path`; yields it, and whether another process was waited for."""
    waited = False
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waited = True
            sys.stderr.write(f"{path}: another process works on this run; waiting until it ends.\n")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if _is_same_file(descriptor, path):
            break
        os.close(descriptor)  # its owner has deleted it meanwhile
    try:
        yield descriptor, waited
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _is_same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False

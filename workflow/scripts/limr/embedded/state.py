"""The working folder of a run: one writer, checkpoints, and what finished steps have made.

<state>.lock            held while a process works on the run
<state>/job.txt         digest of the job that the folder belongs to
<state>/attempts.txt    one line a process start
<state>/checkpoint.pt   the last checkpoint
<state>/rollouts/, policies/, ...
"""

from __future__ import annotations

import fcntl
import io as bytes_io
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from limr import io


@dataclass(frozen=True)
class State:
    """The working folder of the run that this process works on."""

    root: Path
    attempts: int  # process starts so far, this one included
    waited: bool  # another process held the lock when this one came

    def path(self, *names: str) -> Path:
        """Return a path inside the folder."""
        return self.root.joinpath(*names)

    def save(self, value: dict[str, Any]) -> None:
        """Replace the checkpoint: whole or not at all."""
        buffer = bytes_io.BytesIO()
        torch.save(value, buffer)
        with io.atomic(self.path("checkpoint.pt")) as temporary:
            temporary.write_bytes(buffer.getbuffer())

    def load(self, device: torch.device) -> dict[str, Any] | None:
        """Return the last checkpoint, None before the first."""
        path = self.path("checkpoint.pt")
        if not path.exists():
            return None
        found: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        return found

    def remove(self) -> None:
        """Delete the folder: the outputs stand."""
        shutil.rmtree(self.root)


@contextmanager
def opened(root: Path, digest: str) -> Iterator[State]:
    """Open the working folder of the job with this digest, alone.

    A folder of another job is renamed to `<root>.other-<its digest>` and said on stderr. A second
    process waits until the first is done: it may be the orphan of a killed workflow.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    with _locked(root.with_name(f"{root.name}.lock")) as waited:
        _set_aside_other(root, digest)
        root.mkdir(exist_ok=True)
        for leftover in root.rglob(".*.tmp"):  # half-written when an earlier process was killed
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        io.write_text(root / "job.txt", digest + "\n")
        with (root / "attempts.txt").open("a", encoding="utf-8") as file:
            file.write("started\n")
        attempts = (root / "attempts.txt").read_text(encoding="utf-8").count("\n")
        yield State(root, attempts, waited)


def _set_aside_other(root: Path, digest: str) -> None:
    if not root.exists():
        return
    mark = root / "job.txt"
    found = mark.read_text(encoding="utf-8").strip() if mark.exists() else "unknown"
    if found == digest:
        return
    aside = root.with_name(f"{root.name}.other-{found[:8]}")
    shutil.rmtree(aside, ignore_errors=True)
    root.rename(aside)
    sys.stderr.write(
        f"{root}: holds the unfinished run of another configuration; kept as {aside.name}. "
        "Delete it if that run is not wanted any more.\n"
    )


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Hold an exclusive lock on `path`; yields whether another process had to be waited for."""
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
        yield waited
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _is_same_file(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False

"""Which states of a run are whole: a record beside its files, with their sizes and digests.

<folder>/whole/000008.json   the state after step 8: its job, and size and sha256 of each file

A state is all that a restart goes on from. It is whole if its record can be read, belongs to this
job, and every file has the bytes that were recorded. Files that grow (`growing`) are recorded as
far as they had grown: a restart cuts them there.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from limr.core import files
from limr.core.errors import InputError
from limr.core.job_log import note

RECORDS = "whole"
KEPT = 2  # states at a time
_BLOCK = 1 << 20
_THREADS = 8  # digests at a time: checkpoints of large models are many gigabytes

Entry = tuple[int, str]  # bytes, sha256


class NotWholeError(Exception):
    """A state cannot be gone on from; the message says why."""


@dataclass(frozen=True)
class States:
    """The states in a working folder.

    Attributes:
        folder: the working folder.
        job: digest of the job that it belongs to.
        owned: folders in it that hold nothing but files of states, each written once.
        growing: the same, of files that grow.
    """

    folder: Path
    job: str
    owned: tuple[str, ...]
    growing: tuple[str, ...] = ()

    def steps(self) -> list[int]:
        """Return the steps that have a record, in order."""
        names = [path.stem for path in (self.folder / RECORDS).glob("*.json")]
        return sorted(int(name) for name in names if name.isdecimal())

    def save(self, step: int, paths: Iterable[Path]) -> None:
        """Record the state after a step: `paths` are its files, all written.

        A file that the state before has with the same size is not read again, and one with two
        names is read once.
        """
        known = next((self._known(old) for old in reversed(self.steps()) if old < step), {})
        names: dict[tuple[int, int], list[Path]] = {}
        for path in paths:
            about = path.stat()
            names.setdefault((about.st_dev, about.st_ino), []).append(path)

        def entry(same: list[Path]) -> Entry:
            size = same[0].stat().st_size
            before = [known[name] for name in map(self._name, same) if name in known]
            return next((one for one in before if one[0] == size), None) or (
                size,
                _sha256(same[0], size),
            )

        with ThreadPoolExecutor(_THREADS) as pool:
            found = list(pool.map(entry, names.values()))
        entries = {
            self._name(path): one
            for same, one in zip(names.values(), found, strict=True)
            for path in same
        }
        value = {"job": self.job, "step": step, "files": entries}
        files.write_json(self._record(step), value)

    def forget(self, step: int) -> None:
        """Remove the record of a state."""
        _remove(self._record(step))

    def check(self, step: int, under: tuple[str, ...] = ("",)) -> None:
        """Raise NotWholeError if the state after a step is not whole.

        `under`: look only at files whose names in the working folder begin so.
        """
        for name, (size, digest) in self.entries(step).items():
            if not name.startswith(under):
                continue
            path = self.folder / name
            try:
                found = path.stat().st_size if path.is_file() else None
                if found is None:
                    raise NotWholeError(f"{name} is missing")
                if found < size or (found > size and not name.startswith(self.growing or ("/",))):
                    raise NotWholeError(f"{name} should have {size} bytes and has {found}")
                if _sha256(path, size) != digest:
                    raise NotWholeError(f"{name} has other bytes than were written")
            except OSError as error:
                raise NotWholeError(f"{name} cannot be read: {error.strerror}") from None

    def check_before_publishing(self, under: tuple[str, ...]) -> None:
        """Refuse to publish files that were damaged since the last state was recorded."""
        try:
            for step in self.steps()[-1:]:
                self.check(step, under)
        except NotWholeError as error:
            raise InputError(
                f"{self.folder}: {error}: it was damaged after the run wrote it, and nothing is "
                "published. Run the same command again: it goes on from the last whole state."
            ) from None

    def go_back(self, usable: Callable[[int], bool] = lambda step: True) -> int:
        """Bring the folder to its last whole state and return that state's step, 0 for none.

        Whatever is not of that state or an earlier one is removed. `usable`: step -> whether a
        restart can go on from the state that is now in the folder. What was found not to be whole,
        and what happens, is said on stderr.
        """
        left = [name for name in (*self.owned, *self.growing) if (self.folder / name).exists()]
        for step in reversed(self.steps()):
            try:
                self.check(step)
            except NotWholeError as error:
                note(f"{self.folder}: the state after step {step} is not whole: {error}")
                continue
            self._restore(step)
            if usable(step):
                note(f"{self.folder}: going on after step {step}")
                return step
        self._restore(0)
        if left:
            note(f"{self.folder}: no whole state of an earlier attempt: starting anew")
        return 0

    def _restore(self, step: int) -> None:
        for later in [one for one in self.steps() if one > step]:
            self.forget(later)
        kept = {name for one in self.steps() for name in self._known(one)}
        for path in list(self._files(self.owned)):
            if self._name(path) not in kept:
                _remove(path)
        sizes = self._known(step)
        for path in self._files(self.growing):
            with path.open("r+b") as file:
                file.truncate(sizes.get(self._name(path), (0, ""))[0])
        for name in self.owned:
            _remove_empty(self.folder / name)

    def _files(self, names: tuple[str, ...]) -> Iterator[Path]:
        for name in names:
            root = self.folder / name
            if root.is_dir():
                yield from (path for path in root.rglob("*") if not path.is_dir())
            else:
                _remove(root)  # a file in the place of a folder

    def _known(self, step: int) -> dict[str, Entry]:
        """Return what a record says, nothing if it cannot be used."""
        try:
            return self.entries(step)
        except NotWholeError:
            return {}

    def entries(self, step: int) -> dict[str, Entry]:
        """Return name -> (bytes, sha256) of a state's files; NotWholeError without a record."""
        try:
            value = files.read_json(self._record(step))
            job, number = value["job"], value["step"]
            entries = {str(k): (int(size), str(sha)) for k, (size, sha) in value["files"].items()}
        except (InputError, OSError, KeyError, TypeError, ValueError, AttributeError):
            raise NotWholeError("its record cannot be read") from None
        if (job, number) != (self.job, step):
            raise NotWholeError("its record belongs to another run or step")
        return entries

    def _record(self, step: int) -> Path:
        return self.folder / RECORDS / f"{step:06}.json"

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()


def digest_of(path: Path) -> str:
    """Return the sha256 of a whole file, however large."""
    return _sha256(path, path.stat().st_size)


def _sha256(path: Path, size: int) -> str:
    """Return the sha256 of a file's first bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while size and (block := file.read(min(size, _BLOCK))):
            digest.update(block)
            size -= len(block)
    return digest.hexdigest()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _remove_empty(root: Path) -> None:
    for folder in sorted(root.rglob("*"), reverse=True):
        if folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir()):
            folder.rmdir()
    if root.is_dir() and not any(root.iterdir()):
        root.rmdir()

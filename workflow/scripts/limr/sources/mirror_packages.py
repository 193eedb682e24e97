"""Packages into a mirror: what environments' locks name, downloaded and checked by pip."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from limr.core import files
from limr.core.errors import InputError
from limr.sources.mirror import PACKAGES

# Environment -> its locks; `make setup` makes the first, envs/generate.py the others for conda.
ENVIRONMENTS = {
    "dev": ("dev", "torch"),
    "data": ("data",),
    "embedded": ("embedded", "torch"),
    "train": ("train", "flash-attn"),
    "evaluate": ("evaluate",),
}
# Tried in turn, as when an environment is made: first the build without CUDA.
_ALTERNATIVES = {"torch": ("torch-cpu", "torch-cuda")}
# Wheels for the glibc that the locks are for; newer ones where there is no such wheel (vLLM).
_GLIBC = (*range(28, 4, -1), *range(29, 36))
_PLATFORMS = (
    *(f"manylinux_2_{minor}_x86_64" for minor in _GLIBC[:24]),
    *("manylinux2014_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64", "linux_x86_64"),
    *(f"manylinux_2_{minor}_x86_64" for minor in _GLIBC[24:]),
)
# pip asks a source for its metadata, which for these would compile kernels.
_QUICK = {"DS_BUILD_OPS": "0", "FLASH_ATTENTION_SKIP_CUDA_BUILD": "TRUE"}
_AT_A_TIME = 16  # packages per call of pip; a call that is killed has fetched nothing
_SHOWN = 6


@dataclass(frozen=True)
class Pinned:
    """A package of a lock; one of `hashes` is its file's sha256."""

    requirement: str
    hashes: tuple[str, ...]


def read_lock(path: Path) -> list[Pinned]:
    """Return the packages of a lock that this platform takes.

    Raises:
        InputError: there is no such lock, or a package has no hash.
    """
    from packaging.requirements import Requirement

    try:
        lines = path.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such lock.") from None
    found = []
    for line in lines:
        words, *hashes = line.strip().split(" --hash=sha256:")
        words = words.strip()
        if not words or words.startswith(("#", "--")):
            continue
        if not hashes:
            raise InputError(f"{path}: '{words}' has no hash. Run `make lock`.")
        marker = Requirement(words).marker
        if marker is None or marker.evaluate():
            found.append(Pinned(words, tuple(value.strip() for value in hashes)))
    return found


def fetch(
    environment: str,
    locks: Path,
    mirror: Path,
    listed: dict[str, str],
    save: Callable[[], None],
    say: Callable[[str], object],
) -> int:
    """Fetch the packages of an environment into a mirror; return how many were fetched.

    Args:
        environment: one of `ENVIRONMENTS`.
        locks: the folder of the locks.
        mirror: where they go.
        listed: path -> sha256, what the mirror's list says; gains the packages.
        save: called whenever `listed` has grown.
        say: told where one lock is taken instead of another.

    Raises:
        InputError: a package cannot be fetched, or the locks are not for this machine.
    """
    fetched = 0
    for name in ENVIRONMENTS[environment]:
        choices = _ALTERNATIVES.get(name, (name,))
        if any(not _lacking(locks / f"{each}.lock", mirror, listed) for each in choices):
            continue
        here = (sys.platform, platform.machine(), sys.version_info[:2])
        if here != ("linux", "x86_64", (3, 11)):
            raise InputError(
                "packages: the locks are for Linux on x86_64 with Python 3.11. Fetch them on such "
                "a machine; --only data --only models works on any."
            )
        for choice in choices:
            try:
                fetched += _fetch_lock(locks / f"{choice}.lock", mirror, listed, save)
                break
            except InputError as error:
                if choice == choices[-1]:
                    raise
                say(f"{choice}.lock cannot be fetched here: taking {choices[-1]}.lock. {error}")
    return fetched


def _lacking(lock: Path, mirror: Path, listed: dict[str, str]) -> list[Pinned]:
    in_packages = (item for item in listed.items() if item[0].startswith(f"{PACKAGES}/"))
    there = {sha256 for path, sha256 in in_packages if (mirror / path).is_file()}
    return [pinned for pinned in read_lock(lock) if not there.intersection(pinned.hashes)]


def _fetch_lock(lock: Path, mirror: Path, listed: dict[str, str], save: Callable[[], None]) -> int:
    wanted = _lacking(lock, mirror, listed)
    folder = mirror / PACKAGES
    partial = folder / f".{lock.stem}.partial"
    for start in range(0, len(wanted), _AT_A_TIME):
        some = wanted[start : start + _AT_A_TIME]
        shutil.rmtree(partial, ignore_errors=True)  # of a run that was killed
        partial.mkdir(parents=True)
        try:
            _download(lock, some, partial)
            for path in sorted(partial.iterdir()):
                listed[f"{PACKAGES}/{path.name}"] = files.sha256(path)
                path.replace(folder / path.name)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        save()
    return len(wanted)


def _download(lock: Path, wanted: Sequence[Pinned], folder: Path) -> None:
    """Have pip download packages into a folder, which refuses what has another hash."""
    asked = folder.with_suffix(".txt")
    hashes = (" ".join(f"--hash=sha256:{value}" for value in pinned.hashes) for pinned in wanted)
    lines = [f"{p.requirement} {text}\n" for p, text in zip(wanted, hashes, strict=True)]
    files.write_text(asked, "".join(lines))
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    command += ["--no-deps", "--require-hashes", "--no-build-isolation", "--progress-bar=off"]
    command += [f"--platform={name}" for name in _PLATFORMS]
    command += ["--python-version=3.11", f"--dest={folder}", f"--requirement={asked}"]
    try:
        done = subprocess.run(  # noqa: S603 (no shell; the project's own locks)
            command, env={**os.environ, **_QUICK}, capture_output=True, text=True, check=False
        )
    finally:
        asked.unlink()
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if not line.startswith("WARNING")]
        end = "\n".join(said[-_SHOWN:])
        raise InputError(f"{lock}: pip could not download what it names:\n{end}")

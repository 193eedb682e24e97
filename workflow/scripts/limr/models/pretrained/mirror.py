"""Models of the Hugging Face hub into a mirror: a commit's files, each checked against the hub."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from limr.core import files
from limr.core.errors import InputError, IntegrityError
from limr.core.provenance import digest
from limr.models.interface import Settings
from limr.models.pretrained import folders
from limr.sources import mirror as contents

_BLOCK = 1 << 20
_NESTED = "*/*"  # other formats of the same weights, which nothing here reads


@dataclass(frozen=True)
class Expected:
    """What the hub says of a file: `sha256` where it is stored as a large file, else git's id."""

    size: int
    sha256: str | None
    blob: str


def fetch(base: Settings, mirror: Path, listed: dict[str, str]) -> bool:
    """Bring the model of a study into a mirror; tell whether anything was brought.

    The files of an unfinished download stay in `.<commit>.partial` beside their final place, and
    the next call goes on with them. The folder has its final name once it is whole and checked.

    Args:
        base: the study's `base`, with `revision`.
        mirror: the mirror's folder.
        listed: path -> sha256, the mirror's list; it gains the files.

    Raises:
        InputError: the hub has no such model, does not answer, or its model is not complete.
        IntegrityError: a file is not the hub's, or the model not the one of `base.sha256`.
    """
    name, revision = folders.check_pin(base)
    folder = contents.model_folder(mirror, name, revision)
    inside = folder.relative_to(mirror).as_posix()
    known = {path: mirror / path for path in listed if path.startswith(f"{inside}/")}
    if known and all(file.is_file() for file in known.values()):
        return False
    partial = folder.with_name(f".{revision}.partial")
    if folder.is_dir():  # not listed, or not whole: checked again
        folder.rename(partial)
    partial.mkdir(parents=True, exist_ok=True)
    _check(partial, _download(name, revision, partial))
    sha256 = {path.name: files.sha256(path) for path in folders.files_of(partial)}
    folders.check_digest(base, digest(sha256))
    shutil.rmtree(partial / ".cache", ignore_errors=True)  # the client's notes
    partial.rename(folder)
    listed.update({f"{inside}/{file}": value for file, value in sha256.items()})
    return True


def _download(name: str, revision: str, folder: Path) -> dict[str, Expected]:
    """Download a commit's files; return what the hub says of each."""
    from huggingface_hub import HfApi, snapshot_download

    try:
        entries: list[Any] = list(HfApi().list_repo_tree(name, revision=revision))
        snapshot_download(
            name,
            revision=revision,
            allow_patterns=list(folders.FILES),
            ignore_patterns=_NESTED,
            local_dir=folder,
        )
    except Exception as error:  # noqa: BLE001 (the client's errors, its HTTP library's, the system's)
        raise InputError(
            f"base.model: could not download '{name}' at {revision} ({error}). Check the name, the "
            "commit and the network, then run this again: it goes on with what is there."
        ) from None
    found = {
        entry.path: Expected(entry.size, entry.lfs.sha256 if entry.lfs else None, entry.blob_id)
        for entry in entries
        if hasattr(entry, "blob_id")  # folders have none
    }
    return {
        path: expected
        for path, expected in found.items()
        if any(fnmatch(path, pattern) for pattern in folders.FILES)
    }


def _check(folder: Path, expected: Mapping[str, Expected]) -> None:
    """Compare files with what the hub says of them; one that differs is removed."""
    for name, wanted in expected.items():
        path = folder / name
        right = path.is_file() and path.stat().st_size == wanted.size
        if right:
            right = (
                files.sha256(path) == wanted.sha256 if wanted.sha256 else _blob(path) == wanted.blob
            )
        if not right:
            path.unlink(missing_ok=True)
            raise IntegrityError(
                f"{name}: not as the hub lists it, and removed. Run this again to get it anew."
            )


def _blob(path: Path) -> str:
    """Return a file's id in git."""
    found = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()

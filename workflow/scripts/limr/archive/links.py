"""Symbolic links of archived code: a file with the target as its text, until it is restored."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from limr.core.errors import IntegrityError
from limr.study import files as contents

LONGEST_TARGET = 1024  # bytes
_NOT_CODE = ("results/", f"{contents.METADATA.split('/')[0]}/")


def wrong(folder: Path, code: Mapping[str, Any], files: Collection[str]) -> Iterator[str]:
    """Yield the links of a record that are no links of its code, or that may lead out.

    Args:
        folder: the unpacked archive; no link is made there yet.
        code: the record's part on the code, with `links` and `files`.
        files: the names of the archive's files, checked by `unpack`.
    """
    known = set(code["files"])
    for name in code["links"]:
        why = _why_not(folder, name, name in known and name in files)
        if why:
            yield f"{name}: a link of the code: {why}"


def _why_not(folder: Path, name: str, known: bool) -> str | None:
    """Return what is wrong with a link, None where nothing is."""
    parts = PurePosixPath(name).parts
    if not known:
        return "it is not among the files of the archive and of its code"
    if PurePosixPath(name).is_absolute() or ".." in parts or name.startswith(_NOT_CODE):
        return "no code stands there"
    at = folder / name
    parents = [folder.joinpath(*parts[:n]) for n in range(1, len(parts) + 1)]
    if any(path.is_symlink() for path in parents) or not at.is_file():
        return "it is no plain file in plain folders"
    if at.stat().st_size > LONGEST_TARGET:
        return f"its target is longer than {LONGEST_TARGET} bytes"
    try:
        target = PurePosixPath(text := at.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        return "its target is no text"
    if not text or "\0" in text or target.is_absolute():
        return f"its target is no relative path: {text[:80]!r}"
    up = next((n for n, part in enumerate(target.parts) if part != ".."), len(target.parts))
    # Behind a name, which may be another link, '..' is not what it seems.
    if up >= len(parts) or ".." in target.parts[up:]:
        return f"its target leads out of the folder, or may: {text[:80]!r}"
    if not (at.parent / target).resolve().is_relative_to(folder.resolve()):
        return f"its target leads out of the folder: {text[:80]!r}"
    return None


def make(folder: Path, code: Mapping[str, Any], files: Collection[str]) -> None:
    """Make the links, all or none.

    Raises:
        IntegrityError: one of them may not be made; nothing was changed.
    """
    for text in wrong(folder, code, files):
        raise IntegrityError(f"{text}. Nothing of this archive should be used.")
    for name in dict.fromkeys(code["links"]):
        path = folder / name
        target = path.read_text(encoding="utf-8")
        path.unlink()
        path.symlink_to(target)

"""A user's own file or folder, as the plug-in that reads it wants it."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

from limr.core.errors import InputError


def expand(path: Path, importer: ModuleType) -> list[Path]:
    """Return the files of a log: a file is itself, a folder its files, by the number in their name.

    Raises:
        InputError: there is no such path, or the folder holds none of the importer's files.
    """
    pattern = getattr(importer, "FILES", None)
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(f"{path}: there is no such file or folder.")
    if pattern is None:
        raise InputError(f"{path}: is a folder; this format is one file.")
    found = sorted((p for p in path.glob(pattern) if p.is_file()), key=by_number)
    if not found:
        inside = ", ".join(sorted(p.name for p in path.iterdir())[:5]) or "nothing"
        raise InputError(f"{path}: no {pattern} in it; found {inside}.")
    return found


def listed(path: str, importer: ModuleType, folder: Path) -> list[str]:
    """Return the files of a log in `expand`'s order, relative to a folder as the path is.

    What is not there is the log itself: whoever only plans a study needs no log.
    """
    found = (folder / path).glob(getattr(importer, "FILES", None) or "[]")
    files = sorted((p for p in found if p.is_file()), key=by_number)
    return [str(Path(path) / p.relative_to(folder / path)) for p in files] or [path]


def by_number(path: Path) -> tuple[int, str]:
    """Return a sort key: the last number in a file's name, then the name."""
    numbers = re.findall(r"\d+", path.stem)
    return (int(numbers[-1]) if numbers else -1, path.name)

"""What a mirror holds: its list of checksums, and where models and packages are in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from limr.core import files
from limr.core.errors import InputError, IntegrityError

LIST = "SHA256SUMS"
MODELS, PACKAGES = "models", "packages"
VARIABLE = "LIMR_MIRROR"
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def read(mirror: Path) -> dict[str, str]:
    """Return path in the mirror -> sha256, from its list; empty where there is no list yet.

    Raises:
        InputError: a line is no checksum, or a path leads out of the mirror.
    """
    path = mirror / LIST
    if not path.is_file():
        return {}
    found = {}
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    for number, line in enumerate(text.splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise InputError(f"{path}:{number}: expected 64 hexadecimal digits and a path.")
        name = PurePosixPath(match[2])
        if name.is_absolute() or ".." in name.parts:
            raise InputError(f"{path}:{number}: '{name}' leads out of the mirror.")
        found[str(name)] = match[1]
    return found


def write(mirror: Path, listed: Mapping[str, str]) -> None:
    """Write the list, sorted by path."""
    lines = [f"{sha256}  {path}\n" for path, sha256 in sorted(listed.items())]
    files.write_text(mirror / LIST, "".join(lines))


def faults(mirror: Path) -> Iterator[str]:
    """Yield what is wrong with a mirror, a line each: missing, altered, or not listed.

    A file that is not listed is a fault in the folder of a model, which is taken whole; elsewhere
    nothing reads it.

    Raises:
        InputError: the mirror has no list.
    """
    listed = read(mirror)
    if not listed:
        raise InputError(f"{mirror / LIST}: missing or empty. Make the mirror with `limr fetch`.")
    for path, sha256 in listed.items():
        file = mirror / path
        if not file.is_file():
            yield f"{path}: missing"
        elif (found := files.sha256(file)) != sha256:
            yield f"{path}: altered: sha256 {found}, expected {sha256}"
    for file in sorted((mirror / MODELS).rglob("*")):
        path = file.relative_to(mirror).as_posix()
        hidden = any(part.startswith(".") for part in file.relative_to(mirror).parts)
        if file.is_file() and not hidden and path not in listed:
            yield f"{path}: not in {LIST}"


def model_folder(mirror: Path, name: str, revision: str) -> Path:
    """Return where a mirror has a model of the hub.

    Raises:
        InputError: a part of the name is no folder's name.
    """
    parts = [*name.split("/"), revision]
    if any(part in ("", ".", "..") for part in parts):
        raise InputError(f"base.model: '{name}' is no name on the hub, such as Qwen/Qwen2.5-0.5B.")
    return mirror.joinpath(MODELS, *parts)


def mirrored_model(name: str, revision: str) -> Path | None:
    """Return the folder of a model in the configured mirror; None where there is none."""
    configured = os.environ.get(VARIABLE)
    if not configured:
        return None
    folder = model_folder(Path(configured), name, revision)
    return folder if folder.is_dir() else None


def check_model(folder: Path, sha256: Mapping[str, str]) -> None:
    """Refuse a mirror's model whose files are not those that were fetched.

    Args:
        folder: from `mirrored_model`.
        sha256: file -> what it has now.

    Raises:
        IntegrityError: a file is missing, altered, or was never listed.
    """
    mirror = Path(os.environ[VARIABLE])
    inside = folder.relative_to(mirror)
    listed = {
        PurePosixPath(path).name: digest
        for path, digest in read(mirror).items()
        if PurePosixPath(path).parent == PurePosixPath(inside)
    }
    for name in sorted({*listed, *sha256}):
        if listed.get(name) != sha256.get(name):
            raise IntegrityError(
                f"{folder / name}: not as {mirror / LIST} lists it. Copy the mirror again, and "
                "look with `limr fetch --check MIRROR`."
            )

"""Pinned public files: from a mirror folder or from their origin, checked before they are used."""

from __future__ import annotations

import hashlib
import http.client
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, BinaryIO

from pydantic import Field

from limr.core import files, progress, validation
from limr.core.errors import InputError, IntegrityError, nearest
from limr.core.validation import Keys, Name, key

TIMEOUT = 30.0  # seconds without a byte
ATTEMPTS = 3
_BLOCK = 1 << 16
_NETWORK = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


@dataclass(frozen=True)
class Source:
    """One file of config/sources.yaml: `bytes` and `sha256` are what it must be."""

    name: str
    title: str
    url: str
    sha256: str
    bytes: int
    mirror: str
    licence: str
    problems: int | None = None  # in it, where it is a problem set


class Entry(Keys):
    """One file of config/sources.yaml."""

    title: str = key(..., "What the file holds.")
    url: str = key(..., "Its public origin, pinned to a commit.")
    sha256: str = key(..., "Of its bytes, in hexadecimal.", min_length=64, max_length=64)
    bytes: int = key(..., "Its size; no more than this is ever read.", ge=1)
    mirror: str = key(..., "Its path under a mirror folder.")
    licence: str = key(..., "Its licence, or how it may be used.")
    problems: int | None = key(
        None, "How many problems it holds, for estimates; readers count them anew.", ge=1
    )


Sources = Annotated[dict[Name, Entry], Field(min_length=1)]


def load_sources(path: str | Path) -> dict[str, Source]:
    """Read config/sources.yaml.

    Raises:
        InputError: missing, not YAML, an unknown or missing key, a malformed url, sha256 or path.
    """
    entries = validation.complete(files.read_yaml(path), Sources, str(path))
    sources = {name: Source(name=name, **entry) for name, entry in entries.items()}
    for source in sources.values():
        _check_entry(source, f"{path}: '{source.name}'")
    return sources


def _check_entry(source: Source, where: str) -> None:
    if urllib.parse.urlsplit(source.url).scheme not in ("http", "https"):
        raise InputError(f"{where}: 'url' must start with https://, found {source.url!r}.")
    if not re.fullmatch("[0-9a-f]{64}", source.sha256):
        raise InputError(f"{where}: 'sha256' must be 64 lower-case hexadecimal digits.")
    path = PurePosixPath(source.mirror)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise InputError(f"{where}: 'mirror' must be a path inside the mirror: {source.mirror!r}.")


def find(sources: Mapping[str, Source], name: str) -> Source:
    """Return the source called `name`, or say which names there are.

    Raises:
        InputError: there is none.
    """
    if name not in sources:
        raise InputError(f"sources: there is no file '{name}'.{nearest(name, sources)}")
    return sources[name]


def mirror_path(source: Source, mirror: Path) -> Path:
    """Return where a mirror has the file; looks only, so it can be asked before any work.

    Raises:
        InputError: the mirror is no folder or lacks the file.
    """
    path = mirror / source.mirror
    if not mirror.is_dir():
        raise InputError(
            f"the mirror {mirror} is not a folder. Set LIMR_MIRROR (or `mirror` in the study) to "
            "a folder with the pinned files, or leave it unset to download them."
        )
    if not path.is_file():
        raise InputError(
            f"{source.name}: the mirror lacks {path}. Put the file there (from {source.url}), or "
            "leave LIMR_MIRROR and `mirror` unset to download it."
        )
    return path


def fetch(source: Source, output: str | Path, mirror: Path | None = None) -> None:
    """Copy a pinned file from the mirror, or download it where none is configured; check it.

    Where a mirror is configured the network is never tried: a machine without one must not hang.
    Nothing is left at `output` unless size and sha256 are right.

    Args:
        source: the pinned file.
        output: where to put it.
        mirror: the mirror folder, or None.

    Raises:
        InputError: the mirror lacks it, or the download failed `ATTEMPTS` times.
        IntegrityError: what was found is not the pinned file.
    """
    if mirror is not None:
        path = mirror_path(source, mirror)
        with files.atomic(output) as temporary, path.open("rb") as file:
            _copy(file, temporary, source, str(path))
        return
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with files.atomic(output) as temporary:
                _download(source, temporary)
            return
        except _NETWORK as error:
            permanent = isinstance(error, urllib.error.HTTPError) and error.code < 500
            if permanent or attempt == ATTEMPTS:
                raise InputError(
                    f"{source.name}: could not download {source.url} ({error}; attempt {attempt} "
                    f"of {ATTEMPTS}). Check the network, or set LIMR_MIRROR to a folder that has "
                    f"{source.mirror}."
                ) from error
            time.sleep(2.0 ** (attempt - 1))


def _download(source: Source, path: Path) -> None:
    request = urllib.request.Request(source.url, headers={"User-Agent": "limr"})  # noqa: S310 - http(s) only, checked on loading
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310 - as above
        _copy(response, path, source, source.url)


def _copy(file: BinaryIO, path: Path, source: Source, origin: str) -> None:
    """Copy at most one byte more than the pinned size, and check what came.

    Raises:
        IntegrityError: another size or another sha256.
    """
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as output, progress.bar(source.bytes, "bytes") as shown:
        while block := file.read(min(_BLOCK, source.bytes + 1 - size)):
            digest.update(block)
            output.write(block)
            size += len(block)
            shown.update(len(block))
    wrong = ""
    if size != source.bytes:
        found = f"more than {source.bytes}" if size > source.bytes else str(size)
        wrong = f"has {found} bytes, expected {source.bytes}"
    elif digest.hexdigest() != source.sha256:
        wrong = f"has sha256 {digest.hexdigest()}, expected {source.sha256}"
    if wrong:
        raise IntegrityError(
            f"{source.name}: {origin} {wrong}. It is cut short or altered; nothing was kept. Get "
            "it again from its origin."
        )

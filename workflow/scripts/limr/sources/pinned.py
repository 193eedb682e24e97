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
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, BinaryIO

from pydantic import Field

from limr.core import files, progress, validation
from limr.core.errors import InputError, IntegrityError, nearest
from limr.core.job_log import note
from limr.core.validation import Keys, Name, key
from limr.sources import lock as locks

TIMEOUT = 30.0  # seconds without a byte
ATTEMPTS = 3
_BLOCK = 1 << 16
_LARGEST = 1 << 28  # bytes of a file whose size nobody knows yet
_REVISION = "X-Repo-Commit"  # a header of the hub's
_NETWORK = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError)


class Entry(Keys):
    """One file of config/sources.yaml."""

    title: str = key(..., "What the file holds.")
    url: str = key(..., "Its public origin, pinned to a commit.")
    sha256: str | None = key(None, "Of its bytes, in hexadecimal.", min_length=64, max_length=64)
    bytes: int | None = key(None, "Its size, with `sha256`; no more is ever read.", ge=1)
    git_blob: str | None = key(None, "Git's name of its content, where no sha256 is known.")
    first_use: bool = key(
        False, "Whether what is fetched first is what binds: config/sources.lock.yaml then has it."
    )
    mirror: str = key(..., "Its path under a mirror folder.")
    licence: str = key(..., "Its licence, or how it may be used.")
    problems: int | None = key(
        None, "How many problems it holds, for estimates; readers count them anew.", ge=1
    )


class Source(Entry):
    """The same with its name, and with what the lock says of it.

    Attributes:
        pin: what config/sources.yaml itself pins it by.
        revision: the commit that it was first fetched at, where its origin said so.
        lock: the file that its sha256 is written to when it is first fetched; None where
            config/sources.yaml has it.
    """

    name: str
    pin: dict[str, str] = Field(default_factory=dict)
    revision: str | None = None
    lock: Path | None = None


Sources = Annotated[dict[Name, Entry], Field(min_length=1)]


def load_sources(path: str | Path, lock: Path | None = None) -> dict[str, Source]:
    """Read config/sources.yaml, and what is locked of the files that it has no sha256 of.

    Args:
        path: config/sources.yaml.
        lock: the lock file; by default sources.lock.yaml beside it. It need not be there.

    Raises:
        InputError: missing, not YAML, an unknown or missing key, a malformed url, sha256 or path,
            or a lock that does not fit.
    """
    entries = validation.complete(files.read_yaml(path), Sources, str(path))
    at = lock or Path(path).with_name(locks.NAME)
    sources = {}
    for name, entry in entries.items():
        source = Source(name=name, **entry)
        _check_entry(source, f"{path}: '{name}'")
        source.pin = _pin(source)
        sources[name] = source if source.sha256 else source.model_copy(update={"lock": at})
    for name, locked in locks.read(at).items():
        found = sources.get(name)
        if (
            found is None
            or found.lock is None
            or (found.url, found.pin) != (locked.url, locked.pin)
        ):
            raise InputError(
                f"{at}: '{name}': {locked.url} ({locked.pin}) was locked, and {path} has another "
                "file, or none, of this name. Take the entry out of the lock if that one is meant."
            )
        sources[name] = found.model_copy(
            update={key: getattr(locked, key) for key in ("sha256", "bytes", "revision")}
        )
    return sources


def _check_entry(source: Source, where: str) -> None:
    if urllib.parse.urlsplit(source.url).scheme not in ("http", "https"):
        raise InputError(f"{where}: 'url' must start with https://, found {source.url!r}.")
    if [bool(source.sha256), bool(source.git_blob), source.first_use].count(True) != 1:
        raise InputError(
            f"{where}: it needs one of 'sha256' (with 'bytes'), 'git_blob' and 'first_use: true'."
        )
    if source.sha256 and not re.fullmatch("[0-9a-f]{64}", source.sha256):
        raise InputError(f"{where}: 'sha256' must be 64 lower-case hexadecimal digits.")
    if source.git_blob and not re.fullmatch("[0-9a-f]{40}", source.git_blob):
        raise InputError(f"{where}: 'git_blob' must be 40 lower-case hexadecimal digits.")
    if bool(source.sha256) != bool(source.bytes):
        raise InputError(f"{where}: 'sha256' and 'bytes' belong together.")
    path = PurePosixPath(source.mirror)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise InputError(f"{where}: 'mirror' must be a path inside the mirror: {source.mirror!r}.")


def _pin(source: Source) -> dict[str, str]:
    if source.sha256:
        return {"sha256": source.sha256}
    return {"git_blob": source.git_blob} if source.git_blob else {"first_use": source.url}


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
            _copy(file, temporary, source, str(path), None)
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
                    f"{source.mirror}. An arm that needs it can be left out: `leave_out: [ARM]`."
                ) from error
            time.sleep(2.0 ** (attempt - 1))


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, and keeps the commit that the hub names in the first of its answers."""

    revision: str | None = None

    def redirect_request(
        self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any
    ) -> Any:
        """Note the commit, then go on."""
        self.revision = self.revision or headers.get(_REVISION)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _download(source: Source, path: Path) -> None:
    url = source.url
    if source.revision:  # what was locked, whatever the branch has become
        url = url.replace("/resolve/main/", f"/resolve/{source.revision}/")
    redirects = _Redirects()
    request = urllib.request.Request(url, headers={"User-Agent": "limr"})  # noqa: S310 - http(s) only, checked on loading
    with urllib.request.build_opener(redirects).open(request, timeout=TIMEOUT) as response:
        revision = redirects.revision or response.headers.get(_REVISION)
        _copy(response, path, source, url, revision)


def _copy(file: BinaryIO, path: Path, source: Source, origin: str, revision: str | None) -> None:
    """Copy at most one byte more than the pinned size, check what came, lock what is new.

    Raises:
        IntegrityError: another size, another sha256 or another git blob.
    """
    digest, size, most = hashlib.sha256(), 0, source.bytes or _LARGEST
    with path.open("wb") as output, progress.bar(most, "bytes") as shown:
        while block := file.read(min(_BLOCK, most + 1 - size)):
            digest.update(block)
            output.write(block)
            size += len(block)
            shown.update(len(block))
    found, wrong = digest.hexdigest(), ""
    by = f" ({source.lock})" if source.lock else ""
    if size > most or (source.bytes and size != source.bytes):
        number = f"more than {most}" if size > most else str(size)
        wrong = f"has {number} bytes, expected {source.bytes or 'fewer'}{by}"
    elif source.sha256 and found != source.sha256:
        wrong = f"has sha256 {found}, expected {source.sha256}{by}"
    elif source.git_blob and (blob := git_blob(path)) != source.git_blob:
        wrong = f"is the git blob {blob}, expected {source.git_blob}"
    elif size == 0:
        wrong = "is empty"
    if wrong:
        raise IntegrityError(
            f"{source.name}: {origin} {wrong}. It is cut short or altered; nothing was kept. Get "
            "it again from its origin."
        )
    if source.lock and not source.sha256:
        seen = {"sha256": found, "bytes": size, "revision": revision}
        locks.add(source.lock, source.name, {"url": source.url, "pin": source.pin, **seen})
        note(
            f"{source.name}: first use: sha256 {found}, {size} bytes, revision "
            f"{revision or 'not said'}: written to {source.lock}. From now on no other file is "
            "taken for it. Commit the lock with your study."
        )


def git_blob(path: Path) -> str:
    """Return git's name of a file's content."""
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()

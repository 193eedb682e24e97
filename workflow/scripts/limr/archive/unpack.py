"""Opening an archive of a stranger: everything is checked before a byte is written.

A zip can lie about its sizes, hold names that lead out of the folder, links, one name twice, or a
million entries. What it says of itself is checked against limits first; while it is unpacked, what
really comes is counted again.
"""

from __future__ import annotations

import errno
import hashlib
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from limr.core.errors import InputError, IntegrityError

MOST_ENTRIES = 100_000
LARGEST_DIRECTORY = 16 << 20  # bytes of the zip's own table, about 150 an entry
LARGEST_TOTAL = 1 << 40
FREE_TOTAL = 1 << 30  # so much may come of any archive; beyond, RATIO times its size
RATIO = 50
FREE_ENTRY = 64 << 20  # the same for one entry
ENTRY_RATIO = 200
LONGEST_NAME = 1024
DEEPEST = 24  # parts of a name
LONGEST_PART = 255  # bytes, of most file systems
_BLOCK = 1 << 20
_END, _END_SIZE = b"PK\x05\x06", 22
_LOCATOR, _LOCATOR_SIZE = b"PK\x06\x07", 20
_END64, _END64_SIZE = b"PK\x06\x06", 56
_LOCAL_HEADER = 30
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# What a name can do to a file system, whatever was checked of it.
_OF_NAMES = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP)
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError)


class RefusedError(IntegrityError):
    """An archive that is not unpacked: damaged, or made to do harm."""


def check(path: Path) -> list[zipfile.ZipInfo]:
    """Return the entries of an archive that is safe to unpack, in its order.

    Raises:
        InputError: there is no such file.
        RefusedError: it is no zip, cut short, or anything in it is not as in an archive of limr.
    """
    try:
        with path.open("rb") as file:
            _check_size(path, file)
        with zipfile.ZipFile(path) as zipped:
            entries = zipped.infolist()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
    except (*_DAMAGED, UnicodeDecodeError, ValueError) as error:
        raise RefusedError(f"not a zip that can be read ({error})") from None
    if len(entries) > MOST_ENTRIES:  # whatever the end record says
        raise RefusedError(f"it has {len(entries):,} entries; at most {MOST_ENTRIES:,} are read")
    for entry in entries:
        _check_entry(entry)
    _check_names([entry.filename for entry in entries])
    _check_volume(entries, path.stat().st_size)
    return entries


def _check_size(path: Path, file: BinaryIO) -> None:
    """Look at the end record alone, before anything reads the table of entries."""
    size = file.seek(0, 2)
    file.seek(max(size - _END_SIZE - _LOCATOR_SIZE, 0))
    tail = file.read()
    end = tail[-_END_SIZE:]
    if len(end) < _END_SIZE or end[:4] != _END or end[-2:] != b"\0\0":
        raise RefusedError(
            f"{path.name} has no end record as its last 22 bytes: it is cut short, has something "
            "behind it, or is no zip"
        )
    _, _, _, _, entries, directory, offset, _ = struct.unpack("<4s4H2LH", end)
    if tail[:4] == _LOCATOR and len(tail) == _END_SIZE + _LOCATOR_SIZE:
        file.seek(max(size - _END_SIZE - _LOCATOR_SIZE - _END64_SIZE, 0))
        record = file.read(_END64_SIZE)
        if len(record) < _END64_SIZE or record[:4] != _END64:
            raise RefusedError("its zip64 end record is not where it should be")
        entries, directory, offset = struct.unpack("<32xQQQ", record)
    if entries > MOST_ENTRIES or directory > LARGEST_DIRECTORY:
        raise RefusedError(
            f"it says it has {entries:,} entries in a table of {directory:,} bytes; at most "
            f"{MOST_ENTRIES:,} and {LARGEST_DIRECTORY:,} are read"
        )
    if offset + directory > size:
        raise RefusedError("its table of entries lies beyond its end: it is cut short")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name, mode = entry.filename, entry.external_attr >> 16
    shown = repr(name[:80])
    path = PurePosixPath(name)
    if name != entry.orig_filename or _CONTROL.search(name) or "\\" in name or ":" in name:
        raise RefusedError(f"{shown}: a name with characters that no path of an archive has")
    if path.is_absolute() or name.startswith("~"):
        raise RefusedError(f"{shown}: an absolute name")
    if ".." in path.parts:
        raise RefusedError(f"{shown}: a name that leads out of the folder")
    if not path.parts or str(path) != name or len(name) > LONGEST_NAME:
        raise RefusedError(f"{shown}: not the plain name of a file")
    if len(path.parts) > DEEPEST or any(len(p.encode()) > LONGEST_PART for p in path.parts):
        raise RefusedError(f"{shown}: deeper than {DEEPEST} folders, or a part is too long")
    if any(part.casefold() == ".git" for part in path.parts):
        raise RefusedError(f"{shown}: what stands there, git executes")
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        what = "a link" if stat.S_ISLNK(mode) else "not a regular file"
        raise RefusedError(f"{shown}: {what}")
    if entry.flag_bits & 0x1:
        raise RefusedError(f"{shown}: encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise RefusedError(f"{shown}: compressed in a way that archives of limr do not use")


def _check_names(names: Sequence[str]) -> None:
    """Refuse names that fall on one another, also where case or Unicode's form do not matter."""
    seen: dict[str, str] = {}
    folders: set[str] = set()
    for name in names:
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
        if key in seen:
            raise RefusedError(f"{name[:80]!r}: the name stands twice (as {seen[key][:80]!r})")
        seen[key] = name
        folders.update(str(parent) for parent in PurePosixPath(key).parents)
    both = sorted(folders & set(seen))
    if both:
        raise RefusedError(f"{both[0][:80]!r}: a file and a folder have this name")


def _check_volume(entries: Sequence[zipfile.ZipInfo], size: int) -> None:
    total = sum(entry.file_size for entry in entries)
    if total > min(max(FREE_TOTAL, RATIO * size), LARGEST_TOTAL):
        raise RefusedError(
            f"it would unpack to {total:,} bytes from {size:,}: more than any study's archive does"
        )
    for entry in entries:
        if entry.file_size > max(FREE_ENTRY, ENTRY_RATIO * entry.compress_size):
            raise RefusedError(
                f"{entry.filename[:80]!r}: {entry.file_size:,} bytes out of "
                f"{entry.compress_size:,}: a bomb"
            )
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise RefusedError(f"{entry.filename[:80]!r}: it overlaps another entry")
        name = len(entry.filename.encode())
        end = entry.header_offset + _LOCAL_HEADER + name + entry.compress_size


def extract(
    path: Path, entries: Sequence[zipfile.ZipInfo], folder: Path
) -> dict[str, tuple[int, str]]:
    """Unpack checked entries into a folder; return name -> (bytes, sha256) of what came.

    Args:
        path: the archive.
        entries: those of `check` that are wanted.
        folder: must not hold any of their names.

    Raises:
        RefusedError: an entry is damaged, larger than it says, or has a name that is there.
    """
    found = {}
    with zipfile.ZipFile(path) as zipped:
        for entry in entries:
            target = folder / entry.filename
            digest, size = hashlib.sha256(), 0
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                with zipped.open(entry) as source, target.open("xb") as out:
                    while block := source.read(_BLOCK):
                        size += len(block)
                        if size > entry.file_size:
                            raise RefusedError(f"{entry.filename}: larger than it says")
                        digest.update(block)
                        out.write(block)
            except _DAMAGED as error:
                raise RefusedError(f"{entry.filename}: damaged ({error})") from None
            except OSError as error:
                if error.errno not in _OF_NAMES:
                    raise
                raise RefusedError(f"{entry.filename[:80]}: {error.strerror}") from None
            found[entry.filename] = (size, digest.hexdigest())
    return found

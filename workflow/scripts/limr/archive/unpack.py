"""Unpacking an archive that a stranger made: names, sizes and counts are checked first.

Only regular files are written, each under a new name inside the folder, so that nothing of the
user is replaced. zipfile itself reads no more bytes of an entry than the entry says it has, and
checks its CRC.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import stat
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from limr.core.errors import InputError, IntegrityError

MOST_ENTRIES = 100_000
LARGEST_TABLE = 16 << 20  # bytes of the zip's own table of entries, which takes about 150 for each
FREE_TOTAL = 1 << 30  # any archive may unpack to so many bytes; beyond, RATIO times its size
RATIO = 50
LONGEST_NAME, LONGEST_PART, DEEPEST = 1024, 255, 24  # bytes, bytes of a part, parts
_BLOCK = 1 << 20
_ODD = re.compile(r"[\x00-\x1f\x7f\\:]|^~")  # characters that no path of an archive has
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, struct.error, RuntimeError, ValueError)


class RefusedError(IntegrityError):
    """An archive that is not unpacked: damaged, or not one that limr wrote."""


def unpack(path: Path, folder: Path) -> dict[str, tuple[int, str]]:
    """Unpack an archive into a folder; return name -> (bytes, sha256).

    Raises:
        InputError: there is no such file, or no space to unpack it.
        RefusedError: see `check` and `extract`; the message names the archive.
    """
    try:
        entries = check(path)
        size, free = sum(entry.file_size for entry in entries), shutil.disk_usage(folder).free
        if size > free:
            raise InputError(
                f"{path} unpacks to {size / 1e6:,.0f} MB; {folder} has {free / 1e6:,.0f} MB free. "
                "Free some space, or set TMPDIR to a folder with more."
            )
        return extract(path, entries, folder)
    except RefusedError as error:
        raise RefusedError(
            f"{path}: {error}. It is damaged, or limr did not write it: get it again."
        ) from None


def check(path: Path) -> list[zipfile.ZipInfo]:
    """Return the entries of an archive that may be unpacked, in its order.

    Raises:
        InputError: there is no such file.
        RefusedError: it is no zip, cut short, or an entry is not as in an archive of limr.
    """
    try:
        _check_table(path)
        with zipfile.ZipFile(path) as zipped:
            entries = zipped.infolist()
            gap = _gap(zipped)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None
    except _DAMAGED as error:
        raise RefusedError(f"not a zip that can be read ({error})") from None
    if len(entries) > MOST_ENTRIES:  # whatever the end record says
        raise RefusedError(f"it has {len(entries):,} entries; at most {MOST_ENTRIES:,} are read")
    for entry in entries:
        why = _wrong(entry)
        if why:
            raise RefusedError(f"{entry.filename[:80]!r}: {why}")
    size, total = path.stat().st_size, sum(entry.file_size for entry in entries)
    if total > max(FREE_TOTAL, RATIO * size):
        raise RefusedError(
            f"it would unpack to {total:,} bytes from {size:,}: more than any study's archive does"
        )
    if gap is not None:
        raise RefusedError(f"there is something between its files, at byte {gap:,}")
    return entries


def _gap(zipped: zipfile.ZipFile) -> int | None:
    """Return where there are bytes that belong to no entry: a program before the first, say."""
    end, file = 0, zipped.fp
    for entry in sorted(zipped.infolist(), key=lambda one: one.header_offset):
        if entry.header_offset > end or file is None:
            return end
        file.seek(entry.header_offset + 26)
        lengths = struct.unpack("<HH", file.read(4))  # of the name and of what is beside it
        end = max(end, entry.header_offset + 30 + sum(lengths) + entry.compress_size)
    return None if zipped.start_dir <= end else end


def _check_table(path: Path) -> None:
    """Look at the zip's end record, before zipfile reads the table of entries into memory."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - 98, 0))
        tail = file.read()  # at most: the zip64 record (56 bytes), its locator (20), the end (22)
    if tail[-22:-18] != b"PK\x05\x06" or tail[-2:] != b"\0\0":
        raise RefusedError(
            "it has no end record as its last 22 bytes: it is cut short, has something behind it, "
            "or is no zip"
        )
    entries, table = struct.unpack("<10xHL6x", tail[-22:])
    if tail[-42:-38] == b"PK\x06\x07" and len(tail) == 98:
        entries, table = struct.unpack("<32xQQ8x", tail[:56])
    if entries > MOST_ENTRIES or table > LARGEST_TABLE:
        raise RefusedError(
            f"it says it has {entries:,} entries in a table of {table:,} bytes; at most "
            f"{MOST_ENTRIES:,} and {LARGEST_TABLE:,} are read"
        )


def _wrong(entry: zipfile.ZipInfo) -> str | None:
    """Return what keeps an entry from being unpacked, None where nothing does."""
    name, path = entry.orig_filename, PurePosixPath(entry.orig_filename)
    if _ODD.search(name):
        return "a name with characters that no path of an archive has"
    if path.is_absolute() or ".." in path.parts:
        return "a name that leads out of the folder"
    if not path.parts or str(path) != name or ".git" in map(str.lower, path.parts):
        return "not the plain name of a file of an archive"
    parts = [len(part.encode()) for part in path.parts]
    if sum(parts) > LONGEST_NAME or max(parts) > LONGEST_PART or len(parts) > DEEPEST:
        return f"too long a name, or deeper than {DEEPEST} folders"
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        return "a link, or something else that is no regular file"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "compressed in a way that archives of limr do not use"
    return None


def extract(
    path: Path, entries: Sequence[zipfile.ZipInfo], folder: Path
) -> dict[str, tuple[int, str]]:
    """Unpack checked entries into a folder; return name -> (bytes, sha256) of what came.

    Args:
        path: the archive.
        entries: those of `check` that are wanted.
        folder: must not hold any of their names.

    Raises:
        RefusedError: an entry is damaged, larger than it says, encrypted, or its name is there
            already, also as an entry's that differs in a way that the file system does not see.
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
                        digest.update(block)
                        out.write(block)
            except _DAMAGED as error:
                raise RefusedError(f"{entry.filename}: damaged ({error})") from None
            except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
                raise RefusedError(f"{entry.filename}: {error.strerror}") from None
            found[entry.filename] = (size, digest.hexdigest())
    return found

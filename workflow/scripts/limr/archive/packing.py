"""Writing a zip: the same bytes for the same content, in one pass, with memory for one block."""

from __future__ import annotations

import errno
import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from limr.archive.crate import File
from limr.core import files
from limr.core.errors import InputError

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
LEVEL = 6
# Compressed already: packing them again costs time and gains nothing.
STORED = (".parquet", ".png", ".pdf", ".safetensors", ".zip", ".gz", ".woff2")
_BLOCK = 1 << 20
_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM)


class Packer:
    """Adds files to a zip and keeps their sizes and digests in `files`."""

    def __init__(self, zipped: zipfile.ZipFile) -> None:
        self._zip = zipped
        self.files: dict[str, File] = {}

    def add(self, name: str, source: Path | bytes, kind: str, *, executable: bool = False) -> File:
        """Add one file under a name that was not added before.

        Args:
            name: its path in the archive.
            source: a file, or its content.
            kind: what it is, for the crate.
            executable: whether it may be executed.

        Raises:
            InputError: the file grew, shrank or vanished while it was read.
        """
        info = zipfile.ZipInfo(name, EPOCH)
        info.create_system = 3  # permissions are Unix's, whatever wrote the archive
        info.external_attr = (0o100755 if executable else 0o100644) << 16
        stored = name.endswith(STORED)
        info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
        info._compresslevel = LEVEL  # type: ignore[attr-defined] # no public name before 3.13
        info.file_size = len(source) if isinstance(source, bytes) else source.stat().st_size
        digest, size = hashlib.sha256(), 0
        with self._zip.open(info, "w") as out:
            for block in _blocks(source):
                digest.update(block)
                size += len(block)
                if size > info.file_size:
                    break
                out.write(block)
        if not isinstance(source, bytes) and source.stat().st_size != size:
            raise InputError(f"{source}: it changed while it was archived. Is the study running?")
        found = File(size, digest.hexdigest(), kind)
        self.files[name] = found
        return found


def _blocks(source: Path | bytes) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    file: BinaryIO
    with source.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


@contextmanager
def packing(output: Path) -> Iterator[Packer]:
    """Yield a packer; the zip stands at `output` once the block has succeeded, and not before.

    Raises:
        InputError: the folder cannot be written to, or the disk is full.
    """
    try:
        with files.atomic(output) as temporary, zipfile.ZipFile(temporary, "w") as zipped:
            yield Packer(zipped)
    except OSError as error:
        if error.errno in _CLOSED:
            raise InputError(
                f"{output}: nothing can be written there ({error.strerror}): the disk or folder is "
                "read-only. Nothing was written; name another place with --output."
            ) from None
        raise

"""Files of text that may be packed (gzip, zstd, bzip2): reading by content, writing by name."""

from __future__ import annotations

import codecs
import io
from pathlib import Path
from typing import IO

import pyarrow as pa

from limr.core.errors import InputError

SUFFIXES = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}
_BYTES = 1 << 20


def suffix(path: Path) -> str:
    """Return a name's suffix in small letters, packing aside: `.jsonl` of `a.jsonl.gz`."""
    suffixes = [part.lower() for part in path.suffixes]
    if suffixes and suffixes[-1] in SUFFIXES:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def opened(path: Path) -> IO[bytes]:
    """Return a file's bytes, unpacked, as UTF-8 without a byte order mark; whatever its name says.

    A file in UTF-16 (with its mark, as Windows writes it) is turned into UTF-8 in memory.

    Raises:
        InputError: it cannot be read.
    """
    try:
        found: io.BufferedReader = path.open("rb")
        start = found.peek(4)[:4]
        packing = next((name for magic, name in _MAGIC.items() if start.startswith(magic)), None)
        if packing is not None:
            found.close()
            stream = pa.input_stream(str(path), compression=packing, buffer_size=_BYTES)
            found = io.BufferedReader(_Raw(stream, path), _BYTES)
        start = found.peek(4)[:4]
        if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return io.BytesIO(found.read().decode("utf-16").encode())
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None
    except (OSError, UnicodeError, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read ({error}).") from None
    if start[:3] == codecs.BOM_UTF8:
        found.read(3)
    return found


class _Raw(io.RawIOBase):
    """Arrow's stream as Python's; packed bytes that are cut short name their file."""

    def __init__(self, stream: pa.NativeFile, path: Path) -> None:
        self._stream, self._path = stream, path

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            data = self._stream.read(len(buffer))
        except (OSError, pa.ArrowException) as error:
            raise InputError(
                f"{self._path}: packed, and damaged or cut short ({error}). Copy it again."
            ) from None
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


def created(path: Path, name: Path) -> IO[bytes]:
    """Open `path` for writing, packed as the suffix of `name` says; the same bytes each time."""
    packing = SUFFIXES.get(name.suffix.lower())
    stream: IO[bytes] = pa.output_stream(str(path), compression=packing, buffer_size=_BYTES)
    return stream

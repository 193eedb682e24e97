"""Writing a zip: the same bytes for the same content, in one pass, with memory for one block.

Below it, what goes into an archive instead of what stays out: ids for texts, nulls for responses.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from limr.archive.crate import File
from limr.core import files
from limr.core.errors import InputError

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
LEVEL = 6
# Compressed already: compressing them once more costs time and gains nothing.
STORED = (".parquet", ".png", ".pdf", ".safetensors", ".zip", ".gz", ".woff2")
_BLOCK = 1 << 20
_ROWS = 1 << 16
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
        file = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
        with file, self._zip.open(info, "w") as out:
            while (block := file.read(_BLOCK)) and size <= info.file_size:
                digest.update(block)
                size += len(block)
                out.write(block)
        if not isinstance(source, bytes) and source.stat().st_size != size:
            raise InputError(f"{source}: it changed while it was archived. Is the study running?")
        found = File(size, digest.hexdigest(), kind)
        self.files[name] = found
        return found


@contextmanager
def zip_at(output: Path) -> Iterator[Packer]:
    """Yield a packer; the zip appears at `output` once the block has succeeded, and not before.

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


# --- instead of what stays out -------------------------------------------------------------------


def without_responses(source: Path, output: Path) -> None:
    """Copy a parquet table of responses with every `response` null, a row group at a time."""
    file = pq.ParquetFile(source)
    schema = file.schema_arrow.remove_metadata()
    place = schema.get_field_index("response")
    kept = [name for name in schema.names if name != "response"]
    with (
        files.atomic(output) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for batch in file.iter_batches(batch_size=_ROWS, columns=kept):
            table = pa.Table.from_batches([batch])
            nulls = pa.nulls(table.num_rows, schema.field(place).type)
            writer.write_table(table.add_column(place, schema.field(place), nulls))


def findings(source: Path) -> bytes:
    """Return each finding of an audit (`audits/*.parquet`) with its problem's id, without texts."""
    rows = pq.read_table(source, columns=["problem_id", "finding"]).to_pylist()
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def ids(source: Path, *, scores: bool) -> bytes:
    """Return for each line of a jsonl of problems its id, level, and the sha256 of the line.

    Args:
        source: `problems/*.jsonl`, `solutions/*.jsonl` or `subsets/*.jsonl`.
        scores: whether a subset's scores may be passed on.
    """
    lines = []
    with source.open("rb") as file:
        for line in file:
            row = json.loads(line)
            kept = {"problem_id": row["problem_id"], "level": row.get("level")}
            if scores and "score" in row:
                kept["score"] = row["score"]
            kept["sha256"] = hashlib.sha256(line.rstrip(b"\n")).hexdigest()
            lines.append(json.dumps(kept, ensure_ascii=False) + "\n")
    return "".join(lines).encode()

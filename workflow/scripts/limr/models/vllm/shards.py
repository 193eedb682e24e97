"""Responses that are kept while a job runs, so that a killed job's are not drawn again.

A folder holds one file per shard: responses in the order in which they ended, each with its row.
Its name is a digest of everything that they depend on, so that only the same request finds it. One
process works on it: the state folder is locked (`limr.core.working_folder`).

    000003.parquet   the shard
    000003.json      its sha256, written after it: without it, or with other bytes, it is not kept
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from limr.core import files
from limr.core.errors import InputError
from limr.core.job_log import note

SHARD = pa.schema([("row", pa.int64()), ("ids", pa.list_(pa.int32()))])


class Shards:
    """The finished responses of one request: row -> token ids."""

    def __init__(self, folder: Path | None, rows: int) -> None:
        """Read what is there; without a folder nothing is kept.

        A shard that is not as it was written is deleted, and said: its responses are drawn again.
        """
        self.folder, self.found = folder, dict[int, list[int]]()
        self._next = 0
        if folder is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(".*.tmp"):  # half-written when a process was killed
            leftover.unlink()
        for path in sorted(folder.glob("*.parquet")):
            self._next = int(path.stem) + 1 if path.stem.isdigit() else self._next
            try:
                part = _read(path)
            except InputError as error:
                note(f"{error}: the responses in it are drawn again")
                path.unlink()
                continue
            for row, ids in zip(part["row"].to_pylist(), part["ids"].to_pylist(), strict=True):
                if 0 <= row < rows and ids:
                    self.found[row] = ids

    def keep(self, finished: Mapping[int, Sequence[int]]) -> None:
        """Add finished responses, and write them as one shard."""
        self.found.update({row: list(ids) for row, ids in finished.items()})
        if self.folder is None or not finished:
            return
        table = pa.table({"row": list(finished), "ids": list(finished.values())}, schema=SHARD)
        path = self.folder / f"{self._next:06}.parquet"
        files.write_parquet(path, table)
        files.write_json(_record(path), {"sha256": files.sha256(path)})
        self._next += 1


def _record(path: Path) -> Path:
    return path.with_suffix(".json")


def _read(path: Path) -> pa.Table:
    """Return a shard; InputError where it is not the one that was written."""
    record = files.read_json(_record(path)) if _record(path).is_file() else None
    if not isinstance(record, dict):
        raise InputError(f"{path} has no record of its sha256")
    if record.get("sha256") != files.sha256(path):
        raise InputError(f"{path} has other bytes than were written")
    return files.read_parquet(path, SHARD)

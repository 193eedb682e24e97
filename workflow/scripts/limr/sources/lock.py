"""What was seen of pinned files when they were first fetched, where no sha256 was known before.

`config/sources.lock.yaml` has an entry for each such file; whoever runs the study commits it. From
then on it binds: another file is refused.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from limr.core import files, validation
from limr.core.validation import Keys, Name, key

NAME = "sources.lock.yaml"
_HEAD = (
    "# What was seen of these files when they were first fetched; limr wrote it. Commit it: no\n"
    "# other file is taken from now on. To take another one, take its entry out.\n"
)


class Locked(Keys):
    """One file of the lock."""

    url: str = key(..., "Where config/sources.yaml said that it is.")
    pin: dict[str, str] = key(..., "What config/sources.yaml pinned it by.")
    sha256: str = key(..., "Of what came.", pattern="^[0-9a-f]{64}$")
    bytes: int = key(..., "Its size.", ge=1)
    revision: str | None = key(
        None, "The commit that the hub named; null where a mirror had it.", pattern="^[0-9a-f]{40}$"
    )


def read(path: Path) -> dict[str, Locked]:
    """Return what is locked, by name; nothing where there is no lock.

    Raises:
        InputError: not YAML, or an entry that limr would not write.
    """
    if not path.is_file():
        return {}
    found = validation.complete(files.read_yaml(path), dict[Name, Locked], str(path))
    return {name: Locked(**entry) for name, entry in found.items()}


def add(path: Path, name: str, entry: Mapping[str, Any]) -> None:
    """Add a file to the lock; other jobs may be adding theirs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        known = {one: value.model_dump() for one, value in read(path).items()}
        files.write_text(path, _HEAD + yaml.safe_dump({**known, name: dict(entry)}, width=1000))
    finally:
        os.close(folder)

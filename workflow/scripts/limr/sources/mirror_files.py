"""Pinned public files into a mirror."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from limr.core import files
from limr.sources import pinned
from limr.sources.pinned import Source


def fetch(
    wanted: Iterable[Source], mirror: Path, listed: dict[str, str], origin: Path | None
) -> list[str]:
    """Bring files into a mirror; those that are there and right are left alone.

    Args:
        wanted: entries of config/sources.yaml.
        mirror: where they go; `listed`, what its list says, gains them.
        listed: path -> sha256.
        origin: another mirror to copy them from, or None for their public addresses.

    Returns:
        The names of the files that were brought.

    Raises:
        InputError: a file cannot be had.
        IntegrityError: what came is not the pinned file.
    """
    brought = []
    for source in wanted:
        target = mirror / source.mirror
        there = target.is_file() and target.stat().st_size == source.bytes
        if not there or files.sha256(target) != source.sha256:  # small files
            pinned.fetch(source, target, origin)
            brought.append(source.name)
        listed[source.mirror] = source.sha256
    return brought

"""What is looked at where Snakemake runs, whatever runs the jobs: pinned files, model, disk."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from limr.core import plugins
from limr.plan import preflight_disk
from limr.sources import pinned as sources
from limr.sources.pinned import Source
from limr.study.study import Study


def check(study: Study, results: Path, pinned: Mapping[str, Source], mirror: str | None) -> None:
    """Refuse a study that lacks a file of the mirror, its base model, or room on the disk.

    Args:
        study: a checked study.
        results: its folder, which may not exist; what is there already is not looked for.
        pinned: the pinned public files.
        mirror: the mirror folder, or None.

    Raises:
        InputError: see above.
    """
    for name in study.files() if mirror else ():
        if not (results / f"sources/{name}").exists():
            sources.mirror_path(pinned[name], Path(str(mirror)))
    for line in looks(study, results, pinned):
        sys.stderr.write(f"limr: {line}\n")


def looks(study: Study, results: Path, pinned: Mapping[str, Source]) -> list[str]:
    """Look at the base model and the disk; return a line on each where there is something to say.

    Raises:
        InputError: the model cannot be had, or the disk has no room.
    """
    engine = plugins.load("engines", study.config["engine"]["train"])
    said = []
    if hasattr(engine, "find_base") and not (results / "base").exists():
        said.append(str(engine.find_base(study.config["base"])))
    if room := preflight_disk.check(study, results, pinned):
        said.append(room)
    return said

"""The studies that limr brings: their kernels here, and whether results are the reference."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from limr.core import files, provenance
from limr.train.embedded import portable

if TYPE_CHECKING:
    from limr.study.study import Study


def kernels(study: Study, paths: Sequence[Path]) -> list[str]:
    """Return Snakemake's options for a processor without portable kernels, and say so.

    Only for studies that limr brings: one of the user's own keeps its word, and its jobs refuse.

    Args:
        study: the study.
        paths: its files.
    """
    asked = study.engine_options("train").get("determinism") == "portable"
    ours = all(path.resolve().is_relative_to(provenance.ROOT / "config") for path in paths)
    lacking = portable.lacking() if asked and ours else []
    if not lacking:
        return []
    sys.stderr.write(
        f"This processor has no {' and no '.join(lacking)}: the study runs with `determinism: "
        "machine`. Its numbers are this machine's, not those of README (docs/determinism.md).\n"
    )
    return ["--config", "engines={embedded: {determinism: machine}}"]


def compared(study: str, lists: Path = provenance.ROOT / "docs") -> list[str]:
    """Return a line on a study's results in this folder, beside the newest list of their sha256.

    Args:
        study: its name.
        lists: the folder of `{study}-{date}/results.sha256`, as `sha256sum` writes it.

    Returns:
        Nothing where there is no list, or where a file of it is not here.
    """
    found = sorted(lists.glob(f"{study}-*/results.sha256"))
    if not found:
        return []
    rows = [line.split("  ", 1) for line in found[-1].read_text(encoding="utf-8").splitlines()]
    if not all(Path(path).is_file() for _, path in rows):
        return []
    differing = [path for digest, path in rows if files.sha256(path) != digest]
    name = f"{lists.name}/{found[-1].parent.name}/{found[-1].name}"
    if not differing:
        return [f"Your {study} is the reference, to the byte: all {len(rows)} files of {name}."]
    return [
        f"Your {study} is not the reference, to the byte: {differing[0]} is the first of "
        f"{len(differing)} files that differ from {name}. That is so where the study, limr or its "
        "packages were changed, and on a processor without AVX2 (docs/determinism.md)."
    ]

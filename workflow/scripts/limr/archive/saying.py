"""What the author of an archive is told of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limr.archive import CHANGES
from limr.archive.build import Plan


def said(found: Plan, record: Mapping[str, Any]) -> list[str]:
    """Return what the author must know of the archive, the worst first."""
    lines = []
    if found.code.commit is None:
        lines.append("WARNING: the code is not in git: no commit can be named or proved.")
    if found.code.changed:
        names = ", ".join(found.code.changed[:5]) + (", …" if len(found.code.changed) > 5 else "")
        lines.append(
            f"WARNING: {len(found.code.changed)} files of the code differ from commit "
            f"{found.code.commit}: {names}. The difference goes in as {CHANGES}. Commit, and "
            "archive again."
        )
    if found.missing:
        lines.append(
            f"WARNING: the study is not finished: {len(found.missing)} files are missing, such as "
            f"{found.missing[0]}."
        )
    changed = record["environments"]["changed_since_runs"]
    if changed:
        lines.append(f"WARNING: locks that differ from those of the runs: {', '.join(changed)}.")
    if found.strangers:
        lines.append(
            f"{len(found.strangers)} files under {found.results} are no part of this study and "
            f"stay out, such as {found.strangers[0]}."
        )
    reasons: dict[str, list[str]] = {}
    for path, about in found.left_out.items():
        reasons.setdefault(about["why"], []).append(path)
    lines += [f"{len(paths)} files stay out: {why}." for why, paths in reasons.items()]
    if found.stripped:
        lines.append(f"{len(found.stripped)} tables go in without the responses' texts.")
    return lines

"""The folder that `limr look` writes: prompts.parquet, summary.json, report.html."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from limr import __version__
from limr.core import files
from limr.look import outlook
from limr.look.looked import Looked


def write(looked: Looked, folder: Path, *, csv: bool = False) -> list[Path]:
    """Write the folder, each file whole or not at all; return the files.

    Args:
        looked: what was found.
        folder: made where it is not there; files of an earlier look are replaced.
        csv: write prompts.csv, too.
    """
    from limr.look import page

    folder.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(looked.prompts, preserve_index=False)
    table = table.replace_schema_metadata(None)
    written = [folder / "prompts.parquet", folder / "summary.json", folder / "report.html"]
    files.write_parquet(written[0], table)
    if csv:
        written.insert(1, folder / "prompts.csv")
        files.write_text(written[1], looked.prompts.to_csv(index=False))
    files.write_json(folder / "summary.json", summary(looked))
    page.write(looked, folder / "report.html")
    return written


def summary(looked: Looked) -> Mapping[str, Any]:
    """Return what was found, for machines."""
    imported, table = looked.imported, looked.prompts
    return {
        "log": looked.log,
        "format": imported.format,
        "columns": dict(imported.taken),
        "selector": looked.selector,
        "options": dict(looked.options),
        "counts": {
            "rows": imported.rows_read,
            "rows_used": imported.rows_joined,
            "prompts": len(table),
            "samples": int(table["n"].sum()),
            "scored": int(table["score"].notna().sum()),
            **looked.counts,
        },
        "certainty": outlook.record(looked.outlook),
        "values": [
            {"value": value, "rows": rows, "taken_for": taken}
            for value, rows, taken in imported.values
        ],
        "findings": [_finding(f) for f in looked.findings if f.kind == "info"],
        "warnings": [_finding(f) for f in looked.findings if f.kind == "warning"],
        "refused": [
            {"reason": r.reason, "rows": r.rows, "first": r.first} for r in imported.refused
        ],
        "versions": {"limr": __version__},
    }


def _finding(finding: Any) -> dict[str, Any]:
    return {
        "code": finding.code,
        "text": finding.text,
        "count": finding.count,
        "where": finding.where,
    }

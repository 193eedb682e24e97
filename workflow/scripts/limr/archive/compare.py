"""What differs between two studies: their configurations, subsets and tables."""

from __future__ import annotations

import ast
import contextlib
import io
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import pandas as pd

from limr.archive import IDS, RECORD, differences, documents, unpack
from limr.archive.differences import Difference
from limr.core import files
from limr.core.errors import InputError
from limr.study import files as contents

Json = dict[str, Any]
MOST_LINES = 50  # of one section, for people


@dataclass(frozen=True)
class Side:
    """One of the two: its name, its `results/{study}`, ids of texts that are left out."""

    name: str
    results: Path
    ids: Path
    config: Json | None


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Side]:
    """Yield an archive, unpacked for the time of the block, or a folder `results/{study}`.

    Raises:
        InputError: it is neither, or holds no study.
    """
    if path.is_dir():
        yield Side(str(path), path, path / "none", _config_of_folder(path))
        return
    with tempfile.TemporaryDirectory(prefix="limr-compare-") as scratch:
        folder = Path(scratch)
        unpack.extract(path, unpack.check(path), folder)
        record = documents.read_json(folder / RECORD)
        results = folder / "results" / str(record.get("study") if isinstance(record, dict) else "")
        if not documents.within(folder, str(results / "study.yaml")):
            raise InputError(f"{path}: there is no study in it.")
        config = documents.read_yaml(results / "study.yaml")
        yield Side(str(path), results, folder / IDS, config)


def _config_of_folder(path: Path) -> Json | None:
    """Return the configuration beside results, or the one in Snakemake's record of the report."""
    if (path / "study.yaml").is_file():
        return documents.read_yaml(path / "study.yaml")
    root = path.resolve().parents[1]
    at = root / contents.metadata_path(f"results/{path.resolve().name}/report.html")
    for text in documents.read_json(at).get("params", ()) if at.is_file() else ():
        with contextlib.suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            value = ast.literal_eval(text)
            if isinstance(value, dict) and isinstance(value.get("config"), dict):
                found: Json = value["config"]
                return found
    return None


def compare(first: Side, second: Side) -> Json:
    """Return what differs: `configuration` by key, `subsets` by arm, `tables` by cell.

    `configuration` is None where one of the two is not known.
    """
    return {
        "first": first.name,
        "second": second.name,
        "configuration": _configuration(first, second),
        "subsets": _subsets(_ids(first), _ids(second)),
        "tables": list(_tables(first, second)),
    }


def _configuration(first: Side, second: Side) -> list[Json] | None:
    if first.config is None or second.config is None:
        return None
    ours, theirs = (
        {key: value for key, value in config.items() if key not in ("archive", "mirror")}
        for config in (first.config, second.config)
    )
    return [
        {"key": found.field, **_both(found)}
        for found in differences.of_values(ours, theirs, tolerance=0.0)
    ]


def _subsets(first: dict[str, set[str]], second: dict[str, set[str]]) -> list[Json]:
    """Return the sizes of the subsets that differ, and how many problems are in both."""
    return [
        {
            "arm": arm,
            "first": len(first[arm]) if arm in first else None,
            "second": len(second[arm]) if arm in second else None,
            "shared": len(first[arm] & second[arm]) if arm in first and arm in second else None,
        }
        for arm in sorted({*first, *second})
        if first.get(arm) != second.get(arm)
    ]


def _ids(side: Side) -> dict[str, set[str]]:
    """Return arm -> ids of its problems, also where the texts are left out."""
    found = {}
    for folder in (side.ids / "subsets", side.results / "subsets"):
        for path in sorted(folder.glob("*.jsonl")):
            found[path.stem] = {str(row.get("problem_id")) for row in files.read_jsonl(path)}
    return found


# --- tables --------------------------------------------------------------------------------------


def _tables(first: Side, second: Side) -> Iterator[Json]:
    """Yield the cells in which tables differ: texts exactly, numbers by more than a tolerance."""
    ours, theirs = _paths(first), _paths(second)
    for name in sorted({*ours, *theirs}):
        found: Iterable[Difference] = (
            _of_cells(_frame(ours[name]), _frame(theirs[name]))
            if name in ours and name in theirs
            else [Difference("", *("a table" if name in s else "nothing" for s in (ours, theirs)))]
        )
        for cell in found:
            yield {"table": name, "cell": cell.field} | _both(cell)


def _paths(side: Side) -> dict[str, Path]:
    return {path.stem: path for path in sorted((side.results / "tables").glob("*.tsv"))}


def _frame(path: Path) -> pd.DataFrame:
    """Return a table's cells as texts."""
    try:
        return pd.read_csv(
            io.StringIO(documents.read_text(path)), sep="\t", dtype=str, na_filter=False
        )
    except ValueError as error:
        raise InputError(f"{path}: not a tab-separated table ({error}).") from None


def _of_cells(first: pd.DataFrame, second: pd.DataFrame) -> Iterator[Difference]:
    """Yield where tables differ; a row is named by its first columns, as far as they hold texts."""

    def of_texts(column: str) -> bool:
        both = [frame[column] for frame in (first, second) if column in frame]
        numbers = pd.to_numeric(pd.concat(both or [pd.Series()]), errors="coerce")
        return len(both) == 2 and bool(numbers.isna().all())

    names = list(takewhile(of_texts, first.columns))
    yield from differences.of_values(_by_row(first, names), _by_row(second, names))


def _by_row(frame: pd.DataFrame, names: list[str]) -> dict[str, dict[str, float | str]]:
    """Return row -> column -> value; rows of one name are numbered."""
    found: dict[str, dict[str, float | str]] = {}
    seen: Counter[str] = Counter()
    for row in frame.to_dict("records"):
        name = ", ".join(row[key] for key in names if row[key]) or "row"
        seen[name] += 1
        label = name if seen[name] == 1 and names else f"{name} {seen[name]}"
        found[label] = {
            str(key): differences.number(cell) for key, cell in row.items() if key not in names
        }
    return found


def in_words(found: Json) -> list[str]:
    """Return a comparison as lines for people."""
    lines = [f"A: {found['first']}", f"B: {found['second']}"]
    if found["configuration"] is None:
        lines.append("Configuration: not known of both.")
    else:
        keys = [f"{entry['key']}: {_arrow(entry)}" for entry in found["configuration"]]
        lines += _section("Configuration", "keys", keys)
    subsets = [
        f"{entry['arm']}: {_arrow(entry)} problems, {entry['shared']} of them in both"
        for entry in found["subsets"]
    ]
    lines += _section("Subsets", "arms", subsets)
    cells = [
        ", ".join(filter(None, (entry["table"], entry["cell"]))) + f": {_arrow(entry)}"
        for entry in found["tables"]
    ]
    return lines + _section("Tables", "cells", cells)


def _section(title: str, what: str, entries: list[str]) -> list[str]:
    head = f"{title}: {f'{len(entries):,} {what} differ' if entries else 'the same'}."
    more = len(entries) - MOST_LINES
    rest = [f"  and {more:,} more (--json writes all)"] if more > 0 else []
    return [head, *(f"  {entry}" for entry in entries[:MOST_LINES]), *rest]


def _both(found: Difference) -> Json:
    return {"first": found.expected, "second": found.found}


def _arrow(entry: Json) -> str:
    return f"{entry['first']} → {entry['second']}"

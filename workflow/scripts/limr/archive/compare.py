"""What differs between two studies: their configurations, subsets and tables."""

from __future__ import annotations

import ast
import contextlib
import io
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, takewhile
from pathlib import Path
from typing import Any

import pandas as pd

from limr.archive import IDS, RECORD, differences, documents, unpack
from limr.archive.differences import Difference
from limr.core import files
from limr.core.errors import InputError
from limr.report.table_text import number
from limr.study import files as contents

Json = dict[str, Any]
MOST_LINES = 50  # of one part, for people


@dataclass(frozen=True)
class Side:
    """One of the two: its name, its `results/{study}`, and its configuration where it is known.

    `ids` is where an archive has the ids of subsets whose texts are left out.
    """

    name: str
    results: Path
    config: Json | None
    ids: Path


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Side]:
    """Yield an archive, unpacked for the time of the block, or a folder `results/{study}`.

    Raises:
        InputError: it is neither, or holds no study.
    """
    if path.is_dir():
        yield Side(str(path), path, _config_of_folder(path.resolve()), path / "none")
        return
    with tempfile.TemporaryDirectory(prefix="limr-compare-") as scratch:
        folder = Path(scratch)
        unpack.unpack(path, folder)
        record = documents.read_json(folder / RECORD) if (folder / RECORD).is_file() else None
        results = folder / "results" / str(record.get("study") if isinstance(record, dict) else "")
        if not documents.within(folder, str(results / "study.yaml")):
            raise InputError(f"{path}: there is no study in it.")
        config = documents.read_yaml(results / "study.yaml")
        yield Side(str(path), results, config, folder / IDS / "subsets")


def _config_of_folder(folder: Path) -> Json | None:
    """Return the configuration beside results, or the one in Snakemake's record of the report."""
    if (folder / "study.yaml").is_file():
        return documents.read_yaml(folder / "study.yaml")
    record = folder.parents[1] / contents.metadata_path(f"results/{folder.name}/report.html")
    for text in documents.read_json(record).get("params", ()) if record.is_file() else ():
        with contextlib.suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            value = ast.literal_eval(text)
            if isinstance(value, dict) and isinstance(value.get("config"), dict):
                return {**value["config"]}
    return None


def compare(first: Side, second: Side) -> Json:
    """Return what differs: `configuration` by key, `subsets` by arm, `tables` by cell.

    Each is a list of {name, first, second}; in `subsets` these are sizes, and `shared` is how many
    problems are in both. `configuration` is None where one of the two is not known.
    """
    known = first.config is not None and second.config is not None
    return {
        "first": first.name,
        "second": second.name,
        "configuration": _listed(_of_configurations(first, second)) if known else None,
        "subsets": list(_of_subsets(_ids(first), _ids(second))),
        "tables": _listed(_of_tables(_tables(first), _tables(second))),
    }


def _listed(found: Iterable[Difference]) -> list[Json]:
    return [{"name": one.field, "first": one.expected, "second": one.found} for one in found]


def _of_configurations(first: Side, second: Side) -> Iterator[Difference]:
    ours, theirs = (
        {key: value for key, value in (side.config or {}).items() if key != "archive"}
        for side in (first, second)
    )
    yield from differences.of_values(ours, theirs, tolerance=0.0)


def _ids(side: Side) -> dict[str, set[str]]:
    """Return arm -> ids of its problems, also where the texts are left out."""
    paths = chain(side.ids.glob("*.jsonl"), (side.results / "subsets").glob("*.jsonl"))
    return {p.stem: {str(row.get("problem_id")) for row in files.read_jsonl(p)} for p in paths}


def _of_subsets(first: dict[str, set[str]], second: dict[str, set[str]]) -> Iterator[Json]:
    for arm in sorted({*first, *second}):
        ours, theirs = first.get(arm), second.get(arm)
        if ours != theirs:
            sizes = ("nothing" if side is None else len(side) for side in (ours, theirs))
            found = dict(zip(("name", "first", "second"), (arm, *sizes), strict=True))
            yield found | ({"shared": len(ours & theirs)} if ours and theirs else {})


# --- tables --------------------------------------------------------------------------------------


def _tables(side: Side) -> dict[str, Path]:
    return {path.stem: path for path in (side.results / "tables").glob("*.tsv")}


def _read(path: Path) -> pd.DataFrame:
    """Return a table's cells as texts."""
    try:
        text = io.StringIO(documents.read_text(path))
        return pd.read_csv(text, sep="\t", dtype=str, na_filter=False)
    except ValueError as error:
        raise InputError(f"{path}: not a tab-separated table ({error}).") from None


def _of_tables(first: dict[str, Path], second: dict[str, Path]) -> Iterator[Difference]:
    """Yield the cells that differ: texts exactly, numbers by more than a tolerance."""
    for name in sorted({*first, *second}):
        if name in first and name in second:
            tables = _read(first[name]), _read(second[name])
            keys = _row_names(*tables)
            ours, theirs = (_by_row(table, keys) for table in tables)
            yield from differences.of_values(ours, theirs, name)
        else:
            ends = ("a table" if name in side else "nothing" for side in (first, second))
            yield Difference(name, *ends)


def _row_names(first: pd.DataFrame, second: pd.DataFrame) -> list[str]:
    """Return the columns that name a row: the first ones, as far as they hold no number."""

    def of_texts(column: str) -> bool:
        cells = [cell for table in (first, second) for cell in table.get(column, ["0"])]
        return all(isinstance(number(cell), str) for cell in cells)

    return list(takewhile(of_texts, first.columns))


def _by_row(table: pd.DataFrame, keys: list[str]) -> dict[str, Json]:
    """Return row -> column -> value; rows of the same name are numbered."""
    found: dict[str, Json] = {}
    seen: Counter[str] = Counter()
    for row in table.to_dict("records"):
        name = ", ".join(row[key] for key in keys if row[key]) or "row"
        seen[name] += 1
        label = name if keys and seen[name] == 1 else f"{name} {seen[name]}"
        found[label] = {
            str(column): number(cell) for column, cell in row.items() if column not in keys
        }
    return found


def in_words(found: Json) -> list[str]:
    """Return a comparison as lines for people."""
    lines = [f"A: {found['first']}", f"B: {found['second']}"]
    for part, what in (("configuration", "keys"), ("subsets", "arms"), ("tables", "cells")):
        entries = found[part]
        if entries is None:
            lines.append(f"{part.capitalize()}: not known of both.")
            continue
        differ = f"{len(entries):,} {what} differ" if entries else "the same"
        lines.append(f"{part.capitalize()}: {differ}.")
        for entry in entries[:MOST_LINES]:
            shared = f" problems, {entry['shared']} of them in both" if "shared" in entry else ""
            lines.append(f"  {entry['name']}: {entry['first']} → {entry['second']}{shared}")
        if len(entries) > MOST_LINES:
            lines.append(f"  and {len(entries) - MOST_LINES:,} more (--json writes all)")
    return lines

"""Reading files that a stranger made: YAML, JSON and tables, bounded in size, never code."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from limr.core import provenance
from limr.core.errors import InputError
from limr.study.study import Study

LARGEST_TEXT = 64 << 20  # bytes; a crate of 100,000 files has half of this
LARGEST_YAML = 1 << 20
MOST_VALUES = 1 << 20  # of a YAML document
MOST_ROWS = 50_000_000
LARGEST_TABLE = 16 << 30  # bytes of all columns, decompressed
FREE_TABLE = 1 << 30  # any table may have so many; beyond, TABLE_RATIO times its size on the disk
TABLE_RATIO = 200
_BATCH, _NESTED_BATCH = 1 << 13, 1 << 6  # rows
# The most that a study may ask to be recomputed, by key.
MOST_ASKED = {"draws": 100_000, "problems": 1_000_000, "samples": 100_000}
MOST_SCORE_DRAWS = 1_000
MOST_EVALUATIONS = 1_000_000


class _Loader(yaml.SafeLoader):
    """Counts what aliases stand for: a few lines of them can be more than any memory holds."""

    def get_single_node(self) -> Any:
        node = super().get_single_node()
        if node is not None and _spelled_out(node, {}) > MOST_VALUES:
            raise yaml.YAMLError(f"with aliases spelled out it has over {MOST_VALUES:,} values")
        return node


def _spelled_out(node: yaml.Node, known: dict[int, float]) -> float:
    """Return how many values a node has, those behind its aliases once for each alias."""
    if id(node) not in known:
        known[id(node)] = math.inf  # of a node within itself
        inner = node.value if isinstance(node, yaml.CollectionNode) else []
        pairs = isinstance(node, yaml.MappingNode)
        below = [one for entry in inner for one in (entry if pairs else [entry])]
        known[id(node)] = 1 + sum(_spelled_out(one, known) for one in below)
    return known[id(node)]


def _content(path: Path, largest: int) -> bytes:
    try:
        if path.stat().st_size > largest:
            raise InputError(f"{path}: larger than {largest >> 20} MB, which no such file is.")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from None


def read_yaml(path: Path) -> dict[str, Any]:
    """Return a YAML document, a mapping.

    Raises:
        InputError: missing, larger than 1 MB, not YAML, with too much behind its aliases, or not a
            mapping.
    """
    try:
        value = yaml.load(_content(path, LARGEST_YAML), Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(f"{path}: not valid YAML ({error}).") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: expected a mapping, found {type(value).__name__}.")
    return value


def read_text(path: Path) -> str:
    """Return a text file, whatever is no UTF-8 in it replaced.

    Raises:
        InputError: missing, or larger than 64 MB.
    """
    return _content(path, LARGEST_TEXT).decode(errors="replace")


def read_json(path: Path) -> Any:
    """Return a JSON document.

    Raises:
        InputError: missing, larger than 64 MB, not JSON, or nested too deeply.
    """
    try:
        return json.loads(_content(path, LARGEST_TEXT))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON ({error}).") from None


def table_problem(path: Path) -> str | None:
    """Return why a parquet file must not be read as a whole; None where it may be.

    Parquet stores a repeated text once, and its footer counts it once: 500 bytes may hold a text of
    1 MB a million times. So batches are read with texts as indices into a dictionary, which stay
    small, and every row counts with its full length.
    """
    try:
        file = pq.ParquetFile(path)
        about, schema = file.metadata, file.schema_arrow
        most = min(LARGEST_TABLE, max(FREE_TABLE, TABLE_RATIO * path.stat().st_size))
        size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
        if about.num_rows <= MOST_ROWS and size <= most:
            size = next((total for total in _sizes(path, schema) if total > most), 0)
    except Exception as error:  # noqa: BLE001 (of a stranger's bytes, whatever they break)
        return f"not a parquet table ({error})"
    if about.num_rows > MOST_ROWS or size > most:
        return f"{about.num_rows:,} rows of {size:,} bytes or more: more than is read"
    return None


def _sizes(path: Path, schema: pa.Schema) -> Iterator[int]:
    """Yield how many bytes the rows have, as far as they were read."""
    texts = [field.name for field in schema if _is_text(field.type)]
    nested = any(pa.types.is_nested(field.type) for field in schema)
    total, rows = 0, _NESTED_BATCH if nested else _BATCH
    for batch in pq.ParquetFile(path, read_dictionary=texts).iter_batches(rows):
        total += sum(map(_length, batch.columns))
        yield total


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary)
    return any(test(kind) for test in (*tests, pa.types.is_large_binary))


def _length(column: pa.Array) -> int:
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary).cast(pa.int64())
    return int(column.indices.nbytes + (pc.sum(lengths.take(column.indices)).as_py() or 0))


def too_much_asked(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield where a study asks for more work than any real one, before anything is computed."""
    for where, key, value in _numbers(config, ""):
        most = MOST_ASKED.get(key)
        if key == "draws" and where.startswith("scores."):
            most = MOST_SCORE_DRAWS
        if most is not None and value > most:
            yield f"{where}: {value:,} is more than is recomputed ({most:,})"
    asked = config.get("evaluate")
    asked = asked if isinstance(asked, Mapping) else {}
    product = 1
    for part in (config.get("seeds"), config.get("arms"), *asked.values()):
        product *= max(1, len(part)) if isinstance(part, (list, Mapping)) else 1
    if product > MOST_EVALUATIONS:
        yield f"seeds, arms, steps and benchmarks make {product:,} evaluations: more than are read"


def _numbers(node: Any, where: str) -> Iterator[tuple[str, str, float]]:
    """Yield (path of keys, key, number) of a configuration."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            at = f"{where}.{key}" if where else str(key)
            if isinstance(value, (int, float)):
                yield at, str(key), value
            yield from _numbers(value, at)
    elif isinstance(node, list):
        for value in node:
            yield from _numbers(value, where)


def within(folder: Path, path: str) -> bool:
    """Return whether a path of a study exists, in its folder or in the running limr's workflow.

    A stranger's study may name any file of the machine, a device among them.
    """
    target = (folder / path).resolve()
    places = (folder.resolve(), provenance.ROOT / "workflow")
    return target.exists() and any(target.is_relative_to(place) for place in places)


def study_yaml(study: Study) -> bytes:
    """Return `study.yaml` of an archive: the study as it was run, every default spelled out."""
    return yaml_text({key: value for key, value in study.written.items() if key != "mirror"})


def yaml_text(config: Mapping[str, Any]) -> bytes:
    """Return a configuration as an archive has it: nothing is in it but its keys and values."""
    head = "# The study as it was run, every default spelled out.\n"
    text: str = yaml.dump(config, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100)
    return (head + text).encode()


class _Plain(yaml.SafeDumper):
    """Writes every value out: no anchors, which a verifier refuses."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

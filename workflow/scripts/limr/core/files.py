"""Reading and writing files: whole or not at all, and the same bytes for the same content."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limr.core.errors import InputError

if TYPE_CHECKING:  # half a second that most commands do without
    import pandas as pd
    import pyarrow as pa

Json = dict[str, Any]


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary name beside `path` that is renamed to `path` if the block succeeds.

    Works for a file and for a folder. On an error nothing is left behind and whatever was at `path`
    stays as it was. A full disk is reported with the path and the space that is left.

    Raises:
        InputError: the disk is full.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    remove(temporary)
    try:
        yield temporary
        if temporary.is_dir() and target.exists():
            remove(target)
        temporary.replace(target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            free = shutil.disk_usage(target.parent).free
            raise InputError(
                f"{target}: the disk is full ({free / 1e6:.0f} MB free). Nothing was written; "
                "free some space and run the same command again."
            ) from error
        raise
    finally:
        remove(temporary)


def remove(path: Path) -> None:
    """Remove a file, a folder or a link, if it is there; never what is behind a link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def sha256(path: str | Path) -> str:
    """Return the sha256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(path: str | Path, text: str) -> None:
    """Write a text file (UTF-8) atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Write a JSON file atomically: sorted keys, two spaces, no NaN (use null for missing)."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: it is missing, not UTF-8, or not JSON; with the line.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}.") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: not valid JSON ({error.msg}).") from None


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file.

    Raises:
        InputError: it is missing, not UTF-8, or not YAML, or a key stands twice in a mapping; with
            the line and the column.
    """
    import yaml  # here, as most commands do without it

    class Once(yaml.SafeLoader):
        """Refuses a key that stands twice, of which PyYAML would take the last."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            seen = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in seen:
                    what = f"the key '{key.value}' stands twice"
                    raise yaml.constructor.ConstructorError(None, None, what, key.start_mark)
                seen.add((key.tag, str(key.value)))
            return super().construct_mapping(node, deep)

    try:
        text = Path(path).read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError):
        raise InputError(f"{path}: there is no such file.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not valid YAML ({error}).") from None
    try:
        return yaml.load(text, Loader=Once)  # noqa: S506 (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if mark is None:
            raise InputError(f"{path}: not valid YAML ({error}).") from None
        # A bracket or quote that is not closed is found at the end: where it began is said, too.
        began = error.context_mark
        since = f" ({error.context}, line {began.line + 1})" if began and error.context else ""
        line = [*text.splitlines(), ""][mark.line : mark.line + 1] or [""]
        raise InputError(
            f"{path}, line {mark.line + 1}, column {mark.column + 1}: not valid YAML: "
            f"{error.problem}{since}.\n  {line[0]}\n  {' ' * mark.column}^"
        ) from None
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not valid YAML ({error}).") from None


def write_jsonl(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write one JSON object per line, keys in the given order, atomically."""
    lines = [json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows]
    write_text(path, "".join(line + "\n" for line in lines))


def read_jsonl(path: str | Path) -> list[Json]:
    """Read one JSON object per line; blank lines are skipped.

    Raises:
        InputError: the file is missing, not UTF-8, or a line is not a JSON object.
    """
    rows: list[Json] = []
    try:
        with Path(path).open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    rows.append(_json_object(line, f"{path}:{number}"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 ({error.reason} at byte {error.start}).") from None
    return rows


def _json_object(line: str, where: str) -> Json:
    try:
        value = json.loads(line)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"{where}: not valid JSON ({error}).") from None
    if not isinstance(value, dict):
        raise InputError(f"{where}: expected a JSON object, found {type(value).__name__}.")
    return value


def write_parquet(path: str | Path, table: pa.Table) -> None:
    """Write a parquet file atomically: zstd, and no writer-dependent metadata."""
    import pyarrow.parquet as pq

    with atomic(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_parquet(
    path: str | Path,
    schema: pa.Schema,
    columns: Sequence[str] | None = None,
    *,
    newer: pa.Schema | None = None,
) -> pa.Table:
    """Read a parquet file and check it against its contract.

    Args:
        path: the file.
        schema: the contract (see `limr.core.tables`); extra columns are ignored.
        columns: read only these.
        newer: columns that files of older versions lack; read where they are.

    Raises:
        InputError: missing, not parquet, cut short, a column missing or of another type.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = [name for name in schema.names if columns is None or name in columns]
    if newer is not None:
        check_parquet(path, ())
        there = [name for name in newer.names if name in pq.read_schema(path).names]
        schema, wanted = pa.schema([*schema, *newer]), [*wanted, *there]
    table = read_columns(path, wanted)
    try:
        return table.cast(pa.schema([schema.field(name) for name in wanted]))
    except pa.ArrowException as error:
        raise _no_table(path, error) from None


def read_columns(path: str | Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a parquet file, or some of its columns, of whatever type.

    Raises:
        InputError: missing, not parquet, cut short, or a column is missing.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    check_parquet(path, columns or ())
    try:
        return pq.read_table(path, columns=None if columns is None else list(columns))
    except (pa.ArrowException, OSError) as error:
        raise _no_table(path, error) from None


def check_parquet(path: str | Path, columns: Sequence[str]) -> None:
    """Refuse a file that is no parquet table with these columns; reads its end only.

    Raises:
        InputError: missing, not parquet, cut short, or a column is missing.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = pq.read_schema(path).names
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None
    except (pa.ArrowException, OSError) as error:
        raise _no_table(path, error) from None
    missing = [name for name in columns if name not in found]
    if missing:
        raise InputError(f"{path}: column '{missing[0]}' is missing; found {found}.")


def _no_table(path: str | Path, error: Exception) -> InputError:
    return InputError(f"{path}: not a readable parquet table of this kind ({error}).")


def write_tsv(path: str | Path, frame: pd.DataFrame) -> None:
    """Write a tab-separated table atomically; missing values are empty cells."""
    write_text(path, frame.to_csv(sep="\t", index=False, lineterminator="\n"))

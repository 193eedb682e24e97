"""Folders that Hugging Face `datasets` writes with `save_to_disk`, without that library.

Such a folder has its rows in Arrow streams (`data-00000-of-00001.arrow`), their names and the data
set's fingerprint in `state.json`, and the features in `dataset_info.json`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from limr.core import files
from limr.core.errors import InputError

_STATE, _INFO, _SPLITS = "state.json", "dataset_info.json", "dataset_dict.json"
_FILE = "data-00000-of-00001.arrow"


def shards(folder: Path) -> list[Path]:
    """Return a folder's files of rows, in order.

    Raises:
        InputError: no such folder, one of several splits, or a file missing.
    """
    splits = folder / _SPLITS
    if splits.is_file():
        names = files.read_json(splits).get("splits", [])
        raise InputError(
            f"{folder}: holds the splits {', '.join(map(str, names))}. Name one: "
            f"'{folder / str(names[0]) if names else folder}'."
        )
    if not (folder / _STATE).is_file():
        raise InputError(
            f"{folder}: expected a file of rows, or a folder that Hugging Face datasets saved with "
            f"save_to_disk; it has no {_STATE}."
        )
    state = files.read_json(folder / _STATE)
    listed = state.get("_data_files") if isinstance(state, dict) else None
    names = [entry.get("filename") for entry in listed or [] if isinstance(entry, dict)]
    if not names or not all(isinstance(n, str) and Path(n).name == n for n in names):
        raise InputError(f"{folder / _STATE}: expected names of files in '_data_files'.")
    if state.get("_indices_data_files"):
        raise InputError(
            f"{folder}: its rows are picked by indices; save it with save_to_disk again."
        )
    return [folder / name for name in names]


def schema(shard: Path) -> pa.Schema:
    """Return the columns of a file of rows, with its metadata.

    Raises:
        InputError: no such file, or not an Arrow stream.
    """
    return _opened(shard).schema


def batches(
    shards: Sequence[Path], columns: Sequence[str] | None, rows: int
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of the files, some columns of them or all, at most `rows` at once.

    Raises:
        InputError: a file is missing, damaged or cut short.
    """
    for shard in shards:
        reader = _opened(shard)
        while True:
            try:
                batch = reader.read_next_batch()
                batch.validate(full=True)  # its bytes may come from anywhere
            except StopIteration:
                break
            except (pa.ArrowException, OSError) as error:
                raise InputError(f"{shard}: damaged, or cut short ({error}).") from None
            picked = batch if columns is None else batch.select(list(columns))
            yield from (picked.slice(start, rows) for start in range(0, len(picked), rows))


def _opened(shard: Path) -> pa.RecordBatchStreamReader:
    try:
        return pa.ipc.open_stream(pa.memory_map(str(shard)))
    except FileNotFoundError:
        raise InputError(f"{shard}: there is no such file.") from None
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{shard}: not a readable Arrow stream ({error}).") from None


def write(
    folder: Path, columns: pa.Schema, chosen: Iterable[pa.RecordBatch], source: Path | None
) -> None:
    """Write a folder that `datasets.load_from_disk` reads.

    Args:
        folder: to be made; whoever wants it whole or not at all gives a temporary name.
        columns: with their metadata.
        chosen: the rows.
        source: the folder that they are from: the data set's description stays. None: none.
    """
    folder.mkdir(parents=True)
    plain = _without_categories(columns)
    with pa.ipc.new_stream(str(folder / _FILE), plain) as writer:
        for batch in chosen:
            writer.write_batch(batch if plain.equals(columns) else batch.cast(plain))
    state: dict[str, Any] = {
        "_data_files": [{"filename": _FILE}],
        "_fingerprint": files.sha256(folder / _FILE)[:16],  # another than the source's
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": None,
    }
    if source is not None:
        state["_split"] = files.read_json(source / _STATE).get("_split")
    if source is not None and (source / _INFO).is_file():
        shutil.copyfile(source / _INFO, folder / _INFO)
    else:  # the features are those of the Arrow schema
        (folder / _INFO).write_text("{}")
    (folder / _STATE).write_text(json.dumps(state, indent=2, sort_keys=True))


def _without_categories(columns: pa.Schema) -> pa.Schema:
    """Return a schema with categories as their values, as `datasets` knows no such type."""
    fields = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in columns
    ]
    return pa.schema(fields, columns.metadata)

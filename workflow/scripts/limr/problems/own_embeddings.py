"""Vectors by problem, from a user's own file: .npy with a file of ids, or parquet."""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from limr.core import files
from limr.core.errors import InputError
from limr.problems import own_numbers, row_files

Vectors = npt.NDArray[np.float32]
COLUMN = "embedding"
_MOST_VALUES = 1 << 29  # 2 GiB in memory


def read(path: str, ids: str | None) -> tuple[list[str], Vectors]:
    """Return the ids and their (n, dimensions) vectors, in 32 bits.

    A file that did not change is read once only, as a score may be computed a thousand times.

    Args:
        path: a two-dimensional .npy of numbers, without pickles; or parquet with `problem_id` (or
            `id`) and lists of one length in `embedding`.
        ids: the ids of the rows of a .npy, in order: a JSON list (.json), or one a line.

    Raises:
        InputError: no such file, not such a file, more or fewer ids than vectors, an id that is
            there twice, or a number that is not finite.
    """
    state: tuple[int, ...] = ()
    for name in (path, ids):
        if name is not None:
            if not Path(name).is_file():
                raise InputError(f"{name}: there is no such file.")
            found = Path(name).stat()
            state += (found.st_mtime_ns, found.st_size, found.st_ino)
    return _read(path, ids, state)


@lru_cache(maxsize=1)
def _read(path: str, ids: str | None, state: tuple[int, ...]) -> tuple[list[str], Vectors]:
    if Path(path).suffix == ".npy":
        if ids is None:
            raise InputError(f"{path}: a .npy has no ids: name a file of them, in `ids`.")
        names, vectors = _ids(Path(ids)), _npy(path)
    elif ids is not None:
        raise InputError(f"`ids` goes with a .npy; {path} has its own.")
    else:
        names, vectors = _parquet(Path(path))
    if len(names) != len(vectors):
        raise InputError(
            f"{path}: {len(vectors):,} vectors, and {len(names):,} ids in {ids}. Each vector needs "
            "its id, in the same order."
        )
    if len(set(names)) < len(names):
        [(twice, _)] = Counter(names).most_common(1)
        raise InputError(f"{ids or path}: '{twice}' is there twice. Keep one of them.")
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        name = names[int(np.argmin(finite))]
        raise InputError(f"{path}: the vector of '{name}' has a number that is not finite.")
    vectors.flags.writeable = False
    return names, vectors


def _npy(path: str) -> Vectors:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"{path}: not a readable .npy of numbers ({error}).") from None
    if not isinstance(found, np.ndarray) or found.ndim != 2 or found.dtype.kind not in "fiu":
        raise InputError(f"{path}: expected a two-dimensional .npy of numbers.")
    _check_size(path, found.size)
    with np.errstate(over="ignore"):  # what is too large for 32 bits is refused as not finite
        return np.array(found, np.float32)


def _check_size(path: object, values: int) -> None:
    if values > _MOST_VALUES:
        raise InputError(f"{path}: {values:,} numbers; at most {_MOST_VALUES:,} are taken.")


def _ids(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text) if path.suffix == ".json" else text.splitlines()
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not a readable list of ids ({error}).") from None
    if not isinstance(found, list):
        raise InputError(f"{path}: expected a JSON list of ids, or one id a line.")
    return [own_numbers.checked_id(value, f"{path}: entry {n}") for n, value in enumerate(found, 1)]


def _parquet(path: Path) -> tuple[list[str], Vectors]:
    columns = row_files.parquet_file(path).schema_arrow.names
    key = own_numbers.id_column(path, columns, COLUMN)
    table = files.read_columns(path, [key, COLUMN])
    lists = table[COLUMN].combine_chunks()
    kinds = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    if not any(is_kind(lists.type) for is_kind in kinds):
        raise InputError(f"{path}: '{COLUMN}' must hold lists of numbers, found {lists.type}.")
    lengths = pc.unique(pc.list_value_length(lists)).to_pylist()
    if len(lengths) != 1 or not lengths[0]:
        raise InputError(
            f"{path}: '{COLUMN}' must hold lists of one length, found the lengths {lengths[:5]}."
        )
    flat = pc.list_flatten(lists)
    _check_size(path, len(flat))
    try:
        values = flat.cast(pa.float32()).to_numpy(zero_copy_only=False)
    except pa.ArrowException as error:
        raise InputError(f"{path}: '{COLUMN}' must hold numbers ({error}).") from None
    names = [
        own_numbers.checked_id(value, f"{path}: row {n}")
        for n, value in enumerate(table[key].to_pylist(), 1)
    ]
    return names, np.array(values, np.float32).reshape(len(names), lengths[0])

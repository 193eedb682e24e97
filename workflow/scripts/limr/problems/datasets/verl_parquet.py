"""Problems in verl's layout: parquet with chat messages, a ground truth and `extra_info.index`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.core.validation import Keys, key
from limr.problems.datasets import _checks
from limr.problems.verl_prompts import prompt_texts, read_columns


class Options(Keys):
    """Keys of an entry of `datasets`."""

    suffix: str = key(
        "",
        "Instruction at the end of every prompt that is not part of the problem; it is taken off,"
        " and a prompt without it is refused.",
    )
    empty_answers: _checks.EmptyAnswers = "refuse"


def prepare(options: Mapping[str, Any], file: Path | None) -> tuple[list[Problem], list[str]]:
    """Read and check the file; ids are `extra_info.index`, answers `reward_model.ground_truth`.

    Where the index restarts in every `data_source`, ids are `data_source-index`. A file without an
    index is for the source `problems-file`, which makes ids from the texts.

    Raises:
        InputError: not such a file, a value missing, a prompt without the suffix, an index twice,
            or an empty answer unless `empty_answers` allows it.
    """
    path = _checks.needed(file, "verl-parquet")
    table = read_columns(path, ("prompt", "reward_model", "extra_info", "data_source"))
    texts = _without(prompt_texts(table, path), options["suffix"], path)
    sources = [str(source) for source in table["data_source"].to_pylist()]
    ids, notes = _ids(_field(table, "extra_info", "index", path), sources)
    answers = _field(table, "reward_model", "ground_truth", path)
    read = [
        Problem(key, text, str(answer), source)
        for text, key, answer, source in zip(texts, ids, answers, sources, strict=True)
    ]
    return _checks.finished(
        read, options["empty_answers"], path, lambda i: f"row {i + 1}", f"{len(read)} rows", *notes
    )


def _ids(indices: Sequence[Any], sources: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return ids, and a note where the index restarts in every source, so that it is no id."""
    plain = [str(index) for index in indices]
    by_source = [f"{source}-{index}" for source, index in zip(sources, plain, strict=True)]
    if len(set(plain)) == len(plain) or len(set(by_source)) < len(by_source):
        return plain, []
    note = "extra_info.index restarts in every data_source: the ids are `data_source-index`"
    return by_source, [note]


def _without(texts: list[str], suffix: str, path: Path) -> list[str]:
    for row, text in enumerate(texts, start=1):
        if not text.endswith(suffix):
            raise InputError(f"{path}: row {row}: its prompt does not end with {suffix!r}.")
    return [text.removesuffix(suffix).strip() for text in texts]


def _field(table: pa.Table, column: str, name: str, path: Path) -> list[Any]:
    values = table[column].combine_chunks()
    known = [field.name for field in values.type] if pa.types.is_struct(values.type) else []
    if name not in known:
        raise InputError(f"{path}: {column} has no '{name}'; found {known}.")
    found = values.field(name)
    if found.null_count:
        row = pc.index(pc.is_null(found), True).as_py()
        raise InputError(f"{path}: row {row + 1}: {column}.{name} is missing.")
    return list(found.to_pylist())

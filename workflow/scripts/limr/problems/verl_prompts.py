"""Parquet files of prompts in verl's layout: a list of chat messages, and `extra_info`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from limr.core import files
from limr.core.errors import InputError
from limr.problems.own_columns import prompt_text


def read_columns(path: Path, names: Sequence[str]) -> pa.Table:
    """Return some columns of a file, whatever they hold.

    Raises:
        InputError: missing, not parquet, cut short, empty, or without one of the columns.
    """
    table = files.read_columns(path, names)
    if not table.num_rows:
        raise InputError(f"{path}: no rows in it.")
    return table


def prompt_texts(table: pa.Table, path: Path) -> list[str]:
    """Return the text of each row's last user message; a prompt that is a plain text is itself.

    Raises:
        InputError: a prompt is missing, or holds no user message.
    """
    column = table["prompt"].combine_chunks()
    if column.null_count:
        row = pc.index(pc.is_null(column), True).as_py()
        raise InputError(f"{path}: row {row + 1}: prompt is missing.")
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return [str(text) for text in column.to_pylist()]
    texts = []
    for row, messages in enumerate(column.to_pylist(), start=1):
        text = prompt_text(messages)
        if text is None:
            raise InputError(f"{path}: row {row}: its prompt holds no message of role 'user'.")
        texts.append(text)
    return texts

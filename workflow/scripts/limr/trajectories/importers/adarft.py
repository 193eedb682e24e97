"""Offline pass rates by problem: parquet with `extra_info.difficulty`, as AdaRFT publishes them.

`difficulty` is 100 (1 - k / n) for k correct of n samples of one model (AdaRFT: Qwen2.5-Math-7B,
n = 128). This gives trajectories of a single epoch, for selectors that need pass rates only and for
comparing scores with them. Several files are read as one: they are overlapping samples of one table
without stable row numbers. So a prompt's rows with the same difficulty are one measurement, and
rows with different ones (a text that was measured twice) are pooled. Prompts are joined by text
(see `limr.trajectories.matching`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.core.validation import Keys, key
from limr.problems.verl_prompts import prompt_texts, read_columns
from limr.trajectories import published_rates
from limr.trajectories.curves import Ints
from limr.trajectories.findings import Findings
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "trajectories"
FILES = "*.parquet"


class Options(Keys):
    """Keys of an entry of `trajectories`."""

    samples: int = key(128, "Samples behind every pass rate.", ge=1)


_NEAR = 1e-4


def recognises(sample: Sample) -> bool:
    """Tell whether a file is a parquet table of prompts with a difficulty from 0 to 100."""
    difficulty = sample.value("extra_info.difficulty")
    return sample.file.kind == "parquet" and sample.has("prompt") and isinstance(difficulty, float)


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return pass rates as trajectories of one epoch.

    A prompt that is in no problem file is no error here: these files hold more than one data set.

    Raises:
        InputError: not such a file, a difficulty that is no 100 (1 - k / n), one index with two
            difficulties, or no prompt of any problem.
    """
    n = int(options["samples"])
    texts: list[str] = []
    correct: list[Ints] = []
    places: list[str] = []
    for path in paths:
        rows = read_columns(path, ("prompt", "extra_info"))
        correct.append(_n_correct(rows, n, path))
        texts += prompt_texts(rows, path)
        places += [f"{path}: row {row}" for row in range(1, rows.num_rows + 1)]
    samples = np.full(len(texts), n)
    prompts = [(text, None) for text in texts]
    n_correct = np.concatenate(correct).astype(np.int64)
    where = places.__getitem__
    return published_rates.imported(prompts, n_correct, samples, problems, where, Findings())


def _n_correct(table: pa.Table, n: int, path: Path) -> Ints:
    """Return (n_rows,) correct samples."""
    info = table["extra_info"].combine_chunks()
    names = [field.name for field in info.type] if pa.types.is_struct(info.type) else []
    if "difficulty" not in names:
        raise InputError(f"{path}: extra_info has no 'difficulty'; found {names}.")
    if info.field("difficulty").null_count:
        row = pc.index(pc.is_null(info.field("difficulty")), True).as_py()
        raise InputError(f"{path}: row {row + 1}: extra_info.difficulty is missing.")
    difficulty = info.field("difficulty").cast(pa.float64()).to_numpy(zero_copy_only=False)
    exact = n * (1.0 - difficulty / 100.0)
    whole = np.abs(exact - np.rint(exact)) <= _NEAR * n  # NaN is never near
    odd = ~(whole & (exact >= -_NEAR) & (exact <= n + _NEAR))
    if odd.any():
        row = int(np.argmax(odd))
        raise InputError(
            f"{path}: row {row + 1}: difficulty {difficulty[row]:g} is no 100 (1 - k / {n}). Give "
            "the number of samples behind the pass rates: `samples: N`."
        )
    return np.asarray(np.rint(exact), np.int64)

"""A run's rollouts for the report: verdicts per problem and epoch, and a few responses to read.

The file is read twice, first without texts and then for the few texts only, so that the texts of
1.4 million responses need the memory of one batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from limr.core import files, safe_text
from limr.core.errors import InputError
from limr.core.tables import ROLLOUTS

Json = dict[str, Any]
# All responses of a run are shown if they are no more; they take a tenth of it in the page.
ALL_ROWS, ALL_CHARACTERS = 60_000, 4_000_000
BATCH, ROOM = 4096, 64_000_000  # of texts in memory: rows, and about how many bytes
_PLAIN = ("problem_id", "step", "epoch", "sample", "verdict", "response_tokens", "truncated")


@dataclass(frozen=True)
class Rollouts:
    """What is shown of a run.

    Attributes:
        counts: one row per problem and epoch: problem_id, epoch, correct, incorrect, malformed.
        shown: problem_id -> responses in the order of training: epoch (from 0), step, sample,
            verdict, tokens, truncated, text.
        all: whether these are all responses of the run.
    """

    counts: pd.DataFrame
    shown: dict[str, list[Json]]
    all: bool = False


def read(path: Path | str, limit: int) -> Rollouts:
    """Read a run's rollouts: see `Rollouts`.

    All responses are shown where there are few and short ones (`ALL_ROWS`, `ALL_CHARACTERS`). Else
    each problem's first response is shown, and the first correct and the first other one of its
    last epoch.

    Args:
        path: `rollouts.parquet`.
        limit: characters of a text to keep; see `limr.core.safe_text.bounded`.

    Raises:
        InputError: not such a file.
    """
    frame = files.read_parquet(path, ROLLOUTS, _PLAIN).to_pandas()
    correct = (frame["verdict"] == "correct").to_numpy()
    whole = _is_small(Path(path), len(frame))
    rows = list(range(len(frame))) if whole else _picked(frame, correct)
    texts = dict(_texts(Path(path), rows, limit))
    shown: dict[str, list[Json]] = {}
    for place, row in zip(rows, frame.iloc[rows].to_dict("records"), strict=True):
        shown.setdefault(row["problem_id"], []).append(
            {
                "epoch": int(row["epoch"]),
                "step": int(row["step"]),
                "sample": int(row["sample"]),
                "verdict": str(row["verdict"]),
                "tokens": int(row["response_tokens"]),
                "truncated": bool(row["truncated"]),
                "text": texts[int(place)],
            }
        )
    return Rollouts(_counts(frame), shown, whole)


def _is_small(path: Path, rows: int) -> bool:
    """Return whether all texts of a file together are short enough for a page."""
    if rows > ALL_ROWS:
        return False
    characters = 0
    for texts in _batches(path):
        characters += int(pc.sum(pc.utf8_length(texts.cast(pa.string()))).as_py() or 0)
        if characters > ALL_CHARACTERS:
            return False
    return True


def _counts(frame: pd.DataFrame) -> pd.DataFrame:
    keys = [frame["problem_id"], frame["epoch"]]
    flags = {
        verdict: (frame["verdict"] == verdict).groupby(keys, sort=True).sum()
        for verdict in ("correct", "incorrect", "malformed")
    }
    return pd.DataFrame(flags).reset_index()


def _picked(frame: pd.DataFrame, correct: npt.NDArray[np.bool_]) -> list[int]:
    """Return the places of the rows to show, in the file's order."""
    by_problem = frame.groupby("problem_id", sort=False)
    first = by_problem.head(1).index
    last = frame["epoch"] == by_problem["epoch"].transform("max")
    right = frame[last & correct].groupby("problem_id", sort=False).head(1).index
    other = frame[last & ~correct].groupby("problem_id", sort=False).head(1).index
    return sorted({int(place) for found in (first, right, other) for place in found})


def _texts(path: Path, rows: Sequence[int], limit: int) -> Iterator[tuple[int, str]]:
    """Yield (row, bounded text) of some rows, which are sorted."""
    start, wanted = 0, np.asarray(rows)
    for texts in _batches(path):
        found = wanted[(wanted >= start) & (wanted < start + len(texts))]
        for row in found:
            yield int(row), safe_text.bounded(texts[int(row) - start].as_py() or "", limit)
        start += len(texts)


def _batches(path: Path) -> Iterator[pa.Array]:
    """Yield the texts in the file's order: fewer at a time where they are long.

    Equal texts are kept once (`read_dictionary`), so that a file that repeats one long text a
    million times does not grow in memory.
    """
    try:
        file = pq.ParquetFile(path, read_dictionary=["response"])
        names = [file.schema.column(k).path for k in range(file.metadata.num_columns)]
        place = names.index("response")
        groups = [file.metadata.row_group(k) for k in range(file.metadata.num_row_groups)]
        size = sum(group.column(place).total_uncompressed_size for group in groups)
        rows = max(1, min(BATCH, ROOM * max(1, file.metadata.num_rows) // max(1, size)))
        for batch in file.iter_batches(rows, columns=["response"]):
            yield batch.column(0)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: its responses cannot be read ({error}).") from None

"""Accuracies by problem and epoch in one JSON object: {id: [accuracy of each epoch, …]}.

One-Shot RLVR publishes its learning curves so. Lists may differ in length, as that log has nothing
for an epoch in which the loader dropped a problem: then a position in a list is not its epoch, and
`ragged` says what to do. An accuracy is k of n samples; n is given (`samples`) or is the smallest
number of which all accuracies are whole parts. There are no rewards: `mean_reward` is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pyarrow as pa

from limr.core.arrow import find, strings
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.core.validation import Keys, key
from limr.trajectories import json_rows, pass_counts, reading
from limr.trajectories.counts import Counts
from limr.trajectories.curves import Floats
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "trajectories"
FILES = None


class Options(Keys):
    """Keys of an entry of `trajectories`."""

    ragged: Literal["truncate", "refuse"] = key(
        "truncate",
        "What to do with lists of different lengths, whose positions are not epochs: cut all to "
        "the shortest (as One-Shot RLVR does), or refuse them.",
    )
    samples: int | None = key(
        None,
        "Samples per problem and epoch; null: the smallest number, up to 256, of which every "
        "accuracy is a whole part.",
        ge=1,
    )
    bad_rows: reading.BadRows = "refuse"


_DECODER = msgspec.json.Decoder(dict[str, list[float]])


def recognises(sample: Sample) -> bool:
    """Tell whether a file is one object of lists of numbers."""
    lists = sample.document
    if not isinstance(lists, Mapping) or not lists:
        return False
    return all(map(_is_list_of_numbers, lists.values()))


def _is_list_of_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(type(v) in (int, float) for v in value)


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of a file of accuracies.

    Raises:
        InputError: not such a file, a key twice or of no problem, an accuracy outside [0, 1] or
            that is no k of n, an empty list, or lists of different lengths with `ragged: refuse`.
    """
    path = reading.one(paths)
    lists: dict[str, list[float]] = json_rows.decode(path, json_rows.document(path), _DECODER)
    if not lists:
        raise InputError(f"{path}: no problems in it.")
    empty = [key for key, values in lists.items() if not values]
    if empty:
        raise InputError(f"{path}: key '{empty[0]}': an empty list ({len(empty)} such in all).")
    lengths = np.array([len(values) for values in lists.values()])
    notes = _ragged(path, lengths, options["ragged"])
    keys = strings(list(lists))
    accuracy = np.array([values[: lengths.min()] for values in lists.values()], np.float64)
    n, note = _samples(path, keys, accuracy, options["samples"])
    ids = reading.ids_of(problems)
    ids = keys if ids is None else ids
    number = find(keys, ids)
    refusals = reading.Refusals(options["bad_rows"])
    unknown = number < 0
    if unknown.any():
        first = f"{path}: key '{keys[int(np.argmax(unknown))]}'"
        refusals.add("its key is in no problem file", int(unknown.sum()), first)
    counts = Counts()
    problem, epoch = np.nonzero(np.broadcast_to(~unknown[:, None], accuracy.shape))
    n_correct = np.rint(accuracy * n).astype(np.int64)[problem, epoch]
    samples = np.full(len(problem), n)
    counts.add(number[problem], epoch, samples, n_correct, np.full(len(problem), np.nan))
    table = counts.table(ids)
    notes = [*notes, note, *reading.coverage(table, len(ids))]
    joined = int((~unknown).sum())
    return Imported(ids, table, len(lists), joined, refusals.refused, notes)


def _ragged(path: Path, lengths: Any, rule: str) -> list[str]:
    """Return a note where lists differ in length, and are cut to the shortest."""
    shortest, longest = int(lengths.min()), int(lengths.max())
    if shortest == longest:
        return []
    what = (
        f"the lists hold {shortest} to {longest} epochs: an epoch in which a problem was dropped "
        "left no mark, so that a list's position is not its epoch"
    )
    if rule == "refuse":
        raise InputError(
            f"{path}: {what}. `ragged: truncate` cuts all lists to the first {shortest}, taking "
            "position for epoch."
        )
    cut = int((lengths - shortest).sum())
    return [
        f"{what}. `ragged: truncate`: all are cut to the shortest, {shortest}, and position is "
        f"taken for epoch ({cut:,} of {int(lengths.sum()):,} values are not used)."
    ]


def _samples(path: Path, keys: pa.Array, accuracy: Floats, given: int | None) -> tuple[int, str]:
    """Return the number of samples behind every accuracy, and a note."""
    outside = ~((accuracy >= 0) & (accuracy <= 1))
    if outside.any():
        row, epoch = np.argwhere(outside)[0]
        raise InputError(
            f"{path}: key '{keys[int(row)]}', epoch {epoch + 1}: accuracy {accuracy[row, epoch]:g} "
            f"lies outside 0 to 1 ({int(outside.sum())} such in all)."
        )
    n = given or pass_counts.smallest_samples(accuracy)
    most = pass_counts.MOST_SAMPLES
    far = pass_counts.off(accuracy, n or most)
    if n and not far.any():
        how = "as given" if given else "the smallest number of which all are whole parts"
        return n, f"every accuracy is taken for k of {n} samples ({how})."
    row, epoch = np.unravel_index(int(np.argmax(far)), far.shape)
    raise InputError(
        f"{path}: key '{keys[int(row)]}', epoch {epoch + 1}: accuracy {accuracy[row, epoch]:.6g} "
        + (f"is no k of {n}" if n else f"is no k of an n up to {most} that fits all")
        + ". Give the number of samples an epoch: `samples: N`."
    )

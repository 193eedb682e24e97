"""Responses of the base policy to the problems, before any training: offline pass rates.

In a study the responses are drawn for the source itself (rule `sample_base`): `samples` per
problem, judged by the study's grader. They make a table of trajectories with a single epoch, for
selectors that need pass rates only. No arm has to be trained first: that is what this costs less.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from limr.core import files
from limr.core.errors import InputError
from limr.core.tables import EVALUATIONS, Problem
from limr.core.validation import Keys, Number, key
from limr.trajectories import pass_rates, reading
from limr.trajectories.reading import Imported

PROVIDES = "trajectories"
FILES = None
SAMPLES_BASE = True  # the study makes the file: no arm, path or pinned file is named
DECODING = "base"  # name of the one decoding


class Options(Keys):
    """Keys of an entry of `trajectories`."""

    samples: int = key(16, "Responses per problem.", ge=1)
    temperature: Number = key(1.0, "Sampling temperature.", gt=0)
    top_p: Number = key(1.0, "Nucleus.", gt=0, le=1)
    max_tokens: int = key(3072, "Longest response, including the end token.", ge=2)
    draw: int = key(0, "Seed of the responses.", ge=0)


def decoding(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the responses are drawn, as a benchmark's decoding."""
    asked = {key: options[key] for key in ("samples", "temperature", "top_p", "max_tokens")}
    return {"name": DECODING, **asked}


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return pass rates as trajectories of one epoch.

    Raises:
        InputError: not such a file, a missing id or verdict, a (problem, sample) that occurs twice,
            or a problem that is not in `problems`.
    """
    path = reading.one(paths)
    table = files.read_parquet(path, EVALUATIONS).combine_chunks()
    if table.num_rows == 0:
        raise InputError(f"{path}: no rows in it.")
    return pass_rates.as_epoch(table, ("problem_id", "decoding", "sample"), problems, path)

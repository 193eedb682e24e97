"""External: scores that were made anywhere else, from a file of {id: score}.

s_i is the number that the file has for problem i, higher is better. Any method that needs
gradients, hidden states or another model comes in by this door (LearnAlign, GAIN-RL, CROPI, ...).
The file is a JSON object {id: score}, or rows with `problem_id` (or `id`) and the column of the
scores, as csv, JSON lines or parquet. A problem that the file lacks, or has without a number, has
no score; ids that are no problem's are counted and said; an id that is there twice, a score that
is no finite number, and a file that has no problem's id are refused. Samples do not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from limr.core.errors import InputError
from limr.core.validation import Keys, key
from limr.problems import own_numbers
from limr.scores.scoring import ProblemSet, Scores
from limr.trajectories import curves as tr

TITLE = "Scores of your own"
NEEDS_TRAJECTORIES = False
SEEDED = False
OWN_FILES = ("file",)  # options that name a file of the user's own
NOT_IN_FILE = "no score in the file"
NO_NUMBER = "the file has its id without a score"


class Options(Keys):
    """Keys of an entry of `scores`."""

    file: str | None = key(None, "The file of scores; it must be given.")
    score_column: str = key("score", "The column of the scores, where the file has columns.")


def check(options: Mapping[str, Any]) -> None:
    """Refuse options without a file.

    Raises:
        InputError: there is none.
    """
    if options["file"] is None:
        raise InputError("selector 'external' needs `file`: a file of {id: score}.")


def score(
    problems: ProblemSet,
    samples: tr.Samples | None,
    options: Mapping[str, Any],
    rng: np.random.Generator,
) -> Scores:
    """Return the file's score of every problem; NaN with a reason where it has none.

    Raises:
        InputError: no file, or see `limr.problems.own_numbers`.
    """
    check(options)
    numbers = own_numbers.read(options["file"], options["score_column"])
    values, notes = own_numbers.aligned(numbers, problems.problem_ids, options["file"])
    known = np.array([name in numbers for name in problems.problem_ids], bool)
    return Scores(values, {NOT_IN_FILE: ~known, NO_NUMBER: known & np.isnan(values)}, notes)

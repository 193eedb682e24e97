"""Pass rates that somebody published, joined to problems by text: trajectories of one epoch.

A prompt's rows with the same counts are one measurement (published files overlap); rows with other
counts are pooled with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from limr.core.arrow import strings
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.trajectories import matching, reading
from limr.trajectories.counts import Counts
from limr.trajectories.curves import Ints
from limr.trajectories.findings import Findings
from limr.trajectories.matching import Prompt
from limr.trajectories.reading import Imported


def imported(
    prompts: Sequence[Prompt],
    n_correct: Ints,
    n: Ints,
    problems: Sequence[Problem] | None,
    where: Callable[[int], str],
    found: Findings,
) -> Imported:
    """Return counts as trajectories of one epoch.

    A prompt that is in no problem file is no error: such files hold more than one data set.

    Args:
        prompts: (n_rows,) texts and gold answers.
        n_correct: (n_rows,) correct samples.
        n: (n_rows,) samples; 0: not measured.
        problems: the problems; None: every text is one.
        where: row -> where it is.
        found: takes what is noticed.

    Raises:
        InputError: too many different texts, or no row that belongs to any problem.
    """
    places = {prompt: place for place, prompt in enumerate(dict.fromkeys(prompts))}
    if len(places) > matching.MOST_MADE:
        raise InputError(f"{where(0)}: more than {matching.MOST_MADE:,} distinct prompts.")
    of_row = np.array([places[prompt] for prompt in prompts], np.int64)
    texts: list[str] = []
    if problems is None:
        names, texts, of_prompt = matching.made(list(places), found)
        ids = strings(names)
    else:
        ids = strings([problem.problem_id for problem in problems])
        of_prompt, _ = matching.to_problems(list(places), problems, found)
    problem = of_prompt[of_row]
    refusals = reading.Refusals("leave-out")
    unknown = problem < 0
    if unknown.any():
        refusals.add(reading.UNKNOWN_PROMPT, int(unknown.sum()), where(int(np.argmax(unknown))))
    rows = ~unknown & (n > 0)
    measured = np.unique(np.stack([problem[rows], n[rows], n_correct[rows]]), axis=1)
    repeats = int(rows.sum()) - measured.shape[1]
    if repeats:
        found.add(
            "repeated-measurements",
            f"{repeats:,} rows repeat a measurement of an earlier row.",
            count=repeats,
        )
    counts = Counts()
    nothing = np.zeros(measured.shape[1], np.int64)
    counts.add(measured[0], nothing, measured[1], measured[2], nothing + np.nan)
    table = counts.table(ids)
    notes = reading.coverage(table, len(ids))
    return Imported(
        ids, table, len(prompts), int(rows.sum()), refusals.refused, notes, texts, tuple(found)
    )

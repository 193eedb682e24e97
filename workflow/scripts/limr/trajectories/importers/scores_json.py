"""The paper's published scores: a JSON list of {prompt, score}, without ids.

No id was published, so these rows are joined to problems by text: the one exception to 'join on
ids'. A prompt is joined by its exact text first; what is left, by its text with every run of white
space made one blank. Where the same text has several ids, the single published score goes
to the first of them in the problems' order, and the others are not scorable: giving it to all would
count one published curve twice.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from limr.core import files
from limr.core.arrow import strings
from limr.core.errors import InputError
from limr.core.tables import SCORES, Problem
from limr.trajectories import reading
from limr.trajectories.prompt_index import one_blank
from limr.trajectories.reading import Imported

PROVIDES = "scores"
FILES = None

UNPUBLISHED = "no published score"

Rows = list[tuple[str, float]]


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return one row a problem with its published score, NaN and a reason where none is.

    Args:
        paths: the one file.
        problems: the problems, which give the ids.
        options: none.

    Raises:
        InputError: no problems, not a list of {prompt: text, score: finite number}, the same prompt
            with two scores, or no row that belongs to any problem.
    """
    path = reading.one(paths)
    if problems is None:
        raise InputError(f"{path}: the problems are needed: published scores have no ids.")
    everything = _rows(path)
    rows, notes = _distinct(everything, path)
    found: dict[str, float] = {}
    reasons: dict[str, str] = {}
    left = _join(rows, problems, str, found, reasons)
    left = _join(left, problems, one_blank, found, reasons)
    if not found:
        raise InputError(
            f"{path}: none of its {len(rows)} prompts is the text of a problem. "
            "Are these the scores of another data set?"
        )
    refusals = reading.Refusals("leave-out")
    if left:
        refusals.add(reading.UNKNOWN_PROMPT, len(left), f"prompt {left[0][0][:80]!r}")
    notes.extend(f"{key}: {reason}." for key, reason in reasons.items())
    notes.append(
        f"{len(found)} of {len(problems)} problems have a published score (joined by text)."
    )
    ids = [problem.problem_id for problem in problems]
    table = pa.table(
        {
            "problem_id": ids,
            "score": [found.get(key, math.nan) for key in ids],
            "reason": ["" if key in found else reasons.get(key, UNPUBLISHED) for key in ids],
        },
        schema=SCORES,
    )
    joined = len(everything) - len(left)
    return Imported(strings(ids), table, len(everything), joined, refusals.refused, notes)


def _rows(path: Path) -> Rows:
    value = files.read_json(path)
    if not isinstance(value, list) or not value:
        raise InputError(f"{path}: expected a list of {{prompt, score}}, and at least one.")
    rows: Rows = []
    for number, row in enumerate(value, start=1):
        prompt = row.get("prompt") if isinstance(row, dict) else None
        score = row.get("score") if isinstance(row, dict) else None
        if not isinstance(prompt, str) or not prompt.strip():
            raise InputError(f"{path}: entry {number}: 'prompt' must be a text, found {prompt!r}.")
        if isinstance(score, bool) or not isinstance(score, (int, float)) or not abs(score) < 1e300:
            raise InputError(
                f"{path}: entry {number}: 'score' must be a finite number, found {score!r}."
            )
        rows.append((prompt, float(score)))
    return rows


def _distinct(rows: Rows, path: Path) -> tuple[Rows, list[str]]:
    """Drop rows that repeat a prompt with the same score."""
    scores: dict[str, float] = {}
    for number, (prompt, score) in enumerate(rows, start=1):
        if scores.setdefault(prompt, score) != score:
            raise InputError(
                f"{path}: entry {number}: the prompt {prompt[:80]!r} occurs twice, with the scores "
                f"{scores[prompt]} and {score}. Keep one of them."
            )
    repeats = len(rows) - len(scores)
    notes = [f"{repeats} of {len(rows)} rows repeat a prompt and its score."] if repeats else []
    return list(scores.items()), notes


def _join(
    rows: Rows,
    problems: Sequence[Problem],
    normalise: Callable[[str], str],
    found: dict[str, float],
    reasons: dict[str, str],
) -> Rows:
    """Add scores to `found`, why a namesake got none to `reasons`; return the rows left over."""
    ids: dict[str, list[str]] = defaultdict(list)
    for problem in problems:
        if problem.problem_id not in found and problem.problem_id not in reasons:
            ids[normalise(problem.prompt)].append(problem.problem_id)
    left: Rows = []
    for prompt, score in rows:
        match = ids.pop(normalise(prompt), [])
        if not match:
            left.append((prompt, score))
            continue
        found[match[0]] = score
        for other in match[1:]:
            reasons[other] = f"its text is that of {match[0]}, which has the one published score"
    return left

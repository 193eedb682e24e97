"""The paper's published scores: a JSON list of {prompt, score}, without ids.

No id was published, so these rows are joined to problems by text: the one exception to 'join on
ids'. A prompt is joined by its exact text first; what is left, by its text with every run of white
space replaced by one blank. Where the same text has several ids, the single published score goes to
the first of them in the problems' order, and the others are not scorable: giving it to all would
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
from limr.problems.normalised_text import one_blank
from limr.trajectories import reading
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "scores"
FILES = None

UNPUBLISHED = "no published score"


def recognises(sample: Sample) -> bool:
    """Tell whether a file is a JSON list of prompts, each with its score and nothing else."""
    if sample.file.kind != "json" or sample.names != {"prompt", "score"}:
        return False
    prompts = [row.get("prompt") for row in sample.rows]
    return all(isinstance(p, str) for p in prompts) and len(set(prompts)) == len(prompts)


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return one row per problem with its published score, NaN and a reason where none is.

    Raises:
        InputError: no problems, not a list of {prompt: text, score: finite number}, the same prompt
            with two scores, or no row that belongs to any problem.
    """
    path = reading.one(paths)
    if problems is None:
        raise InputError(f"{path}: the problems are needed: published scores have no ids.")
    scores, n_rows = _scores(path)
    found: dict[str, float] = {}
    reasons: dict[str, str] = {}
    left = _join(scores, problems, str, found, reasons)
    left = _join(left, problems, one_blank, found, reasons)
    if not found:
        raise InputError(
            f"{path}: none of its {len(scores)} prompts is the text of a problem. "
            "Are these the scores of another data set?"
        )
    refusals = reading.Refusals("leave-out")
    if left:
        refusals.add(reading.UNKNOWN_PROMPT, len(left), f"prompt {next(iter(left))[:80]!r}")
    notes = [f"{key}: {reason}." for key, reason in reasons.items()]
    repeats = n_rows - len(scores)
    if repeats:
        notes.insert(0, f"{repeats} of {n_rows} rows repeat a prompt and its score.")
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
    return Imported(strings(ids), table, n_rows, n_rows - len(left), refusals.refused, notes)


def _scores(path: Path) -> tuple[dict[str, float], int]:
    """Return prompt -> score, and the number of rows, of which some may repeat another."""
    rows = files.read_json(path)
    if not isinstance(rows, list) or not rows:
        raise InputError(f"{path}: expected a list of {{prompt, score}}, and at least one.")
    scores: dict[str, float] = {}
    for number, row in enumerate(rows, start=1):
        where = f"{path}: entry {number}"
        entry: dict[str, Any] = row if isinstance(row, dict) else {}
        prompt, score = entry.get("prompt"), entry.get("score")
        if not isinstance(prompt, str) or not prompt.strip():
            raise InputError(f"{where}: 'prompt' must be a text, found {prompt!r}.")
        if isinstance(score, bool) or not isinstance(score, (int, float)) or not abs(score) < 1e300:
            raise InputError(f"{where}: 'score' must be a finite number, found {score!r}.")
        if scores.setdefault(prompt, float(score)) != score:
            raise InputError(
                f"{where}: the prompt {prompt[:80]!r} occurs twice, with the scores "
                f"{scores[prompt]} and {float(score)}. Keep one of them."
            )
    return scores, len(rows)


def _join(
    scores: Mapping[str, float],
    problems: Sequence[Problem],
    normalise: Callable[[str], str],
    found: dict[str, float],
    reasons: dict[str, str],
) -> dict[str, float]:
    """Add scores to `found`, why a namesake got none to `reasons`; return the scores left over."""
    ids: dict[str, list[str]] = defaultdict(list)
    for problem in problems:
        if problem.problem_id not in found and problem.problem_id not in reasons:
            ids[normalise(problem.prompt)].append(problem.problem_id)
    left: dict[str, float] = {}
    for prompt, score in scores.items():
        first, *others = ids.pop(normalise(prompt), [""])
        if first:
            found[first] = score
            why = f"its text is that of {first}, which has the one published score"
            reasons |= dict.fromkeys(others, why)
        else:
            left[prompt] = score
    return left

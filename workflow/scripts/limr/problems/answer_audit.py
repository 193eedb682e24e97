r"""An audit of gold answers: which of them could no response, or only some, be rewarded for?

The study's grader grades every gold answer in its own box, as it is and harmlessly rewritten; what
the published reward reads of it is checked too (see `limr.grading.paper`). Where one text has
several ids, the answers are compared. What is found, one row per problem and finding:

empty         there is no answer
none          the answer is the text `None`, as a failed extraction leaves it
dead          no response can be rewarded for the right answer: it is empty, `None`, or refused by
              the study's grader although boxed as it is
rigid         the study's grader refuses a harmless rewriting of it; the detail has which
unread        the algebra system cannot read it: where the exact comparison does not help, only the
              same spelling is equal to it
paper-dead    the published reward reads nothing of it: no response was ever rewarded
paper-lossy   the published reward reads a fragment, which decided
conflict      the same problem has another answer under another id
duplicate     the same problem has an equal answer under another id
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib.metadata import version
from typing import Any

import pyarrow as pa

from limr.core import progress
from limr.core.arrow import strings
from limr.core.job_log import note
from limr.core.tables import AUDITS, Problem
from limr.grading import paper
from limr.grading.grade import GRADER_VERSION
from limr.grading.pool import GradingPool
from limr.grading.screen import Item
from limr.problems.normalised_text import normal_text

FINDINGS = ("empty", "none", "dead", "rigid", "unread", "paper-dead", "paper-lossy")
DUPLICATES = ("conflict", "duplicate")
_EVERY = 1000  # answers between two lines in the log
_TRIES = 5  # readings of one answer on a busy machine
_MISSING = ("", "None")
_FRACTION = re.compile(r"\\frac(?![a-zA-Z])")
_UNIT = re.compile(r"(?<=[\d}])\s*\\(?:text|mbox|mathrm)\s*\{[^{}]*\}\s*$")
Finding = tuple[str, str]
Accepts = Callable[[str, str], bool]
AcceptsFor = Callable[[str, str, str], bool]  # gold answer, answer, prompt


def audit(
    problems: Sequence[Problem], settings: Mapping[str, Any]
) -> tuple[pa.Table, dict[str, Any]]:
    """Audit the gold answers of a problem set.

    Args:
        problems: the problems.
        settings: the study's `grader`.

    Returns:
        `limr.core.tables.AUDITS`, one row a finding, in the problems' order; and the counts.
    """
    form = "\\boxed{{{}}}" if settings.get("answer", "box") == "box" else "{}"
    with GradingPool(settings) as pool:  # gold answers are as little to be trusted as responses

        def item(gold: str, answer: str, prompt: str) -> Item:
            return (gold, form.format(answer), False, prompt)

        def accepts(gold: str, answer: str, prompt: str) -> bool:
            [grade] = pool.grade_many([item(gold, answer, prompt)])
            return grade.verdict == "correct"

        asked = dict.fromkeys(
            (p.answer, p.prompt if settings.get("plugin") else "") for p in problems
        )
        # All at once, so that the workers share them; `accepts` then finds them judged.
        pool.grade_many(
            [
                item(gold, text, prompt)
                for gold, prompt in asked
                for text in (gold, *dict(rewritings(gold.strip())).values())
            ]
        )
        rows = _rows(problems, accepts, bool(settings.get("plugin")))
    columns = [strings([row[column] for row in rows]) for column in range(len(AUDITS))]
    counted = Counter(row[2] for row in rows)
    return pa.table(columns, schema=AUDITS), {
        "n_problems": len(problems),
        "n_with_findings": len({row[0] for row in rows}),
        "findings": {name: counted[name] for name in (*FINDINGS, *DUPLICATES)},
        "grader": dict(settings),
        "grader_version": GRADER_VERSION,
        "math_verify": version("math-verify"),
    }


def _rows(
    problems: Sequence[Problem], accepts: AcceptsFor, prompts_count: bool
) -> list[tuple[str, ...]]:
    golds = list(dict.fromkeys(problem.answer for problem in problems))
    read: dict[str, list[Finding]] = {}
    for gold, found in zip(golds, progress.mapped(_published, golds, "answers"), strict=True):
        read[gold] = found
        if len(read) % _EVERY == 0 or len(read) == len(golds):
            note(f"{len(read)} of {len(golds)} different answers")
    seen: dict[tuple[str, str], list[Finding]] = {}
    doubled = _duplicates(problems, accepts)
    rows: list[tuple[str, ...]] = []
    for problem in problems:
        key = (problem.answer, problem.prompt if prompts_count else "")
        if key not in seen:
            gold, prompt = key
            accepted = partial(_accepted, accepts, prompt)
            seen[key] = [*judged(gold, accepted), *read[gold]]
        found = seen[key] + doubled.get(problem.problem_id, [])
        rows += [(problem.problem_id, problem.answer, *finding) for finding in found]
    return rows


def _accepted(accepts: AcceptsFor, prompt: str, gold: str, answer: str) -> bool:
    return accepts(gold, answer, prompt)


def _published(gold: str) -> list[Finding]:
    """Return what the published reward reads of an answer; whether a machine is busy decides not.

    A reading that took its time by the clock, and not by the processor, is done again.
    """
    for _ in range(_TRIES):
        clock, processor = time.monotonic(), time.process_time()
        found = list(published(gold))
        used = time.process_time() - processor
        if time.monotonic() - clock < paper.SECONDS or used >= paper.SECONDS:
            break
        paper.forget()
    return found


def findings(gold: str, accepts: Accepts) -> Iterator[Finding]:
    """Yield (finding, detail) of one gold answer.

    Args:
        gold: as the data set writes it.
        accepts: (gold, answer) -> whether the study's grader takes a box with that answer.
    """
    yield from judged(gold, accepts)
    yield from published(gold)


def judged(gold: str, accepts: Accepts) -> Iterator[Finding]:
    """Yield what the study's grader makes of a gold answer; see `findings`."""
    bare = gold.strip()
    if bare in _MISSING:
        yield ("none" if bare else "empty"), ""
        yield "dead", "there is no answer"
    elif not accepts(gold, gold):
        yield "dead", "refused in its own box"
    else:
        refused = [name for name, text in rewritings(bare) if not accepts(gold, text)]
        if refused:
            yield "rigid", ", ".join(refused)


def published(gold: str) -> Iterator[Finding]:
    """Yield what math-verify and the published reward read of a gold answer; see `findings`."""
    bare = gold.strip()
    if bare and bare not in _MISSING and paper.is_unread(gold):
        yield "unread", ""
    if paper.is_dead(gold):
        yield "paper-dead", ""
    elif paper.is_lossy(gold):
        yield "paper-lossy", f"read as {paper.reading(gold)}"


def rewritings(gold: str) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of rewritings of an answer that do not change its meaning."""
    yield "in dollar signs", f"${gold}$"
    yield "with a full stop", f"{gold}."
    if _FRACTION.search(gold):
        yield "with dfrac", _FRACTION.sub(r"\\dfrac", gold)
    without = _UNIT.sub("", gold)
    if without != gold:
        yield "without its unit", without


def _duplicates(problems: Sequence[Problem], accepts: AcceptsFor) -> dict[str, list[Finding]]:
    groups: dict[str, list[Problem]] = {}
    for problem in problems:
        groups.setdefault(normal_text(problem.prompt), []).append(problem)
    found: dict[str, list[Finding]] = {}
    for group in (group for group in groups.values() if len(group) > 1):
        for problem in group:
            others = [other for other in group if other is not problem]
            equal = all(_equal(problem, other, accepts) for other in others)
            detail = ", ".join(f"{other.problem_id}: {other.answer}" for other in others)
            found[problem.problem_id] = [("duplicate" if equal else "conflict", detail)]
    return found


def _equal(one: Problem, other: Problem, accepts: AcceptsFor) -> bool:
    first, second = one.answer, other.answer
    return (
        first == second
        or accepts(first, second, one.prompt)
        or accepts(second, first, other.prompt)
    )

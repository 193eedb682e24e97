"""The audit of a log: what in it is not as it should be, each with the rows that show it.

Nothing is claimed that the log cannot show; `not-checked` says what that was, and why. docs/logs.md
explains every finding. Thresholds are such that a clean log hardly ever raises an alarm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from limr.core.tables import Problem
from limr.look import answers, gold_audit, length_audit, loader_audit, reward_audit, size_audit
from limr.look.judge import Judge
from limr.trajectories.findings import Finding, Findings, Kind
from limr.trajectories.reading import Imported
from limr.trajectories.rollout_rows import Rollouts

GRADE_MOST = 5_000  # rollouts that are graded once more


@dataclass(frozen=True)
class Audit:
    """What was found.

    Attributes:
        findings: at most one of each code.
        evidence: code of a finding, or of one of the reader's -> the rows that show it.
    """

    findings: tuple[Finding, ...]
    evidence: Mapping[str, pd.DataFrame]


@dataclass
class Report:
    """Takes what the parts of the audit find.

    Attributes:
        found: the findings.
        evidence: see `Audit`.
        unchecked: (what was not checked, why).
    """

    found: Findings = field(default_factory=Findings)
    evidence: dict[str, pd.DataFrame] = field(default_factory=dict)
    unchecked: list[tuple[str, str]] = field(default_factory=list)

    def add(
        self,
        code: str,
        text: str,
        kind: Kind = "info",
        count: int | None = None,
        rows: pd.DataFrame | None = None,
        where: str = "",
    ) -> None:
        """Add a finding and the rows that show it."""
        self.found.add(code, text, kind, count, where)
        if rows is not None:
            self.evidence[code] = rows.reset_index(drop=True)

    def not_checked(self, what: str, why: str) -> None:
        """Note that something could not be checked."""
        self.unchecked.append((what, why))


def check(
    imported: Imported, problems: Sequence[Problem] | None, *, grade_most: int = GRADE_MOST
) -> Audit:
    """Audit a log.

    Args:
        imported: the log as it was read.
        problems: those it was read with; their answers are the gold answers where the log has none.
        grade_most: how many rollouts are graded once more at most; an even sample of those that
            were rewarded and those that were not.

    Raises:
        InputError: a file of the log cannot be read any more, or no grading worker starts.
    """
    report = Report()
    codes = {finding.code for finding in imported.findings}
    ids = imported.problem_ids.to_pylist()
    never = np.flatnonzero((imported.samples.n == 0).all(axis=1))
    if problems is not None and len(never):  # the reader's finding
        report.evidence["never-logged"] = pd.DataFrame({"problem_id": [ids[at] for at in never]})
    size_audit.check(imported.samples, ids, codes, report)
    if imported.rollouts is None:
        report.not_checked("passes, truncation, gold answers, reward", "the log has counts only")
    else:
        loader_audit.check(imported.rollouts, ids, codes, report)
        _texts(imported.rollouts, ids, problems, grade_most, report)
    if report.unchecked:
        report.add(
            "not-checked",
            f"not checked: {'; '.join(f'{what} ({why})' for what, why in report.unchecked)}.",
            count=len(report.unchecked),
            rows=pd.DataFrame(report.unchecked, columns=["what", "why"]),
        )
    return Audit(tuple(report.found), report.evidence)


def _texts(
    rollouts: Rollouts,
    ids: Sequence[str],
    problems: Sequence[Problem] | None,
    grade_most: int,
    report: Report,
) -> None:
    """Check what needs the responses, which are read once."""
    if "response" not in rollouts.taken:
        length_audit.check(rollouts, None, report)
        report.not_checked("gold answers and reward", "the log has no responses")
        return
    found = answers.read(rollouts, None if problems is None else [p.answer for p in problems],
                         grade_most)  # fmt: skip
    cut = length_audit.check(rollouts, found, report)
    if not (found.gold >= 0).any():
        report.not_checked("gold answers and reward", "no gold answers: name the data file")
        return
    with Judge() as judge:
        usable = gold_audit.unusable(found, ids, judge, report)
        if not (found.answer >= 0).any():
            report.not_checked("gold answers and reward", "no response has an answer in a box")
            return
        gold_audit.check(found, usable, ids, judge, report)
        reward_audit.check(rollouts, found, usable & ~cut, ids, judge, report)
        if judge.given_up:
            report.not_checked("some of the answers", "grading them takes too long")

"""Dead problems in a selection: those whose gold answer the study's grader cannot reward.

They are found by an audit (`limr.problems.answer_audit`); here they are only counted and left out,
so that a study without audits does not depend on the grader for its selections.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

LEFT_OUT = "this grader can reward no answer to it"


# What `dead_problems` leaves out -> the finding of the audit; `keep` counts as `exclude` does.
_FINDINGS = {"keep": "dead", "exclude": "dead", "exclude-paper": "paper-dead"}


def ids(table: pa.Table, rule: str = "exclude") -> set[str]:
    """Return the problems of an audit that cannot be rewarded.

    Args:
        table: `limr.core.tables.AUDITS`.
        rule: the arm's `dead_problems`.
    """
    rows = table.to_pylist()
    return {row["problem_id"] for row in rows if row["finding"] == _FINDINGS[rule]}


def leave_out(scores: pd.DataFrame, dead: Iterable[str]) -> pd.DataFrame:
    """Return the scores, those of dead problems taken away: what has no score is never selected."""
    which = scores["problem_id"].isin(set(dead))
    return scores.assign(
        score=scores["score"].mask(which), reason=scores["reason"].mask(which, LEFT_OUT)
    )


def counts(dead: Iterable[str], rows: Sequence[Mapping[str, Any]], rule: str) -> dict[str, Any]:
    """Return what a subset's record says of dead problems: how many, and how many it selected."""
    which = set(dead)
    chosen = sum(row["problem_id"] in which for row in rows)
    return {"n": len(which), "n_selected": chosen, "rule": rule}

"""Dead problems in a selection: those whose gold answer the study's grader cannot reward.

An audit finds them (`limr.problems.answer_audit`); here they are only counted and left out, so that
the selections of a study without audits do not depend on the grader.
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
    """Return the problems of an audit (`AUDITS`) that cannot be rewarded.

    `rule` is the arm's `dead_problems`.
    """
    frame = table.to_pandas()
    return set(frame.loc[frame["finding"] == _FINDINGS[rule], "problem_id"])


def leave_out(scores: pd.DataFrame, dead: Iterable[str]) -> pd.DataFrame:
    """Return the scores without those of dead problems: no score, never selected."""
    which = scores["problem_id"].isin(set(dead))
    return scores.assign(
        score=scores["score"].mask(which), reason=scores["reason"].mask(which, LEFT_OUT)
    )


def counts(dead: Iterable[str], rows: Sequence[Mapping[str, Any]], rule: str) -> dict[str, Any]:
    """Return what a subset's record says of dead problems: how many, and how many it selected."""
    which = set(dead)
    chosen = sum(row["problem_id"] in which for row in rows)
    return {"n": len(which), "n_selected": chosen, "rule": rule}

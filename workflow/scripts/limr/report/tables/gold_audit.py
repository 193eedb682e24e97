"""Gold answers that no response, or only some, could be rewarded for, by problem set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import results

TITLE = "Audit of the gold answers"
REQUIRES = ("audits",)
DECIMALS = 0

COLUMNS = {
    "dead": "dead",
    "rigid": "rigid",
    "unread": "unread",
    "dead under the paper's": "paper-dead",
    "lossy under the paper's": "paper-lossy",
    "empty": "empty",
    "None": "none",
    "conflicting duplicates": "conflict",
    "duplicates": "duplicate",
}


def build(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per problem set, the study's first, then its benchmarks'."""
    rows = []
    for name, counts in inputs.audits.items():
        found = counts["findings"]
        columns = {title: found[finding] for title, finding in COLUMNS.items()}
        rows.append({"problem set": name, "problems": counts["n_problems"], **columns})
    return pd.DataFrame(rows, columns=["problem set", "problems", *COLUMNS])


def caption(frame: pd.DataFrame) -> str:
    """Say what is counted, and by which grader."""
    return (
        "Problems by what an audit found of their gold answers. Dead: this study's grader can "
        "reward no response for the right answer, since there is none or it is refused in its own "
        "box; rigid: a harmless rewriting is refused; unread: only the same spelling is equal to "
        "it. Under the paper's reward an answer is dead if its bare text is read as nothing, and "
        "lossy if a fragment of it decides. Duplicates are problems whose text stands under "
        "several ids but for layout; conflicting ones have different answers. "
        f"{int(frame['problems'].sum()):,} problems."
    )

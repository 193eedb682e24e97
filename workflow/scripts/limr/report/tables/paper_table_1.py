"""The paper's Table 1 with this study's arms: on how many questions each trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import paper, results, subset_records

TITLE = "Beside the paper's Table 1"
REQUIRES = ("subsets", "paper")


def build(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per method of the paper's table, then one per arm with problems."""
    rows = [
        {
            "method": method["name"],
            "starts from": method["starts_from"],
            "long chains of thought distilled": "yes" if method["long_cot"] else "no",
            "questions": method["questions"],
            "whose": f"the paper's, {method['at']}",
        }
        for method in paper.of(inputs)["methods"]
    ]
    for group in inputs.groups:
        record = subset_records.group_record(inputs, group)
        if record is not None:
            rows.append(
                {
                    "method": group.title,
                    "starts from": pd.NA,
                    "long chains of thought distilled": pd.NA,
                    "questions": record["n_selected"],
                    "whose": f"ours, study {inputs.study['study']}",
                }
            )
    return pd.DataFrame(rows)


def caption(frame: pd.DataFrame) -> str:
    """Say whose rows they are, and what is left out."""
    return (
        "The paper's Table 1 (arXiv 2502.11886) and the problem sets of this study's arms. Its "
        "rows on other methods are left out: they could not be compared with its page."
    )

"""Where the paper, its code and its published data do not agree, or do not say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import paper
from limr.analysis.results import Inputs
from limr.core.validation import Keys, key

TITLE = "The paper's own inconsistencies"
REQUIRES = ("paper",)


class Options(Keys):
    """Keys of `tables.inconsistencies`."""

    kinds: list[str] | None = key(
        None, "Kinds to show, such as `number`, `rule`, `claim`; null: all."
    )


def build(inputs: Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per entry of the register, in its order."""
    rows = [
        {
            "kind": entry["kind"],
            "where": entry["at"],
            "it says": entry["says"],
            "but": entry["but"],
            "here": entry["here"],
        }
        for entry in paper.of(inputs)["inconsistencies"]
        if options["kinds"] is None or entry["kind"] in options["kinds"]
    ]
    return pd.DataFrame(rows, columns=["kind", "where", "it says", "but", "here"])


def caption(frame: pd.DataFrame) -> str:
    """Say what the register is."""
    return (
        f"{len(frame)} places where the paper (arXiv 2502.11886), its code and its published data "
        "do not agree or leave open what was done, and what is done here. Kept in "
        "config/paper.yaml."
    )

"""What each arm trains on: sizes, scores, and how many problems were never or always solved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import results, subset_records
from limr.core.errors import InputError, nearest
from limr.core.validation import Keys, key

TITLE = "Subsets"
REQUIRES = ("subsets",)
DECIMALS = 2


class Options(Keys):
    """Keys of `tables.subsets`."""

    overlap_with: str | None = key(
        None,
        "Arm that `shared` counts common problems with; null: the first arm that is neither the "
        "full set nor random.",
    )


def build(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per arm with a subset; each random draw is a row of its own.

    Raises:
        InputError: `overlap_with` names no arm with a subset.
    """
    reference = _reference(inputs, options["overlap_with"])
    rows = []
    for arm in inputs.study["arms"]:
        record = inputs.subsets.get(arm["name"])
        if record is None:
            continue
        low, high = record["selected_score_range"]
        rows.append(
            {
                "arm": arm["name"],
                "score": record["score"],
                "rule": rule_text(record),
                "problems": record["n_selected"],
                "scored": record["n_scored"],
                "of": record["n_problems"],
                "lowest score": low,
                "highest score": high,
                "never solved": _solved(record, "never"),
                "always solved": _solved(record, "always"),
                **_shared(inputs, record, reference),
            }
        )
    return pd.DataFrame(rows)


def rule_text(record: dict[str, Any]) -> str:
    """Return a cut in words."""
    rule = record["rule"]
    if "threshold" in rule:
        return f"score {'>' if rule.get('strict') else '≥'} {rule['threshold']:g}"
    if "size" in rule:
        size = f"{rule['size']:,}"
        return f"{size} at random" if subset_records.is_random(record) else f"best {size}"
    return "all"


def _solved(record: Mapping[str, Any], kind: str) -> Any:
    counts = record.get(f"{kind}_solved")
    return counts["n_selected"] if counts else pd.NA


def _reference(inputs: results.Inputs, wanted: str | None) -> str | None:
    if wanted is not None and wanted not in inputs.subsets:
        raise InputError(
            f"table 'subsets': overlap_with: no arm '{wanted}' with a subset."
            f"{nearest(wanted, inputs.subsets)}"
        )
    partial = (
        name
        for name in (arm["name"] for arm in inputs.study["arms"])
        if name in inputs.subsets and subset_records.is_chosen(inputs.subsets[name])
    )
    return wanted or next(partial, None)


def _shared(
    inputs: results.Inputs, record: Mapping[str, Any], reference: str | None
) -> dict[str, Any]:
    if reference is None or "problem_ids" not in inputs.subsets[reference]:
        return {}
    if "problem_ids" not in record:
        return {f"shared with {reference}": pd.NA}
    common = set(record["problem_ids"]) & set(inputs.subsets[reference]["problem_ids"])
    return {f"shared with {reference}": len(common)}


def caption(frame: pd.DataFrame) -> str:
    """Say what the columns count."""
    return (
        "The problems that each arm trains on. Never and always solved count problems of the "
        "subset, over all recorded epochs; a dash where there are no learning curves to tell from."
    )

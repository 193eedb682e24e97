"""What the records of subsets say: whether one is everything, random or chosen by a score."""

from __future__ import annotations

from limr.analysis.results import Group, Inputs, Json
from limr.core import plugins
from limr.core.errors import InputError


def group_record(inputs: Inputs, group: Group) -> Json | None:
    """Return the subset record of a group's first arm, None where it has no subset."""
    return next((inputs.subsets[arm] for arm in group.arms if arm in inputs.subsets), None)


def is_full(record: Json | None) -> bool:
    """Return whether a subset is the whole problem set, not counting dead problems left out."""
    if record is None:
        return False
    dead = record.get("dead", {})
    left_out = dead["n"] if dead.get("rule", "keep") != "keep" else 0
    return bool(record["n_selected"] == record["n_problems"] - left_out)


def is_random(record: Json | None) -> bool:
    """Return whether a subset was drawn at random: its selector is seeded."""
    if record is None or not record.get("selector"):
        return False
    return bool(plugins.load("selectors", record["selector"]).SEEDED)


def is_chosen(record: Json | None) -> bool:
    """Return whether a subset was chosen by a score: it is neither everything nor random."""
    return record is not None and not is_full(record) and not is_random(record)


def scored_by(inputs: Inputs, wanted: str | None) -> Json:
    """Return the record of the subset whose score is to be shown.

    Args:
        inputs: what the study has.
        wanted: the name of a score; None: that of the first subset that is neither the full set nor
            random, else of the first cut by a threshold.

    Raises:
        InputError: there is no such subset.
    """
    records = list(inputs.subsets.values())
    if wanted is not None:
        records = [record for record in records if record["score"] == wanted]
    by_threshold = (record for record in records if "threshold" in record["rule"])
    for record in [*filter(is_chosen, records), *by_threshold]:
        if record["score"] in inputs.scores:
            return record
    raise InputError(
        f"there is no subset cut from the score '{wanted}'." if wanted else "there is no subset."
    )

"""Which scores a table or a figure shows, and what was selected from each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import Field

from limr.analysis import subset_records
from limr.analysis.results import Inputs, Json
from limr.core import plugins
from limr.core.errors import InputError, nearest
from limr.scores import agreement
from limr.trajectories.curves import Flags, Floats

Names = Annotated[
    list[str] | None,
    Field(
        description="Names of the scores to show; null: all that are neither random nor constant."
    ),
]


def names(inputs: Inputs, wanted: Sequence[str] | None, where: str) -> list[str]:
    """Return the names of the scores to show, in the study's order or as they are asked for.

    Args:
        inputs: what the study has.
        wanted: names; None: every score that is neither random nor constant.
        where: how messages name the plug-in.

    Raises:
        InputError: there is no such score, or none at all.
    """
    if wanted is not None:
        return [known(name, inputs.scores, where) for name in wanted]
    found = comparable(inputs)
    if not found:
        raise InputError(f"{where}: every score of the study is random or constant.")
    return found


def comparable(inputs: Inputs) -> list[str]:
    """Return the names of the scores that are neither random nor constant, in the study's order."""
    found = [name for name in inputs.scores if not _is_random(inputs, name)]
    return [name for name in found if inputs.scores[name]["score"].nunique() > 1]


def diagnosed(inputs: Inputs, wanted: Sequence[str] | None, where: str) -> list[str]:
    """Return the names of the diagnosed scores with a value to show: see `names`.

    Raises:
        InputError: there is no such score, or none at all.
    """
    found = [
        name
        for name, diagnosis in inputs.diagnostics.items()
        if diagnosis.problems["score"].notna().any()
    ]
    if wanted is not None:
        return [known(name, found, where) for name in wanted]
    if not found:
        raise InputError(
            f"{where}: no score of this study is made from learning curves that it has, so there "
            "are no samples to redraw. Leave it out of the study."
        )
    return found


def main(inputs: Inputs, wanted: str | None, names: Sequence[str], where: str) -> str:
    """Return the one score to show: as wanted, else that of the first subset among `names`."""
    if wanted is not None:
        return known(wanted, names, where)
    cut = [str(record["score"]) for record in inputs.subsets.values() if record["rule"]]
    return next((score for score in cut if score in names), names[0])


def known(name: str, among: Iterable[str], where: str) -> str:
    """Return a name that is known.

    Raises:
        InputError: it is not.
    """
    found = list(among)
    if name not in found:
        raise InputError(f"{where}: there is no score '{name}' to show.{nearest(name, found)}")
    return name


def _is_random(inputs: Inputs, name: str) -> bool:
    entry = inputs.study.get("scores", {}).get(name)
    if entry is not None:
        return bool(plugins.load("selectors", entry["selector"]).SEEDED)
    records = [record for record in inputs.subsets.values() if record["score"] == name]
    return any(subset_records.is_random(record) for record in records)


def first_subset(inputs: Inputs, score: str) -> Json | None:
    """Return the record of the first subset that is cut from a score, None where none is."""
    cut = (record for record in inputs.subsets.values() if record["score"] == score)
    return next((record for record in cut if record["rule"]), None)


def size(inputs: Inputs, scores: Sequence[str]) -> int:
    """Return how many of the best to compare: of the first subset, else a sixth of the scored."""
    for score in scores:
        record = first_subset(inputs, score)
        if record is not None:
            return int(record["n_selected"])
    return max(1, round(int(inputs.scores[scores[0]]["score"].notna().sum()) / 6))


def aligned(inputs: Inputs, scores: Sequence[str]) -> dict[str, Floats]:
    """Return name -> scores of the same problems in the same order; NaN = no score."""
    frames = {name: inputs.scores[name].set_index("problem_id")["score"] for name in scores}
    wide = pd.DataFrame(frames)
    return {name: wide[name].to_numpy(float) for name in scores}


def selected(inputs: Inputs, score: str) -> tuple[Flags, bool]:
    """Return (n_problems,) which problems were selected, and whether a subset says so.

    For a score without a subset it is the best sixth; a tie at the last place goes to the problems
    that come first.
    """
    frame = inputs.scores[score]
    record = first_subset(inputs, score)
    if record is not None and "problem_ids" in record:
        return frame["problem_id"].isin(set(record["problem_ids"])).to_numpy(bool), True
    values = frame["score"].to_numpy(float)
    n = max(1, round(int((~np.isnan(values)).sum()) / 6))
    chosen = np.zeros(len(values), bool)
    chosen[np.argsort(-values, kind="stable")[:n]] = True
    return chosen & ~np.isnan(values), False


def curves(inputs: Inputs, score: str) -> pa.Table | None:
    """Return the trajectories that a score is made from, None where the study has none."""
    entry = inputs.study.get("scores", {}).get(score) or first_subset(inputs, score) or {}
    return inputs.trajectories.get(str(entry.get("trajectories")))


def compared(
    inputs: Inputs, scores: Sequence[str], size: int
) -> dict[tuple[str, str], agreement.Agreement]:
    """Return (score, other score) -> how far they agree, every pair once, in order."""
    values = aligned(inputs, scores)
    return {
        (one, other): agreement.compare(values[one], values[other], size)
        for place, one in enumerate(scores)
        for other in scores[place + 1 :]
    }

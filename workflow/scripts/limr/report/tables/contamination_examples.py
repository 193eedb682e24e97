"""The questions that share the most words with a training problem, beside that problem."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import contamination, results
from limr.core import safe_text
from limr.core.validation import Keys, key

TITLE = "Overlap: the nearest pairs"
REQUIRES = ("overlaps", "problems", "subsets")
TEXTS = ("question", "problem", "text of the question", "text of the problem")
SHOWS_TEXTS = True
LONGEST = 160  # characters of a text that are shown


class Options(Keys):
    """Keys of `tables.contamination-examples`."""

    examples: int = key(12, "Most pairs to show, the most alike first.", ge=1)


def build(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per question: of whole problem sets, by the length that decides an overlap.

    Raises:
        InputError: the study has no benchmarks.
    """
    frame = contamination.measured(inputs)
    words = inputs.study["contamination"]["overlapping"]["words"]
    rows = frame[(frame["scope"] == "problem set") & (frame["words"] == words)]
    rows = rows.assign(share=contamination.shares(rows, "shared"), same=rows["match"] != "")
    rows = rows[rows["same"] | (rows["share"] > 0)]
    order = ["same", "share", "n_grams", "benchmark", "problem_id"]
    rows = rows.sort_values(order, ascending=[False, False, False, True, True])
    rows = rows.head(options["examples"])
    nearest = rows["match_id"].where(rows["same"], rows["nearest"])
    arms = [_trained_on(inputs, key) for key in nearest]
    texts = {
        (name, problem.problem_id): problem.prompt
        for name, problems in inputs.problems.items()
        for problem in problems
    }
    return pd.DataFrame(
        {
            "benchmark": rows["benchmark"],
            "question": rows["problem_id"],
            "problem": nearest,
            "same text": rows["match"].replace("", "no"),
            f"{words}-grams": rows["n_grams"],
            "shared %": 100 * rows["share"],
            "arms that train on it": arms,
            "text of the question": _texts(texts, rows["benchmark"], rows["problem_id"]),
            "text of the problem": _texts(texts, rows["trained_on"], nearest),
        }
    ).reset_index(drop=True)


def _trained_on(inputs: results.Inputs, problem_id: str) -> str:
    """Return the titles of the arms that train on a problem."""
    names = [
        arm["title"]
        for arm in inputs.study["arms"]
        if problem_id in inputs.subsets.get(arm["name"], {}).get("problem_ids", ())
    ]
    return ", ".join(dict.fromkeys(names)) or "none"


def _texts(
    texts: Mapping[tuple[str, str], str], sets: pd.Series[Any], ids: pd.Series[Any]
) -> list[str]:
    return [_short(texts[key]) for key in zip(sets, ids, strict=True)]


def _short(text: str) -> str:
    """Return a text on one line, visible, cut where it is long."""
    line = " ".join(text[: 4 * LONGEST].split())
    return safe_text.visible(line if len(line) <= LONGEST else line[:LONGEST] + "…")


def caption(frame: pd.DataFrame) -> str:
    """Say what is listed."""
    words = next(name.removesuffix("-grams") for name in frame.columns if name.endswith("-grams"))
    return (
        f"The {len(frame):,} questions that have the most in common with one training problem: the "
        f"share of their different runs of {words} words that stand in it. Texts are cut at "
        f"{LONGEST} characters. A pair may differ in a sign or a number, and so in its answer."
    )

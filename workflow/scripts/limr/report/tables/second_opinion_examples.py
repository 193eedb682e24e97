"""The answers on which another rule disagrees most often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from limr.analysis import results
from limr.core.validation import Keys, key
from limr.evaluate import second_opinion

TITLE = "Where the second opinion differs"
REQUIRES = ("opinions",)
DECIMALS = 0
TEXTS = ("benchmark", "problem", "gold answer", "answer", "here", "there")


class Options(Keys):
    """Keys of `tables.second-opinion-examples`."""

    examples: int = key(20, "Answers that are shown, the most frequent ones.", ge=1)


LONGEST = 80  # characters of an answer
_KEYS = ["benchmark", "problem_id", "gold", "answer", "opinion_answer"]
_JUDGED = ["verdict", "format", "opinion", "opinion_reason"]


def build(inputs: results.Inputs, options: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row per problem and answer, the most frequent first."""
    opinions = inputs.opinions
    assert opinions is not None  # noqa: S101 - REQUIRES has it
    texts = opinions[second_opinion.differ(opinions)].astype(dict.fromkeys(_JUDGED, str))
    found = texts.sort_values(["n", *_KEYS, *_JUDGED], ascending=[False] + 9 * [True])
    found = found.head(options["examples"])
    return pd.DataFrame(
        {
            "benchmark": found["benchmark"],
            "problem": found["problem_id"],
            "gold answer": found["gold"].map(_short),
            "answer": found["answer"].map(_short),
            "here": _judged(found["verdict"], found["format"]),
            "there": _judged(found["opinion"], found["opinion_reason"]),
            "responses": found["n"],
        }
    ).reset_index(drop=True)


def _judged(verdicts: pd.Series, reasons: pd.Series) -> pd.Series:
    return verdicts.where(reasons == "", verdicts + ": " + reasons)


def _short(text: object) -> str:
    """Return an answer on one line, cut where it is long."""
    if not isinstance(text, str):
        return "none"
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[:LONGEST] + "…"


def caption(frame: pd.DataFrame) -> str:
    """Say what is listed."""
    return (
        f"The {len(frame):,} answers that are judged differently most often, over all arms, seeds "
        "and steps. Here: this study's verdict, with the format rule that was broken; there: the "
        "second rule's, with its reason. Different: its algebra sees another value, or none."
    )

"""The problems of a study in the form that the report's page reads: compact, compressed columns."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from limr.analysis import subset_records, which_scores
from limr.analysis.results import Inputs
from limr.core import safe_text
from limr.core.tables import Problem
from limr.report import example_responses
from limr.report.figures import _style
from limr.trajectories import curves as tr

Json = dict[str, Any]
# In characters: longest text of a problem; all shown responses together, with bounds for one.
PROMPT, RESPONSES, LEAST, MOST = 2_000, 16_000_000, 160, 1_500
CHUNK = 128  # problems whose responses are unpacked together


@dataclass(frozen=True)
class Browser:
    """`index`: everything but responses; `responses`: chunks of `CHUNK` problems. See `pack`."""

    index: str
    responses: tuple[str, ...]
    n: int
    scored_by: str
    curves: bool
    shown: str  # of the responses


def build(inputs: Inputs, rollouts: Mapping[str, Path | str], texts: bool) -> Browser | None:
    """Return the problems of the main score for the page; None where the study has no scores.

    Args:
        inputs: what the study has.
        rollouts: name of learning curves -> the rollouts that they are from, where there are any.
        texts: whether problems' and responses' texts are part of it.

    Raises:
        InputError: rollouts that are not such a file.
    """
    names = which_scores.comparable(inputs) or list(inputs.scores)
    if not names:
        return None
    main = which_scores.main(inputs, None, names, "the report")
    ids = [str(key) for key in inputs.scores[main]["problem_id"]]
    curves = which_scores.curves(inputs, main)
    source = _source(inputs, main)
    samples = (
        example_responses.read(rollouts[source], response_limit(len(ids)))
        if source in rollouts
        else None
    )
    index = {
        "study": inputs.study["study"],
        "scores": [main, *(name for name in names if name != main)],
        "ids": [safe_text.bounded(key, 200) for key in ids],
        **_problems(inputs, ids, texts),
        "values": {name: _values(inputs.scores[name], ids) for name in names},
        "reasons": _reasons(inputs.scores[main], ids),
        "arms": _arms(inputs, ids),
        **_curves(curves, ids, samples),
        "chunk": CHUNK,
        "all": bool(samples and samples.all),
        "texts": texts,
    }
    responses = _responses(samples.shown if samples else {}, ids) if texts else []
    packed = tuple(pack(part) for part in responses)
    shown = "all responses" if samples and samples.all else "a few responses"
    return Browser(pack(index), packed, len(ids), main, curves is not None, shown)


def response_limit(n: int) -> int:
    """Return how many characters of a response are shown in a study of n problems."""
    return max(LEAST, min(MOST, RESPONSES // (3 * max(1, n))))


def _source(inputs: Inputs, score: str) -> str:
    entry = (
        inputs.study.get("scores", {}).get(score) or which_scores.first_subset(inputs, score) or {}
    )
    return str(entry.get("trajectories"))


def pack(value: Any) -> str:
    """Return JSON as text that is safe anywhere in a page: deflated, in base 64."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    packed = zlib.compress(text.encode("utf-8", "replace"), 9)
    return base64.b64encode(packed).decode("ascii")


def _problems(inputs: Inputs, ids: Sequence[str], texts: bool) -> Json:
    known: dict[str, Problem] = {
        problem.problem_id: problem for found in inputs.problems.values() for problem in found
    }
    found = [known.get(key) for key in ids]
    columns: Json = {"levels": [problem.level if problem else None for problem in found]}
    if texts:
        columns["prompts"] = [safe_text.bounded(p.prompt, PROMPT) if p else "" for p in found]
        columns["answers"] = [safe_text.bounded(p.answer, 300) if p else "" for p in found]
    return columns


def _values(scores: pd.DataFrame, ids: Sequence[str]) -> list[float | None]:
    by_id = scores.set_index("problem_id")["score"].reindex(list(ids))
    return [None if np.isnan(value) else round(float(value), 4) for value in by_id]


def _reasons(scores: pd.DataFrame, ids: Sequence[str]) -> Json:
    """Return place -> why a problem has no score."""
    by_id = scores.set_index("problem_id")["reason"].reindex(list(ids))
    return {str(i): str(text) for i, text in enumerate(by_id) if isinstance(text, str) and text}


def _arms(inputs: Inputs, ids: Sequence[str]) -> list[Json]:
    """Return the arms with a subset of their own; `kept` is a text of 0 and 1 by problem."""
    colours = _style.colours(inputs)
    kept = {name: set(record.get("problem_ids", ())) for name, record in inputs.subsets.items()}
    return [
        {
            "name": arm["name"],
            "group": arm["group"],
            "title": arm["title"],
            "mark": marks(inputs)[arm["group"]],
            "colour": colours[arm["group"]],
            "kept": "".join("1" if key in kept[arm["name"]] else "0" for key in ids),
        }
        for arm in chosen(inputs)
    ]


def marks(inputs: Inputs) -> dict[str, str]:
    """Return group -> the shortest start of its title that tells it from the others.

    Where four letters do not, a number does.
    """
    titles = {arm["group"]: str(arm["title"]) for arm in chosen(inputs)}
    found: dict[str, str] = {}
    for group, title in titles.items():
        others = [other for key, other in titles.items() if key != group]
        lengths = range(1, len(title) + 1)
        alone = (n for n in lengths if not any(o.startswith(title[:n]) for o in others))
        mark = title[: min(next(alone, len(title)), 4)]
        numbered = (f"{mark[:3]}{number}" for number in range(2, len(titles) + 1))
        found[group] = next(one for one in (mark, *numbered) if one not in found.values())
    return found


def chosen(inputs: Inputs) -> list[Json]:
    """Return the study's arms whose problems are known and are not the whole set."""
    records = inputs.subsets
    return [
        arm
        for arm in inputs.study["arms"]
        if "problem_ids" in records.get(arm["name"], {})
        and not subset_records.is_full(records[arm["name"]])
    ]


def _curves(curves: Any, ids: Sequence[str], samples: example_responses.Rollouts | None) -> Json:
    """Return matrices by problem and epoch, row by row: n, correct, and malformed where known."""
    if curves is None:
        return {"epochs": 0}
    matrix = tr.samples(curves, ids)
    n, correct = matrix.n, matrix.n_correct
    with np.errstate(invalid="ignore", divide="ignore"):
        accuracy = np.where(n > 0, correct / np.maximum(n, 1), np.nan)
    mean = [
        None if np.isnan(column).all() else round(float(np.nanmean(column)), 4)
        for column in accuracy.T
    ]
    found: Json = {
        "epochs": int(n.shape[1]),
        "n": n.ravel().tolist(),
        "correct": correct.ravel().tolist(),
        "mean": mean,
    }
    if samples is not None:
        found["malformed"] = _malformed(samples.counts, ids, int(n.shape[1]))
    return found


def _malformed(counts: pd.DataFrame, ids: Sequence[str], epochs: int) -> list[int]:
    place = pd.Series(np.arange(len(ids)), index=list(ids))
    rows = counts[counts["problem_id"].isin(place.index) & (counts["epoch"] < epochs)]
    matrix = np.zeros((len(ids), epochs), np.int64)
    matrix[place.loc[rows["problem_id"]].to_numpy(), rows["epoch"].to_numpy()] = rows["malformed"]
    return [int(value) for value in matrix.ravel()]


def _responses(found: Mapping[str, list[Json]], ids: Sequence[str]) -> list[list[Any]]:
    """Return, by chunks, each problem's responses as lists in the order of the page's names."""
    rows = [
        [
            [r["epoch"], r["step"], r["verdict"], r["tokens"], int(r["truncated"]), r["text"]]
            for r in found.get(key, ())
        ]
        for key in ids
    ]
    return [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)] if found else []

"""From scores to a subset with its record: `subsets/{arm}.jsonl` and `.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from limr.core import files, plugins, validation
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.scores.thresholds import best, reached, sizes
from limr.trajectories import curves as tr

TIES = "ties at the last place are broken at random, seeded"
FEW_RIGHT = 0.02  # share of right samples below which curves say next to nothing
FEW_TIED = 4  # problems that may be drawn from a tie unsaid

Rule = Mapping[str, Any]
Row = dict[str, Any]
Record = dict[str, Any]


def cut(
    scores: pd.DataFrame,
    problems: Sequence[Problem],
    rule: Rule,
    rng: np.random.Generator,
    where: str = "subset",
) -> tuple[list[Row], Record]:
    """Keep the problems that a rule selects.

    Args:
        scores: problem_id, score (NaN: not scorable, never selected), one row a problem.
        problems: every problem, in order.
        rule: `{threshold: t}` keeps score >= t (the paper's code; `strict: true`: score > t, as
            the paper writes); `{size: k}` keeps the k best; `{}` keeps every problem with a score.
        rng: breaks ties at the last place.
        where: how messages name the subset, e.g. `arm 'limr'`.

    Returns:
        The selected problems with their scores in the problems' order, and the record's counts.

    Raises:
        InputError: a threshold that selects nothing or everything, a size below 1 or above the
            number of scorable problems, or scores of other problems.
    """
    values = _aligned(scores, problems, where)
    scorable = ~np.isnan(values)
    if not scorable.any():
        raise InputError(f"{where}: none of the {len(values)} problems could be scored.")
    if "threshold" in rule and "size" in rule:
        raise InputError(f"{where}: give a threshold or a size, not both; found {dict(rule)}.")
    chosen, tie = scorable, None
    if "threshold" in rule:
        chosen = _by_threshold(values, rule, where)
    elif "size" in rule:
        chosen, tie = _by_size(values, int(rule["size"]), rng, where)
    rows = [
        {**asdict(problem), "score": float(value)}
        for problem, value, keep in zip(problems, values, chosen, strict=True)
        if keep
    ]
    record = {
        "rule": dict(rule),
        "n_problems": len(values),
        "n_scored": int(scorable.sum()),
        "n_selected": int(chosen.sum()),
        "score_range": _range(values[scorable]),
        "selected_score_range": _range(values[chosen]),
        "sizes_at_thresholds": sizes(values, bool(rule.get("strict", False))),
        "ties": tie,
    }
    return rows, record


def _aligned(scores: pd.DataFrame, problems: Sequence[Problem], where: str) -> tr.Floats:
    ids = [problem.problem_id for problem in problems]
    if len(scores) != len(ids) or set(scores["problem_id"]) != set(ids):
        raise InputError(
            f"{where}: the scores are of {len(scores)} problems, the data set has {len(ids)}, and "
            "they are not the same ones. Score this data set again."
        )
    return scores.set_index("problem_id")["score"].loc[ids].to_numpy(float)


def _by_threshold(values: tr.Floats, rule: Rule, where: str) -> tr.Flags:
    threshold, strict = float(rule["threshold"]), bool(rule.get("strict", False))
    chosen = reached(values, threshold, strict)
    n_scored = int((~np.isnan(values)).sum())
    if chosen.sum() in (0, n_scored):
        low, high = _range(values[~np.isnan(values)])
        counts = ", ".join(f"{key}: {n}" for key, n in sizes(values, strict).items())
        raise InputError(
            f"{where}: the threshold {threshold:g} selects "
            f"{'none' if not chosen.any() else 'all'} of the {n_scored} scored problems. Scores "
            f"run from {low:.3f} to {high:.3f}; sizes at thresholds: {counts}. "
            "Choose another threshold, or a size."
        )
    return chosen


def _by_size(
    values: tr.Floats, size: int, rng: np.random.Generator, where: str
) -> tuple[tr.Flags, Record]:
    n_scored = int((~np.isnan(values)).sum())
    if not 1 <= size <= n_scored:
        raise InputError(
            f"{where}: size {size} is asked for; choose one from 1 to {n_scored}, the number of "
            f"problems with a score ({len(values) - n_scored} of {len(values)} have none)."
        )
    chosen = best(values, size, rng)
    last = values[chosen].min()
    at_last = values == last
    tie = {
        "score": float(last),
        "n_at_score": int(at_last.sum()),
        "n_taken": int((at_last & chosen).sum()),
        "rule": TIES,
    }
    return chosen, tie


def _range(values: tr.Floats) -> list[float]:
    return [float(values.min()), float(values.max())]


def select(
    scores: pd.DataFrame,
    problems: Sequence[Problem],
    rule: Rule,
    rng: np.random.Generator,
    *,
    trajectories: pa.Table | None = None,
    origin: Mapping[str, Any],
    where: str = "subset",
) -> tuple[list[Row], Record]:
    """Cut scores into a subset (see `cut`) and complete its record.

    `trajectories`, what the scores were computed from, if anything, gives the counts of
    never-solved and always-solved problems and the selector's own warnings. `origin` says where the
    scores are from: `score` (their name in the study), either `selector` with its `options` or
    `format`, and `trajectories`, the name of their source, or None.

    Raises:
        InputError: see `cut`.
    """
    try:
        rows, counts = cut(scores, problems, rule, rng, where)
    except InputError as error:
        if trajectories is not None and not pc.sum(trajectories["n_correct"]).as_py():
            raise InputError(
                f"{error} Not one sample of any problem was right (0 %): a policy that never "
                "succeeds cannot say what to train on. Score with a stronger base, take easier "
                "problems, or look at the grader."
            ) from None
        raise
    record: Record = {**origin, **counts, "never_solved": None, "always_solved": None}
    record["warnings"] = []
    if trajectories is not None:
        ids = [problem.problem_id for problem in problems]
        kept = {row["problem_id"] for row in rows}
        chosen = np.array([problem_id in kept for problem_id in ids], bool)
        samples = tr.samples(trajectories, ids)
        record.update(_solved_counts(samples, chosen))
        record["warnings"] = _warnings(chosen, samples, origin)
        record["warnings"] += _of_nothing(record, samples)
    unscored = scores.loc[scores["score"].isna(), "reason"].value_counts()
    record["not_scored"] = {str(reason): int(n) for reason, n in sorted(unscored.items())}
    return rows, record


def _warnings(chosen: tr.Flags, samples: tr.Samples, origin: Mapping[str, Any]) -> list[str]:
    """Return a selector's own warnings; `warnings` is an optional part of its interface."""
    if origin.get("selector") is None:
        return []
    module = plugins.load("selectors", origin["selector"])
    if not hasattr(module, "warnings"):
        return []
    settings = validation.complete(
        dict(origin.get("options") or {}), validation.options(module), "selector"
    )
    found: list[str] = module.warnings(chosen, samples, settings)
    return found


def _of_nothing(record: Record, samples: tr.Samples) -> list[str]:
    """Return warnings of a choice that rests on next to nothing, and what to do about it."""
    found = []
    n, right = int(samples.n.sum()), int(samples.n_correct.sum())
    if not right and record["warnings"]:
        return []  # the selector has said it
    if n and right < FEW_RIGHT * n:
        found.append(
            f"Only {right:,} of {n:,} samples ({100 * right / n:.2g} %) were right, so the curves "
            "say next to nothing. Score with a stronger base or a longer run, take easier "
            "problems, or look at the grader: `limr look` shows what was taken for right."
        )
    kept, never = record["n_selected"], record["never_solved"]["n_selected"]
    said = any("never solved" in text for text in record["warnings"])
    if never > kept / 2 and not said:
        found.append(
            f"{never:,} of the {kept:,} selected problems were never solved: training on them has "
            "nothing to reward. Leave them out (the selector's `never_solved`, where it has one), "
            "or choose fewer."
        )
    tie = record["ties"]
    if tie and tie["n_taken"] > max(kept / 4, FEW_TIED) and tie["n_at_score"] > tie["n_taken"]:
        found.append(
            f"{tie['n_taken']:,} of the {kept:,} selected problems were drawn from "
            f"{tie['n_at_score']:,} that tie at the score {tie['score']:g}: that part of the "
            "choice is chance. Choose at most as many as stand out, or score from more samples."
        )
    return found


def _solved_counts(samples: tr.Samples, chosen: tr.Flags) -> Record:
    n, n_correct = samples.n.sum(axis=1), samples.n_correct.sum(axis=1)
    kinds = {"never": (n > 0) & (n_correct == 0), "always": (n > 0) & (n_correct == n)}
    return {
        f"{kind}_solved": {"n": int(which.sum()), "n_selected": int((which & chosen).sum())}
        for kind, which in kinds.items()
    }


def write_subset(jsonl: Path, record_path: Path, rows: Sequence[Row], record: Record) -> None:
    """Write `subsets/{arm}.jsonl` and its record `.json`, which gains the jsonl's sha256."""
    files.write_jsonl(jsonl, rows)
    files.write_json(record_path, {**record, "sha256": files.sha256(jsonl)})


def read_subset(jsonl: Path, record_path: Path) -> Record:
    """Return a subset's record with `problem_ids`, the selected ids in order.

    Raises:
        InputError: a file is missing or not what it should be.
    """
    record: Record = files.read_json(record_path)
    return {**record, "problem_ids": [row["problem_id"] for row in files.read_jsonl(jsonl)]}

"""One table of all evaluations and one of all training metrics; a summary of one evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from limr.core import files
from limr.core.errors import InputError
from limr.core.tables import EVALUATIONS, METRICS, REASONS, VERDICTS
from limr.grading.equality import UNREAD
from limr.statistics.estimates import Arm, of_mean
from limr.statistics.intervals import Floats, wilson

# The run of a row. Random draws of one arm share its `group`.
RUN = [
    ("arm", pa.string()),
    ("group", pa.string()),
    ("train", pa.string()),
    ("seed", pa.int64()),
]

# One row per run, step, benchmark, decoding and problem.
COLLECTED_EVALUATIONS = pa.schema(
    [
        *RUN,
        ("step", pa.int32()),
        ("benchmark", pa.string()),
        ("decoding", pa.string()),
        ("problem_id", pa.string()),
        ("n", pa.int32()),  # responses
        ("n_correct", pa.int32()),
        ("response_tokens", pa.float64()),  # mean per response
        ("truncated", pa.float64()),  # share of the responses
        ("malformed", pa.float64()),  # share of the responses
    ]
)

# One row per run and training step.
COLLECTED_METRICS = pa.schema([*RUN, *METRICS])

# What it also has where every evaluation knows its reasons.
COLLECTED_REASONS = pa.schema([("not_understood", pa.float64())])  # share of the responses

Entry = tuple[Mapping[str, Any], Path]


def collect_evaluations(entries: Sequence[Entry]) -> pa.Table:
    """Return `collected/evaluations.parquet`: the responses counted by problem.

    Args:
        entries: (keys, path): `arm`, `group`, `train`, `seed`, `step` and `benchmark` of each
            evaluation file (`limr.core.tables.EVALUATIONS`).

    Raises:
        InputError: no entries, a file that is not one, or without rows.
    """
    frames = [_counted(keys, path) for keys, path in entries]
    known = frames and all(name in frame for frame in frames for name in COLLECTED_REASONS.names)
    extra = COLLECTED_REASONS if known else ()
    return _joined(frames, pa.schema([*COLLECTED_EVALUATIONS, *extra]))


def _counted(keys: Mapping[str, Any], path: Path) -> pd.DataFrame:
    columns = ("problem_id", "decoding", "sample", "verdict", "response_tokens", "truncated")
    frame = files.read_parquet(path, EVALUATIONS, columns, newer=REASONS).to_pandas()
    if frame.empty:
        raise InputError(f"{path}: no responses in it.")
    doubled = frame.duplicated(["problem_id", "decoding", "sample"])
    if doubled.any():
        first = frame.loc[doubled, ["problem_id", "decoding", "sample"]].iloc[0].to_dict()
        raise InputError(f"{path}: {int(doubled.sum())} responses occur twice, such as {first}.")
    verdict = frame["verdict"].astype(str)
    frame = frame.assign(correct=verdict == "correct", malformed=verdict == "malformed")
    counted_reasons = {}
    if "reason" in frame:
        frame["not_understood"] = frame["reason"] == UNREAD
        counted_reasons = {"not_understood": ("not_understood", "mean")}
    grouped = frame.groupby(["decoding", "problem_id"], sort=False)
    counted: pd.DataFrame = grouped.agg(
        n=("correct", "size"),
        n_correct=("correct", "sum"),
        response_tokens=("response_tokens", "mean"),
        truncated=("truncated", "mean"),
        malformed=("malformed", "mean"),
        **counted_reasons,
    ).reset_index()
    return counted.assign(**keys)


def collect_metrics(entries: Sequence[Entry]) -> pa.Table:
    """Return `collected/metrics.parquet`: the training metrics of every run.

    Args:
        entries: (keys, path): `arm`, `group`, `train` and `seed` of each metrics file
            (`limr.core.tables.METRICS`); with `until`, the steps after that one are left out.

    Raises:
        InputError: no entries, or a file that is not one.
    """
    frames = []
    for keys, path in entries:
        run = {name: value for name, value in keys.items() if name != "until"}
        frame = files.read_parquet(path, METRICS).to_pandas().assign(**run)
        frames.append(frame[frame["step"] <= keys["until"]] if "until" in keys else frame)
    return _joined(frames, COLLECTED_METRICS)


def _joined(frames: Sequence[pd.DataFrame], schema: pa.Schema) -> pa.Table:
    if not frames:
        raise InputError("there is nothing to collect: the study has no such files.")
    tables = [pa.Table.from_pandas(f[schema.names], schema, preserve_index=False) for f in frames]
    return pa.concat_tables(tables).combine_chunks().replace_schema_metadata(None)


def summarise_evaluation(table: pa.Table) -> dict[str, Any]:
    """Return what an evaluation's `.json` says of its responses, by decoding.

    The 95 % interval is Wilson's; where a problem has several responses, which are not independent,
    it is Wilson's at the effective size that the spread between problems gives
    (`limr.statistics.estimates`).

    Args:
        table: one evaluation (`limr.core.tables.EVALUATIONS`, perhaps with `REASONS`).
    """
    frame = table.drop_columns(["response"]).to_pandas()
    return {str(name): _summary(part) for name, part in frame.groupby("decoding", sort=False)}


def _summary(frame: pd.DataFrame) -> dict[str, Any]:
    verdict = frame["verdict"].astype(str)
    correct = verdict == "correct"
    by_problem = correct.astype("float64").groupby(frame["problem_id"], sort=False).mean()
    accuracy: Floats = np.asarray(by_problem, dtype=np.float64)
    if len(accuracy) == len(frame):
        method = "Wilson"
        low, high = wilson(int(correct.sum()), len(frame))
    else:
        method = "Wilson, by the spread between problems"
        found = of_mean(Arm({"": accuracy[np.newaxis, :]})).interval()
        low, high = found.low, found.high
    broken = frame.loc[frame["format"].fillna("") != "", "format"].value_counts()
    return {
        "n_problems": len(accuracy),
        "n_responses": len(frame),
        "accuracy": float(accuracy.mean()),
        "interval_95": [low, high],
        "interval_method": method,
        "malformed": float((verdict == "malformed").mean()),
        "truncated": float(frame["truncated"].mean()),
        "no_box": float((frame["format"] == "no-box").mean()),
        "no_answer": float(frame["answer"].isna().mean()),
        "mean_response_tokens": float(frame["response_tokens"].mean()),
        "verdicts": {name: int((verdict == name).sum()) for name in VERDICTS},
        "format_rules_broken": {str(rule): int(n) for rule, n in sorted(broken.items())},
        **_reasons(frame),
    }


def _reasons(frame: pd.DataFrame) -> dict[str, Any]:
    """Return why responses are incorrect, counted; nothing where an evaluation does not say."""
    if "reason" not in frame:
        return {}
    counts = frame.loc[frame["verdict"].astype(str) == "incorrect", "reason"].value_counts()
    return {"incorrect_because": {str(reason): int(n) for reason, n in sorted(counts.items())}}

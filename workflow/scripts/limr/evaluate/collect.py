"""One table of all evaluations and one of all training metrics; a summary of one evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from limr.core import files
from limr.core.errors import InputError
from limr.core.tables import DRAWN, EVALUATIONS, METRICS, REASONS, VERDICTS
from limr.grading.outcomes import UNREAD
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

# One row per run and training step; with `limr.core.tables.DRAWN` where a run has a sampler.
COLLECTED_METRICS = pa.schema([*RUN, *METRICS])

# What it also has where every evaluation knows its reasons.
COLLECTED_REASONS = pa.schema([("not_understood", pa.float64())])  # share of the responses

Entry = tuple[Mapping[str, Any], Path]
Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]


def collect_evaluations(entries: Sequence[Entry]) -> pa.Table:
    """Return `collected/evaluations.parquet`: the responses counted by problem.

    Args:
        entries: (keys, path): `arm`, `group`, `train`, `seed`, `step` and `benchmark` of each
            evaluation file (`limr.core.tables.EVALUATIONS`).

    Raises:
        InputError: no entries, a file that is not one, or without rows.
    """
    tables = [_counted(keys, path) for keys, path in entries]
    known = all(name in table.column_names for table in tables for name in COLLECTED_REASONS.names)
    extra = COLLECTED_REASONS if known else ()
    return _joined(tables, pa.schema([*COLLECTED_EVALUATIONS, *extra]))


def _counted(keys: Mapping[str, Any], path: Path) -> pa.Table:
    columns = ("problem_id", "decoding", "sample", "verdict", "response_tokens", "truncated")
    table = files.read_parquet(path, EVALUATIONS, columns, newer=REASONS)
    if not table.num_rows:
        raise InputError(f"{path}: no responses in it.")
    flags = {"correct": _is(table["verdict"], "correct")}
    flags |= {"truncated": table["truncated"].to_numpy()}
    flags |= {"malformed": _is(table["verdict"], "malformed")}
    if "reason" in table.column_names:
        flags["not_understood"] = _is(table["reason"], UNREAD)
    first, group = _groups(table, "decoding", "problem_id")
    doubled = len(table) - len(_groups(table, "decoding", "problem_id", "sample")[0])
    if doubled:
        raise InputError(f"{path}: {doubled} responses occur twice: {_twice(table)}.")
    n = np.bincount(group)
    numbers = {"response_tokens": table["response_tokens"].to_numpy(), **flags}
    sums = {name: np.bincount(group, values) for name, values in numbers.items()}
    made = {name: pa.array([value] * len(first)) for name, value in keys.items()}
    made |= {name: table[name].take(first) for name in ("decoding", "problem_id")}
    made |= {"n": n, "n_correct": sums.pop("correct")}
    return pa.table(made | {name: total / n for name, total in sums.items()})


def _groups(table: pa.Table, *columns: str) -> tuple[Places, Places]:
    """Return (n_groups,) the first row of every group, in order, and (n_rows,) each row's group."""
    code = np.zeros(len(table), np.int64)
    for name in columns:
        values = table[name].combine_chunks().dictionary_encode()
        known = len(values.dictionary)
        code = code * (known + 1) + values.indices.fill_null(known).to_numpy()
    _, first, group = np.unique(code, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return first[order], place[group]


def _twice(table: pa.Table) -> dict[str, Any]:
    """Return the problem, decoding and sample of a response that occurs twice."""
    columns = ("problem_id", "decoding", "sample")
    again = np.setdiff1d(np.arange(len(table)), _groups(table, *columns)[0])
    found: dict[str, Any] = table.select(columns).slice(int(again[0]), 1).to_pylist()[0]
    return found


def _is(values: pa.ChunkedArray, text: str) -> Flags:
    """Return which values are a text; a missing one is none."""
    found: Flags = pc.fill_null(pc.equal(values.cast(pa.string()), text), False).to_numpy()
    return found


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
        frame = files.read_parquet(path, METRICS, newer=DRAWN).to_pandas().assign(**run)
        frames.append(frame[frame["step"] <= keys["until"]] if "until" in keys else frame)
    counted = any(name in frame for frame in frames for name in DRAWN.names)
    schema = pa.schema([*COLLECTED_METRICS, *(DRAWN if counted else ())])
    return _joined(
        [
            pa.Table.from_pandas(frame.reindex(columns=schema.names), schema, preserve_index=False)
            for frame in frames
        ],
        schema,
    )


def _joined(tables: Sequence[pa.Table], schema: pa.Schema) -> pa.Table:
    if not tables:
        raise InputError("there is nothing to collect: the study has no such files.")
    found = pa.concat_tables([table.select(schema.names).cast(schema) for table in tables])
    return found.combine_chunks().replace_schema_metadata(None)


def summarise_evaluation(table: pa.Table) -> dict[str, Any]:
    """Return what an evaluation's `.json` says of its responses, by decoding.

    The 95 % interval is Wilson's; where a problem has several responses, which are not independent,
    it is Wilson's at the effective size that the spread between problems gives
    (`limr.statistics.estimates`).

    Args:
        table: one evaluation (`limr.core.tables.EVALUATIONS`, perhaps with `REASONS`).
    """
    names = pc.unique(table["decoding"].cast(pa.string())).to_pylist()
    return {name: _summary(table.filter(_is(table["decoding"], name))) for name in names}


def _summary(table: pa.Table) -> dict[str, Any]:
    n = table.num_rows
    correct = _is(table["verdict"], "correct")
    _, problem = _groups(table, "problem_id")
    accuracy: Floats = np.bincount(problem, correct) / np.bincount(problem)
    if len(accuracy) == n:
        method = "Wilson"
        low, high = wilson(int(correct.sum()), n)
    else:
        method = "Wilson, by the spread between problems"
        found = of_mean(Arm({"": accuracy[np.newaxis, :]})).interval()
        low, high = found.low, found.high
    verdicts, broken = _counts(table["verdict"]), _counts(table["format"])
    return {
        "n_problems": len(accuracy),
        "n_responses": n,
        "accuracy": float(accuracy.mean()),
        "interval_95": [low, high],
        "interval_method": method,
        "malformed": verdicts.get("malformed", 0) / n,
        "truncated": pc.sum(table["truncated"]).as_py() / n,
        "no_box": broken.get("no-box", 0) / n,
        "no_answer": table["answer"].null_count / n,
        "mean_response_tokens": pc.mean(table["response_tokens"]).as_py(),
        "verdicts": {name: verdicts.get(name, 0) for name in VERDICTS},
        "format_rules_broken": {rule: count for rule, count in broken.items() if rule},
        **_reasons(table),
    }


def _reasons(table: pa.Table) -> dict[str, Any]:
    """Return why responses are incorrect, counted; nothing where an evaluation does not say."""
    if "reason" not in table.column_names:
        return {}
    return {
        "incorrect_because": _counts(table.filter(_is(table["verdict"], "incorrect"))["reason"])
    }


def _counts(values: pa.ChunkedArray) -> dict[str, int]:
    """Return text -> how often it occurs, by text; missing ones are not counted."""
    found = pc.value_counts(values.cast(pa.string()).drop_null()).to_pylist()
    return dict(sorted((pair["values"], pair["counts"]) for pair in found))

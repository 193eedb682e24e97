"""Published pass rates by problem, in any of the usual ways: one row a problem.

- `5/8`, a text (POLARIS: `difficulty`);
- a share of correct samples (Big-Math: `llama8b_solve_rate`), missing where nothing was measured;
- wrong samples of 16 by model (Skywork-OR1: `extra_info.model_difficulty`);
- counts: correct samples and samples.

A share does not say of how many samples it is: `samples` says it, else the smallest number of which
all shares are whole parts is taken, and that this is a guess is said. AdaRFT's files have a format
of their own, `adarft`. This gives trajectories of a single epoch.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from limr.core.errors import InputError, nearest
from limr.core.tables import Problem
from limr.core.validation import Keys, key
from limr.trajectories import log_files, pass_counts, published_rates, records
from limr.trajectories.batch import walk
from limr.trajectories.curves import Ints
from limr.trajectories.findings import Findings
from limr.trajectories.importers import table
from limr.trajectories.log_builder import prompt_text
from limr.trajectories.matching import Prompt
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "trajectories"
FILES = "*.[cjnp]*"
PRIORITY = -2

_RATE = re.compile(
    r"(^|[_.])(solve|pass|success|win|correct)_?rate($|_)|pass@1|(^|[_.])(acc|accuracy)$", re.I
)
_COUNTS = (
    ("n_correct", "n"), ("num_correct", "num_samples"), ("n_correct", "n_samples"),
    ("correct_count", "total_count"), ("num_correct", "num_generations"),
    ("correctness_count", "num_generations"),
)  # fmt: skip
_BY_MODEL = ("model_difficulty", "extra_info.model_difficulty")
_SKYWORK = 16  # samples of each model


class Options(Keys):
    """Keys of an entry of `trajectories`."""

    column: str | None = key(
        None, "The column of the pass rate, or a dotted path; null: it is found by its name."
    )
    model: str | None = key(
        None, "Whose pass rate, where a file has those of several models; null: there is one."
    )
    samples: int | None = key(
        None,
        "Samples behind every rate; null: what the file says, 16 for Skywork's model_difficulty, "
        "else the smallest number, up to 256, of which every rate is a whole part.",
        ge=1,
    )


@dataclass
class _Rows:
    """What was read, by rows."""

    prompts: list[Prompt] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    totals: list[Any] = field(default_factory=list)
    places: list[str] = field(default_factory=list)


def recognises(sample: Sample) -> bool:
    """Tell whether a file has one row a problem with a pass rate, and is no log of rollouts."""
    prompt = _prompt(sample)
    if prompt is None or sample.names & {*table.NAMES["response"], *table.NAMES["step"]}:
        return False
    texts = [repr(row.get(prompt)) for row in sample.rows]
    return len(set(texts)) == len(texts) and bool(_candidates(sample))


def _prompt(sample: Sample) -> str | None:
    return next((name for name in table.NAMES["prompt"] if name in sample.names), None)


def _candidates(sample: Sample) -> list[str]:
    """Return the columns that may be a pass rate; `correct/all` for two columns of counts."""
    found = [f"{k}/{n}" for k, n in _COUNTS if sample.has(k, n)][:1]
    found += [path for path in _BY_MODEL if isinstance(sample.value(path), Mapping)]
    inside = sample.value("extra_info")
    names = [*sorted(sample.names), *(f"extra_info.{name}" for name in inside or ())]
    for name in names:
        value = sample.value(name)
        is_text = isinstance(value, str) and bool(pass_counts.TEXT.match(value))
        is_share = bool(_RATE.search(name)) and isinstance(value, float) and 0 <= value <= 1
        if is_text or is_share:
            found.append(name)
    return found


def _column(sample: Sample, options: Mapping[str, Any]) -> str:
    """Return the column to read.

    Raises:
        InputError: none, or several, may be it.
    """
    where, known = sample.file.name, _candidates(sample)
    named = options["column"]
    if named is not None:
        counts = named.split("/")
        if not all(c in sample.names or sample.value(c) is not None for c in counts):
            names = sorted(sample.names)
            raise InputError(
                f"{where}: there is no column '{named}'; found {', '.join(names)}."
                f"{nearest(named, names)}"
            )
        return str(named)
    if len(known) != 1:
        listed = ", ".join(known) or f"none of {', '.join(sorted(sample.names))}"
        raise InputError(
            f"{where}: {len(known)} columns may be the pass rate ({listed}). Name one: "
            "`column: NAME`."
        )
    return known[0]


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return pass rates as trajectories of one epoch.

    A prompt that is in no problem file is no error here: such files hold more than one data set.

    Raises:
        InputError: no column, or several, may be the pass rate; a value that is none; rates that
            are parts of no number of samples; no prompt of any problem.
    """
    found = Findings()
    files = log_files.series(list(paths), found)
    sample = records.sample(files[0])
    prompt = _prompt(sample)
    if prompt is None:
        names = ", ".join(table.NAMES["prompt"])
        raise InputError(f"{files[0].name}: no column of prompts; these are known: {names}.")
    column = _column(sample, options)
    model = _model(sample, column, options["model"])
    rows = _rows(files, prompt, column, model)
    n_correct, n = _counts(rows, column, model, options["samples"], found)
    missing = n == 0
    if missing.any():
        first = rows.places[int(np.argmax(missing))]
        count = int(missing.sum())
        found.add(
            "rates-missing",
            f"'{column}' is missing in {count:,} of {len(missing):,} rows, which are left out.",
            count=count,
            where=first,
        )
    return published_rates.imported(
        rows.prompts, n_correct, n, problems, rows.places.__getitem__, found
    )


def _model(sample: Sample, column: str, named: str | None) -> str | None:
    """Return the model whose difficulty is read, where a column has those of several."""
    inside = sample.value(column)
    if not isinstance(inside, Mapping):
        return None
    known = sorted(inside)
    if (named is None and len(known) != 1) or (named is not None and named not in known):
        near = nearest(named, known) if named else ""
        raise InputError(
            f"{sample.file.name}: '{column}' has the models {', '.join(known)}. Name one: "
            f"`model: NAME`.{near}"
        )
    return named or known[0]


def _rows(files: Sequence[log_files.LogFile], prompt: str, column: str, model: str | None) -> _Rows:
    rows = _Rows()
    value, _, total = column.partition("/")
    wanted = {"prompt": prompt, "value": value} | ({"total": total} if total else {})
    for file in files:
        for batch in records.batches(file, wanted):
            if batch.broken:
                number, why = batch.broken[0]
                raise InputError(f"{file.name}: row {number}: {why}.")
            columns = {
                name: v if isinstance(v, list) else v.to_pylist()
                for name, v in batch.columns.items()
            }
            rows.prompts += _prompts(columns["prompt"], batch.rows.tolist(), file.name)
            rows.values += [walk(v, model) if model else v for v in columns["value"]]
            rows.totals += columns.get("total", [])
            rows.places += [f"{file.name}: row {row}" for row in batch.rows.tolist()]
    if not rows.prompts:
        raise InputError(f"{files[0].name}: no rows in it.")
    return rows


def _prompts(values: Sequence[Any], rows: Sequence[int], where: str) -> Iterator[Prompt]:
    for row, value in zip(rows, values, strict=True):
        text = prompt_text(value)
        if not text:
            raise InputError(f"{where}: row {row}: no prompt in it.")
        yield text, None


def _counts(
    rows: _Rows, column: str, model: str | None, samples: int | None, found: Findings
) -> tuple[Ints, Ints]:
    """Return (n_rows,) correct samples, and (n_rows,) samples, 0 where nothing was measured."""
    places = rows.places
    if any(isinstance(value, str) and "/" in value for value in rows.values):
        return pass_counts.of_texts(rows.values, places)
    values = pass_counts.numbers(rows.values, column, places)
    known = ~np.isnan(values)
    if rows.totals:
        totals = pass_counts.numbers(rows.totals, column, places)
        return pass_counts.whole(values, totals, known & ~np.isnan(totals), column, places)
    if model is None:
        return pass_counts.of_shares(values, known, column, samples, places, found)
    n = samples or _SKYWORK
    found.add(
        "wrong-of-samples",
        f"'{column}' of {model} is taken for wrong samples of {n}, as Skywork-OR1 publishes it.",
    )
    total = np.full(len(values), float(n))
    return pass_counts.whole(total - values, total, known, column, places)

"""Our rollouts.parquet to learning curves: accuracy by problem and epoch, in one pass.

Rows are read in batches, the responses never. What is kept is 8 bytes per row, to find rows that
occur twice, and 16 bytes per problem and epoch. Correctness comes from the verdict, never from the
reward. All samples of a problem within an epoch count together, as in the paper's code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import Field

from limr.core import files, progress
from limr.core.arrow import find, strings, vector
from limr.core.errors import InputError
from limr.core.tables import ROLLOUTS, VERDICTS, Problem
from limr.core.validation import ABSENT, Keys, Number, key
from limr.trajectories import reading
from limr.trajectories.counts import Counts
from limr.trajectories.curves import Ints
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "trajectories"
FILES = None


class Options(Keys):
    """Keys of an entry of `trajectories`."""

    rewards: list[Number] | None = key(
        None,
        "The rewards that the run's rule gives; any other is refused. null: any finite number.",
        min_length=1,
    )
    samples: int | None = key(
        None,
        "Count the first so many samples of each problem and step alone: what a run with fewer "
        "samples would have shown. null: all.",
        ge=1,
    )
    steps: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=2, max_length=2)] = key(
        ABSENT,
        "The first and the last training step that count, such as `[1, 24]`: the part of a run "
        "that another arm starts from. Without the key, all.",
    )


def check(options: Mapping[str, Any]) -> None:
    """Refuse steps that are none."""
    first, last = options.get("steps", (1, 1))
    if first > last:
        raise InputError(f"steps: the first, {first}, lies behind the last, {last}.")


COLUMNS = ("problem_id", "step", "epoch", "sample", "reward", "verdict")
_BATCH = 1 << 20
# A row's key holds step, problem and sample in 31, 25 and 7 bits.
_PROBLEM_BITS, _SAMPLE_BITS = 25, 7


def recognises(sample: Sample) -> bool:
    """Tell whether a file is a parquet table of our own rollouts."""
    return sample.file.kind == "parquet" and sample.has(*COLUMNS)


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of a run, or of runs that go on from each other.

    Of several runs, `options` have `until`: the last step of each that counts, null for all.

    Raises:
        InputError: not such a file, a missing value, a negative epoch or step, a reward that is not
            finite or not the rule's, an unknown verdict, a (problem, step, sample) that occurs
            twice, steps or samples that the run has not, or a problem that is not in `problems`.
    """
    until = options.get("until") or [None]
    if len(until) == 1:
        paths = [reading.one(paths)]
    given = reading.ids_of(problems)
    ids = strings([]) if given is None else given
    rows = [_rows(path) for path in paths]
    counts, keys = Counts(), np.empty(sum(rows), np.int64)
    read, most, counted = 0, {"step": 0, "sample": 0}, 0
    for path, last in zip(paths, until, strict=True):
        for first, batch in progress.ahead(_batches(path)):
            names = batch["problem_id"].dictionary.cast(pa.string())
            if given is None:
                ids = pc.unique(pa.concat_arrays([ids, names]))
            if len(ids) > 1 << _PROBLEM_BITS:  # else two rows could have one key
                raise InputError(f"{path}: more than {1 << _PROBLEM_BITS:,} different problem_ids.")
            problem = find(names, ids)[vector(batch["problem_id"].indices)]
            correct = _checked(batch, problem, options["rewards"], first, path)
            most = {name: max(n, int(batch[name].max())) for name, n in most.items()}
            key = (batch["step"].astype(np.int64) << _PROBLEM_BITS | problem) << _SAMPLE_BITS
            key |= batch["sample"]
            columns: list[Any] = [problem, batch["epoch"], correct, batch["reward"]]
            if last is not None:
                key = key[batch["step"] <= last]
            keys[read : read + len(key)] = key
            read += len(key)
            if (kept := _kept(batch, last, options)) is not None:
                columns = [column[kept] for column in columns]
            counted += len(columns[0])
            counts.add(columns[0], columns[1], None, *columns[2:])
    _refuse_doubled(keys[:read], ids, paths[-1])
    _refuse_too_many(options, most, paths[-1])
    table = counts.table(ids)
    return Imported(ids, table, sum(rows), counted, notes=reading.coverage(table, len(ids)))


def _rows(path: Path) -> int:
    """Return the number of a file's rows, which is not 0."""
    files.check_parquet(path, COLUMNS)
    rows = int(pq.read_metadata(path).num_rows)
    if not rows:
        raise InputError(f"{path}: no rows in it.")
    return rows


def _kept(batch: Mapping[str, Any], until: int | None, options: Mapping[str, Any]) -> Any:
    """Return (n_rows,) which rows count; None: all."""
    steps = options.get("steps")
    conditions = []
    if options["samples"] is not None:
        conditions.append(batch["sample"] < options["samples"])
    if until is not None:
        conditions.append(batch["step"] <= until)
    if steps is not None:
        conditions += [batch["step"] >= steps[0], batch["step"] <= steps[1]]
    return np.logical_and.reduce(conditions) if conditions else None


def _refuse_too_many(options: Mapping[str, Any], most: Mapping[str, int], path: Path) -> None:
    """Refuse more samples or steps than there are; `most`: the last of each, samples from 0."""
    wanted, steps = options["samples"], options.get("steps")
    if wanted is not None and wanted > most["sample"] + 1:
        raise InputError(
            f"{path}: samples: {wanted} are asked for, problems have at most "
            f"{most['sample'] + 1} per step."
        )
    if steps is not None and steps[1] > most["step"]:
        raise InputError(f"{path}: steps: {steps} are asked for, the last one is {most['step']}.")


def _batches(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number of the first row, from 0, and the columns as vectors; texts as codes.

    Raises:
        InputError: not a readable file of rollouts, or a value is missing.
    """
    first = 0
    try:
        file = pq.ParquetFile(path, read_dictionary=["problem_id", "verdict"], memory_map=True)
        with progress.bar(file.metadata.num_rows, "rollouts") as shown:
            for batch in file.iter_batches(_BATCH, columns=list(COLUMNS)):
                columns = {}
                for name in COLUMNS:
                    column = batch.column(name)
                    missing, ids = column.is_null(), batch.column("problem_id")
                    if column.null_count:
                        reading.refuse_rows(missing, first, ids, path, f"{name} is missing")
                    if name not in ("problem_id", "verdict"):
                        columns[name] = vector(column.cast(ROLLOUTS.field(name).type))
                    elif isinstance(column, pa.DictionaryArray):
                        columns[name] = column
                    else:
                        columns[name] = column.dictionary_encode()
                yield first, columns
                first += batch.num_rows
                shown.update(batch.num_rows)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{path}: not a readable parquet table of this kind ({error}), after {first} rows."
        ) from None


def _checked(
    batch: Mapping[str, Any], problem: Ints, rewards: Sequence[float] | None, first: int, path: Path
) -> Any:
    """Return (n_rows,) whether a response is correct.

    Raises:
        InputError: see `read`.
    """

    def refuse(bad: Any, what: str) -> None:
        reading.refuse_rows(bad, first, batch["problem_id"], path, what)

    verdicts = batch["verdict"].dictionary.to_pylist()
    verdict = vector(batch["verdict"].indices)
    known = np.array([text in VERDICTS for text in verdicts], bool)
    refuse(problem < 0, "a problem_id that is in no problem file")
    refuse(~known[verdict], f"a verdict that is none of {VERDICTS}")
    for name in ("step", "epoch", "sample"):
        refuse(batch[name] < 0, f"a negative {name}")
    refuse(~np.isfinite(batch["reward"]), "a reward that is not a finite number")
    if rewards is not None:
        allowed = np.isin(batch["reward"], np.array(rewards, np.float32))
        refuse(~allowed, f"a reward that is none of {list(rewards)}")
    return np.array([text == "correct" for text in verdicts], bool)[verdict]


def _refuse_doubled(keys: Ints, ids: pa.Array, path: Path) -> None:
    """Refuse a (problem, step, sample) that occurs twice; sorts the rows' keys in place."""
    keys.sort()
    doubled = np.unique(keys[1:][keys[1:] == keys[:-1]])
    if len(doubled):
        step, rest = divmod(int(doubled[0]), 1 << (_PROBLEM_BITS + _SAMPLE_BITS))
        problem, sample = divmod(rest, 1 << _SAMPLE_BITS)
        first = {"problem_id": ids[problem].as_py(), "step": step, "sample": sample}
        raise reading.doubled_error(path, len(doubled), first)

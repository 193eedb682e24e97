"""`limr score`: score the problems of a finished run, outside a workflow."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from limr import io, registry, schema, selection
from limr.errors import InputError
from limr.records import SCORES, Problem, read_problems

HELP = "score problems from a run's rollouts, or from published scores"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("path", type=Path, help="the rollouts, trajectories or scores")
    parser.add_argument("--format", required=True, choices=registry.names("importers"))
    parser.add_argument("--selector", default="lim", choices=registry.names("selectors"))
    parser.add_argument("--epochs", type=int, help="score from the first so many epochs")
    parser.add_argument("--missing", help="what to do with a missing epoch (see the selector)")
    parser.add_argument("--steps-per-epoch", type=int, help="for formats that know steps only")
    parser.add_argument(
        "--problems", type=Path, help="the problems, .jsonl or .json; else the ids that PATH names"
    )
    parser.add_argument("--seed", type=int, default=1, help="for selectors that draw at random")
    parser.add_argument("--output", type=Path, required=True, help="scores.parquet")


def run(args: argparse.Namespace) -> int:
    """Write the scores, and a summary on stderr; return the exit code.

    Raises:
        InputError: what a user can mend.
    """
    importer = registry.load("importers", args.format)
    given = {"steps_per_epoch": args.steps_per_epoch}
    options = {key: value for key, value in given.items() if value is not None}
    options = schema.complete(options, importer.OPTIONS, f"format '{args.format}'")
    problems = _problems(args, importer.PROVIDES)
    table, notes = importer.read(args.path, problems, options)
    if importer.PROVIDES == "trajectories":
        table = _scores(args, problems, table)
    io.write_parquet(args.output, table.cast(SCORES))
    _summarise(table.to_pandas(), notes, args.output)
    return 0


def _scores(args: argparse.Namespace, problems: list[Problem], table: pa.Table) -> pa.Table:
    given: dict[str, Any] = {"epochs": args.epochs, "missing": args.missing}
    options = {key: value for key, value in given.items() if value is not None}
    return selection.score_problems(
        args.selector,
        problems,
        table.to_pandas(),
        options,
        seed=args.seed,
        name=args.selector,
    )


def _problems(args: argparse.Namespace, provides: str) -> list[Problem]:
    """Return the problems that were named, or one for every id in PATH."""
    if args.problems is not None:
        return _read_problems(args.problems)
    if provides == "scores":
        raise InputError(f"--problems is needed for the format '{args.format}': it has no ids.")
    ids = pa.schema([("problem_id", pa.string())])
    column = io.read_parquet(args.path, ids)["problem_id"]
    return [Problem(str(key), "-", "-", "-") for key in column.unique().to_pylist()]


def _read_problems(path: Path) -> list[Problem]:
    """Read problems from our .jsonl or from a .json list with `problem_id` or `id`."""
    if path.suffix != ".json":
        return read_problems(path)
    rows = io.read_json(path)
    if not isinstance(rows, list):
        raise InputError(f"{path}: expected a list of problems, found {type(rows).__name__}.")
    problems = []
    for number, row in enumerate(rows, start=1):
        key = row.get("problem_id", row.get("id")) if isinstance(row, dict) else None
        if key is None or not isinstance(row.get("prompt"), str):
            raise InputError(f"{path}: entry {number} needs an 'id' and a 'prompt'.")
        problems.append(Problem(str(key), row["prompt"], str(row.get("answer", "")), path.stem))
    if len({problem.problem_id for problem in problems}) < len(problems):
        raise InputError(f"{path}: an id stands twice. Ids join every table: make them unique.")
    return problems


def _summarise(scores: pd.DataFrame, notes: list[str], output: Path) -> None:
    lines = [*notes]
    values = scores["score"].to_numpy(float)
    found = values[~pd.isna(values)]
    lines.append(f"{len(found)} of {len(values)} problems scored.")
    for reason, number in scores.loc[scores["score"].isna(), "reason"].value_counts().items():
        lines.append(f"  {number} not scored: {reason}.")
    if len(found):
        counts = ", ".join(f"{key}: {n}" for key, n in selection.sizes(found).items())
        lines.append(f"Scores from {found.min():.3f} to {found.max():.3f}; sizes at {counts}.")
    lines.append(f"Written to {output}.")
    print("\n".join(lines), file=sys.stderr)  # noqa: T201 - the summary

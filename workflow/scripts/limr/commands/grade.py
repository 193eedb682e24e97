"""`limr grade`: grade the responses of a file with the study's grader."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from limr import io
from limr.errors import InputError
from limr.grading.grade import Grader

HELP = "grade responses: rows with gold and response gain verdict and answer"
_EVERY = 200  # rows between two looks at the progress line


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.description = (
        "Each line of INPUT is a JSON object with the texts `gold` and `response`, and perhaps "
        "`truncated` (true: the end token never came). The same objects are written with "
        "`verdict` (correct, incorrect or malformed) and `answer` (null where there is none)."
    )
    parser.add_argument("input", metavar="INPUT.jsonl", type=Path, help="the responses")
    parser.add_argument(
        "--output", metavar="OUT.jsonl", type=Path, required=True, help="where the verdicts go"
    )


def run(args: argparse.Namespace) -> int:
    """Grade the file; return 0.

    Raises:
        InputError: a line is not a JSON object or lacks a text.
    """
    rows = io.read_jsonl(args.input)
    for number, row in enumerate(rows, start=1):
        _check(row, f"{args.input}: row {number}")
    grader = Grader()
    graded = []
    for number, row in enumerate(rows, start=1):
        grade = grader.grade(row["gold"], row["response"], truncated=row.get("truncated", False))
        graded.append({**row, "verdict": grade.verdict, "answer": grade.answer})
        if sys.stderr.isatty() and (number % _EVERY == 0 or number == len(rows)):
            sys.stderr.write(f"\rgraded {number} of {len(rows)}")
    if sys.stderr.isatty() and rows:
        sys.stderr.write("\n")
    io.write_jsonl(args.output, graded)
    return 0


def _check(row: dict[str, Any], where: str) -> None:
    for key in ("gold", "response"):
        if not isinstance(row.get(key), str):
            raise InputError(f"{where}: '{key}' must be a text, found {row.get(key)!r:.80}.")
    if not isinstance(row.get("truncated", False), bool):
        raise InputError(f"{where}: 'truncated' must be true or false: {row['truncated']!r:.80}.")

"""`limr grade`: grade the responses of a file with the study's grader."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limr.core.errors import InputError, nearest

if TYPE_CHECKING:
    from limr.grading.grade import Grade
    from limr.grading.screen import Item

_OTHER_RULES = ("preset", "plugin")
HELP = "grade responses: rows with gold and response gain verdict, answer and reason"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    from limr.grading.pool import SECONDS

    parser.description = (
        "Each line of INPUT is a JSON object with the texts `gold` and `response`, and perhaps "
        "`truncated` (true: the end token never came) and `prompt` (for a plug-in that asks for "
        "it). The same objects are written with "
        "`verdict` (correct, incorrect or malformed), `answer` (null where there is none) and "
        "`reason` (why it is not correct: the format rule, different, not-understood, not-compared "
        "(arithmetic left undone), no-gold, or timed-out, out-of-memory or crashed for a limit). "
        "Answers that need algebra are compared in processes of their own, which are ended at the "
        "limits."
    )
    parser.add_argument("input", metavar="INPUT.jsonl", type=Path, help="the responses")
    parser.add_argument(
        "--output", metavar="OUT.jsonl", type=Path, required=True, help="where the verdicts go"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=SECONDS,
        help="most time for one answer; a slower one is incorrect (%(default)s)",
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a key of a study's `grader`, such as answer=whole or plugin=NAME; may be repeated",
    )
    parser.add_argument(
        "--workers", type=int, help="processes (as many as there are cores, at most 4)"
    )
    parser.add_argument(
        "--explain",
        action="store_true",
        help="add `outcome` (equal, different, not understood), `type`, `rule` and "
        "`grader_version` to each row, and print how many answers had which outcome",
    )


def run(args: argparse.Namespace) -> int:
    """Grade the file; return 0.

    Raises:
        InputError: a line is not a JSON object or lacks a text, or the limits make no sense.
    """
    from limr.core import files, progress
    from limr.grading.pool import GradingPool

    if args.explain and any(text.partition("=")[0] in _OTHER_RULES for text in args.option):
        raise InputError("--explain: another rule decides (preset or plugin); it explains nothing.")
    if not args.seconds > 0 or (args.workers is not None and args.workers < 1):
        raise InputError("--seconds and --workers must be greater than 0.")
    rows = files.read_jsonl(args.input)
    for number, row in enumerate(rows, start=1):
        _check(row, f"{args.input}: row {number}")
    items: list[Item] = [
        (row["gold"], row["response"], row.get("truncated", False), *_prompt(row)) for row in rows
    ]
    settings = _settings(args.option)
    strictness = settings.get("strictness", "standard")
    with (
        GradingPool(settings, workers=args.workers, seconds=args.seconds) as pool,
        progress.bar(len(rows), "responses") as shown,
    ):
        grades = pool.grade_many(items, done=shown.update)
    if args.explain:
        rows = [
            {**row, **_explained(row["gold"], one, strictness)}
            for row, one in zip(rows, grades, strict=True)
        ]
        sys.stdout.write(_outcomes(rows))
    files.write_text(args.output, "".join(map(_line, rows, grades)))
    return 0


def _explained(gold: str, grade: Grade, strictness: str) -> dict[str, Any]:
    """Return how a verdict was reached; an answer that was not compared has None."""
    from limr.grading.equality import explained
    from limr.grading.grade import GRADER_VERSION

    one = explained(gold, grade.answer, grade.verdict, grade.reason, strictness)
    found = (one.outcome, one.kind, one.rule) if one else (None, None, None)
    return dict(zip(("outcome", "type", "rule"), found, strict=True)) | {
        "grader_version": GRADER_VERSION
    }


def _outcomes(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the outcomes by type with their numbers, one a line."""
    counts = Counter((row["outcome"] or "not compared", row["type"] or "-") for row in rows)
    lines = [f"{n:>8,}  {outcome}: {kind}" for (outcome, kind), n in sorted(counts.items())]
    return "\n".join(lines) + "\n" if lines else ""


def _settings(options: Sequence[str]) -> dict[str, Any]:
    """Return the grader's settings, checked, from texts KEY=VALUE."""
    import yaml

    from limr.core import validation
    from limr.grading.grade import check
    from limr.grading.settings import Grader

    given = {}
    for text in options:
        key, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--option {text}: expected KEY=VALUE.")
        given[key] = yaml.safe_load(value)
    settings: dict[str, Any] = validation.complete(given, Grader, "--option")
    check(settings)
    return settings


def _line(row: dict[str, Any], grade: Grade) -> str:
    r"""Return a row with its grade as a line; a lone surrogate, no UTF-8, becomes `\ud800`."""
    added = {"verdict": grade.verdict, "answer": grade.answer, "reason": grade.reason}
    line = json.dumps({**row, **added}, ensure_ascii=False)
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found.group()):04x}", line) + "\n"


def _prompt(row: Mapping[str, Any]) -> tuple[()] | tuple[str]:
    return (row["prompt"],) if isinstance(row.get("prompt"), str) else ()


def _check(row: dict[str, Any], where: str) -> None:
    for key in ("gold", "response"):
        if key not in row:
            raise InputError(f"{where}: there is no '{key}'.{nearest(key, row):.300}")
        if not isinstance(row.get(key), str):
            raise InputError(f"{where}: '{key}' must be a text, found {row.get(key)!r:.80}.")
    if not isinstance(row.get("truncated", False), bool):
        raise InputError(f"{where}: 'truncated' must be true or false: {row['truncated']!r:.80}.")

"""`limr look`: from any trainer's log to the prompts that are worth it."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limr.core import plugins
from limr.core.errors import InputError, nearest

if TYPE_CHECKING:
    from limr.look.looked import Looked
    from limr.problems.own_file import OwnFile

HELP = "look at a trainer's log: what is in it, and which prompts are worth the compute"
EPILOG = """\
LOG is a file, a folder, a pattern or a pipe, packed or not; several are parts of one run, in order.
Format, columns and epochs are found by themselves; what was found is said first. Examples:

  limr look rollouts/
  limr look completions/ --data train.parquet --top 1000 --as train-best.parquet
  limr look run.jsonl --map prompt=question,reward=r --correct-above 0.5

docs/logs.md says for each trainer where its log is, and explains every finding.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("log", nargs="+", metavar="LOG", help="the log; see below")
    parser.add_argument("--data", type=Path, metavar="FILE", help="the file that was trained on")
    parser.add_argument(
        "--data-columns", metavar="ROLE=COLUMN,…",
        help="its columns, if not found: prompt, answer, id, source, level",
    )  # fmt: skip
    parser.add_argument(
        "--selector", choices=plugins.names("selectors"),
        help="what ranks the prompts (lim where the log has curves, else learnability)",
    )  # fmt: skip
    cut = parser.add_mutually_exclusive_group()
    cut.add_argument("--top", type=int, metavar="K", help="choose the best K prompts")
    cut.add_argument("--threshold", type=float, metavar="T", help="choose scores of at least T")
    parser.add_argument(
        "--as", dest="target", metavar="FILE",
        help="write the chosen rows of --data as they are: .parquet, .jsonl, .csv or FOLDER/ "
        "of Hugging Face datasets",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="(LOG.limr/)")
    parser.add_argument("--csv", action="store_true", help="write prompts.csv, too")
    known_better(parser).add_argument(
        "--option", action="append", default=[], metavar="KEY=VALUE",
        help="a further option of the format or the selector (config/README.md); may be repeated",
    )  # fmt: skip


def known_better(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Add what a user may say of a log, for every command that reads one; return the group."""
    found = parser.add_argument_group("what is found by itself, if you know better")
    found.add_argument("--format", choices=plugins.names("importers"), help="of the log")
    found.add_argument("--map", metavar="NAME=COLUMN,…", help="the log's columns (format table)")
    found.add_argument("--reward", metavar="COLUMN", help="what says that a response is correct")
    found.add_argument(
        "--correct-above", type=float, metavar="T", help="correct is a reward above this number"
    )
    return found


def said_of_log(args: argparse.Namespace) -> tuple[dict[str, Any], set[str]]:
    """Return the options of the log's format that `known_better` took, and all keys it has."""
    from limr.trajectories import reader

    log = {"reward": args.reward, "correct_above": args.correct_above}
    log["map"] = _pairs("--map", args.map)
    keys = set(reader.Options.model_fields)
    if args.format:
        keys |= set(keys_of("importers", args.format))
    return {key: value for key, value in log.items() if value is not None}, keys


def run(args: argparse.Namespace) -> int:
    """Write the folder and say what was found; return 1 where nothing could be scored.

    Raises:
        InputError: what a user can mend; nothing is written then.
    """
    from limr.look import look, terminal, writing

    folder = args.output or Path(f"{args.log[0].rstrip('/')}.limr")
    own = _data(args, folder)
    log_options, options = _options(args)
    with tempfile.TemporaryDirectory(prefix="limr-") as spool:
        looked = look.look(
            args.log, own.problems if own else None, format_=args.format, log_options=log_options,
            selector=args.selector, options=options, spool=Path(spool),
        )  # fmt: skip
        chosen = _chosen(args, looked)
        written = writing.write(looked, folder, csv=args.csv)
    said = terminal.lines(looked)
    if own is not None:
        said[1:1] = [f"  data: {own.in_words()}", *(f"  {note}" for note in own.notes)]
    if own is not None and args.target is not None:
        said += ["", _write_rows(args, own, chosen)]
    elif chosen is not None:
        said += ["", f"{len(chosen):,} prompts chosen."]
    said += ["", f"Written: {', '.join(str(path) for path in written)}."]
    sys.stdout.write("\n".join(said) + "\n")
    return 0 if looked.prompts["score"].notna().any() else 1


def _data(args: argparse.Namespace, folder: Path) -> OwnFile | None:
    """Return the user's data file, and refuse what would fail after the work."""
    from limr.problems import own_file, own_rows

    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; name a folder: --output FOLDER.")
    if args.target is not None:
        if args.data is None:
            raise InputError("--as needs --data: the file whose rows are to be chosen.")
        if args.top is None and args.threshold is None:
            raise InputError("--as needs --top K or --threshold T: how many rows to choose.")
        own_rows.check_target(args.target)
    if args.top is not None and args.top < 1:
        raise InputError(f"--top {args.top}: choose at least 1 prompt.")
    if args.data is None:
        return None
    return own_file.open_file(args.data, _pairs("--data-columns", args.data_columns))


def _options(args: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return options of the format and of the selector."""
    from limr.core.validation import from_text

    log, known = said_of_log(args)
    options: dict[str, Any] = {}
    theirs = set(keys_of("selectors", args.selector)) if args.selector else known
    for text in args.option:
        key, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--option {text}: expected KEY=VALUE.{nearest(key, known | theirs)}")
        (log if key in known else options)[key] = from_text(value)
    return {key: value for key, value in log.items() if value is not None}, options


def _pairs(option: str, text: str | None) -> dict[str, str] | None:
    """Return NAME=COLUMN,… as a mapping."""
    if text is None:
        return None
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(name.strip() and equals for name, equals, _ in pairs):
        raise InputError(f"{option} {text}: expected NAME=COLUMN,NAME=COLUMN.")
    return {name.strip(): column.strip() for name, _, column in pairs}


def keys_of(kind: str, name: str) -> list[str]:
    """Return the keys of a plug-in's options."""
    from limr.core import validation

    return list(validation.options(plugins.load(kind, name)).model_fields)


def _chosen(args: argparse.Namespace, looked: Looked) -> list[str] | None:
    """Return the ids of the chosen prompts, best first; None where nothing is to be chosen."""
    table = looked.prompts[looked.prompts["score"].notna()]
    if args.top is not None:
        if args.top > len(table):
            raise InputError(f"--top {args.top}: only {len(table):,} prompts have a score.")
        return list(table["problem_id"].head(args.top))
    if args.threshold is not None:
        return list(table["problem_id"][table["score"] >= args.threshold])
    return None


def _write_rows(args: argparse.Namespace, own: OwnFile, chosen: list[str] | None) -> str:
    """Write the chosen rows of the user's own file, and say how many."""
    from limr.problems import own_rows

    wanted = set(chosen or ())
    rows = own.rows_of(wanted)
    if not rows:
        return (
            f"No prompt has a score of {args.threshold:g} or more: {args.target} was not written."
        )
    notes = own_rows.write(args.data, rows, args.target)
    said = f"{len(rows):,} rows of {len(wanted):,} prompts of {args.data} written to {args.target}."
    return " ".join([said, *notes])

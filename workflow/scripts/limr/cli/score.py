"""`limr score`: which problems matter, from any log of training, outside a workflow."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limr.core import own_files, plugins
from limr.core.errors import InputError, nearest

if TYPE_CHECKING:  # what only `run` needs is loaded there: `limr --help` and small logs start fast
    from types import ModuleType

    from limr.core.tables import Problem
    from limr.scores.scoring import ProblemSet, Scores
    from limr.trajectories.curves import Samples
    from limr.trajectories.reading import Imported

HELP = "score problems from a log of training, or from published scores"
EPILOG = """\
A folder is read as a log of several files (limr-steps: step_1.json, step_2.json, …). Without
--problems the ids are those of the log; where a log has prompts without ids, ids are made from the
prompts, and a file .problems.jsonl next to OUTPUT lists them. Every further option of a format or a
selector (config/README.md lists them) is given as --option KEY=VALUE.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("path", type=Path, help="the log: a file, or a folder of its files")
    parser.add_argument(
        "--format", choices=plugins.names("importers"), help="of the log; else it is recognised"
    )
    parser.add_argument("--selector", default="lim", choices=plugins.names("selectors"))
    parser.add_argument("--epochs", type=int, help="score from the first epochs only, this many")
    parser.add_argument("--missing", help="what to do with a missing epoch (see the selector)")
    parser.add_argument("--steps-per-epoch", type=int, help="for formats that know steps only")
    parser.add_argument(
        "--problems", type=Path, help="the problems, .jsonl or .json; else those that the log names"
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a further option of the format or the selector; may be repeated",
    )
    cut = parser.add_mutually_exclusive_group()
    cut.add_argument("--threshold", type=float, help="write the problems with at least this score")
    cut.add_argument("--size", type=int, help="write the best problems, this many")
    parser.add_argument("--subset", type=Path, help="where the chosen problems go, .jsonl")
    parser.add_argument(
        "--draws",
        type=int,
        default=0,
        help="redraw every sample this many times and report how certain the scores and the choice "
        "are (1000 is plenty; writes .diagnostics.parquet and .epochs.parquet next to OUTPUT)",
    )
    parser.add_argument(
        "--seed", type=int, default=1, help="of random selectors and ties (%(default)s)"
    )
    parser.add_argument("--output", type=Path, required=True, help="scores.parquet")


def run(args: argparse.Namespace) -> int:
    """Write the scores, and a summary on stderr; return the exit code.

    Raises:
        InputError: what a user can mend.
    """
    from limr.core import validation
    from limr.problems import own_file
    from limr.scores import scoring
    from limr.trajectories import reader

    _check_choice(args)
    name = args.format or _recognised(args.path)
    importer, selector = plugins.load("importers", name), plugins.load("selectors", args.selector)
    options = _options(args, importer, selector)
    settings = validation.complete(options[0], validation.options(importer), f"format '{name}'")
    problems = own_file.read(args.problems) if args.problems is not None else None
    if problems is None and importer.PROVIDES == "scores":
        raise InputError(f"--problems is needed for the format '{name}': it has no ids.")
    if args.format is None:
        found = reader.read([args.path], problems, options[0], name)
    else:
        found = _read_as(name, importer, args.path, problems, settings)
    ids = found.problem_ids.to_pylist()
    levels = [p.level for p in problems] if problems is not None else [None] * len(ids)
    candidates, table = scoring.ProblemSet(ids, levels), found.table
    lines = found.report()
    if importer.PROVIDES == "scores":
        lines += _summary(table)
    else:
        key = {"seed": args.seed, "name": args.selector}
        made = scoring.score(args.selector, candidates, found.samples, options[1], **key)
        table = scoring.score_table(made, candidates)
        lines += [*made.notes, *_summary(table)]
        lines += _solved(args, made, found.samples, selector, options[1])
        if args.draws:
            lines += _certainty(args, candidates, found.samples, selector, options[1])
    if args.subset is not None:
        lines += _without_right_answers(found) if importer.PROVIDES != "scores" else []
        try:
            lines += _write_subset(args, table, problems, found)
        except InputError as error:
            raise InputError("\n".join([str(error), *_without_right_answers(found)])) from None
    _write_scores(args.output, table)
    if found.prompts:
        beside = args.output.with_suffix(".problems.jsonl")
        own_file.write_made(beside, ids, found.prompts, args.path.stem)
        lines.append(f"The prompts behind the ids: {beside}.")
    lines.append(f"Written to {args.output}.")
    sys.stderr.write("\n".join(lines) + "\n")
    return 0


def _check_choice(args: argparse.Namespace) -> None:
    """Refuse half of a choice, and say which half is missing."""
    cuts = {"--threshold": args.threshold, "--size": args.size}
    given = [f"{name} {value:g}" for name, value in cuts.items() if value is not None]
    if given and args.subset is None:
        raise InputError(f"{given[0]}: add --subset FILE.jsonl, where the chosen problems go.")
    if args.subset is not None and not given:
        raise InputError(
            f"--subset {args.subset}: add --size N or --threshold T: which problems to choose."
        )
    if args.output.suffix not in ("", ".parquet", ".csv", ".tsv"):
        raise InputError(f"--output {args.output}: scores are written as .parquet, .csv or .tsv.")


def _without_right_answers(found: Imported) -> list[str]:
    """Return a warning where no response of the log was right: nothing can be chosen by that."""
    samples = getattr(found, "samples", None)
    if samples is None or samples.n_correct.sum() or not samples.n.sum():
        return []
    return [
        f"Warning: 0 of {int(samples.n.sum()):,} responses are right, so no score says which "
        "problem helps. Look at some responses; change the prompt, the template, the model or "
        "what counts as right."
    ]


def _write_scores(path: Path, table: Any) -> None:
    """Write the scores as the file's name says."""
    from limr.core import files

    if path.suffix in ("", ".parquet"):
        files.write_parquet(path, table)
    else:
        comma = "," if path.suffix == ".csv" else "\t"
        files.write_text(path, table.to_pandas().to_csv(index=False, sep=comma))


def _read_as(
    name: str, importer: ModuleType, path: Path, problems: list[Problem] | None, settings: Any
) -> Imported:
    """Read a log of a format that the user named; if it is another one, say which."""
    try:
        found: Imported = importer.read(own_files.expand(path, importer), problems, settings)
    except InputError as error:
        try:
            looks = _recognised(path)
        except InputError:
            raise error from None
        if looks == name:
            raise
        raise InputError(
            f"{error}\nBy its content {path} is of the format '{looks}': give that, or no --format."
        ) from None
    return found


def _recognised(path: Path) -> str:
    """Return the name of a log's format."""
    from limr.trajectories import log_files, recognition
    from limr.trajectories.findings import Findings

    return recognition.recognise(log_files.find([path], Findings()), {}, None)[0]


def _options(
    args: argparse.Namespace, importer: ModuleType, selector: ModuleType
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options of the format and of the selector."""
    ours = {"steps_per_epoch": args.steps_per_epoch}
    theirs = {"epochs": args.epochs, "missing": args.missing}
    parts = tuple(
        {key: value for key, value in part.items() if value is not None} for part in (ours, theirs)
    )
    from limr.core.validation import from_text, options

    known = [options(importer).model_fields, options(selector).model_fields]
    for text in args.option:
        key, equals, value = text.partition("=")
        homes = [part for part, keys in zip(parts, known, strict=True) if key in keys]
        names = sorted({name for keys in known for name in keys})
        if not equals:
            raise InputError(f"--option {text}: expected KEY=VALUE.{nearest(key, names)}")
        if not homes:
            raise InputError(
                f"--option {text}: neither the format nor the selector '{args.selector}' has an "
                f"option '{key}'.{nearest(key, names)}"
            )
        for part in homes:
            part[key] = from_text(value)
    return parts[0], parts[1]


def _threshold(args: argparse.Namespace, selector: ModuleType) -> float | None:
    """Return the threshold that was asked for, else the selector's usual one, if it has one."""
    usual = getattr(selector, "THRESHOLD", None)
    return usual if args.threshold is None else args.threshold


def _summary(table: Any) -> list[str]:
    """Return how many problems have a score, why others have none, and sizes at thresholds."""
    import numpy as np

    from limr.core.arrow import vector
    from limr.scores.thresholds import sizes

    values = vector(table["score"])
    scored = values[~np.isnan(values)]
    lines = [f"{len(scored):,} of {len(values):,} problems scored."]
    reasons = Counter(text for text in table["reason"].to_pylist() if text)
    lines += [f"  {n:,} not scored: {reason}." for reason, n in reasons.items()]
    if len(scored):
        counts = ", ".join(f"≥ {key}: {n:,}" for key, n in sizes(scored).items())
        lines.append(f"Scores from {scored.min():.3f} to {scored.max():.3f}; {counts}.")
    return lines


def _solved(
    args: argparse.Namespace,
    scored: Scores,
    samples: Samples,
    selector: ModuleType,
    options: Mapping[str, Any],
) -> list[str]:
    """Return how many problems were never or always solved, and the selector's warnings."""
    from limr.core import validation
    from limr.scores.thresholds import reached

    rate = samples.pass_rate
    lines = [
        f"Never solved: {int((rate == 0).sum()):,} problems; always: {int((rate == 1).sum()):,}."
    ]
    threshold = _threshold(args, selector)
    if threshold is not None and hasattr(selector, "warnings"):
        settings = validation.complete(dict(options), validation.options(selector), "selector")
        texts = selector.warnings(reached(scored.values, threshold), samples, settings)
        lines += [f"Warning, at {threshold:g}: {text}" for text in texts]
    return lines


def _certainty(
    args: argparse.Namespace,
    candidates: ProblemSet,
    samples: Samples,
    selector: ModuleType,
    options: Mapping[str, Any],
) -> list[str]:
    """Write how certain each problem's score is, and say how certain the choice is."""
    from limr.core import files
    from limr.core.random_streams import stream
    from limr.scores import diagnostics

    if not selector.NEEDS_TRAJECTORIES or args.draws < 1:
        raise InputError("--draws is a number of draws from 1, for selectors that need samples.")
    of = diagnostics.subject(
        candidates, samples, args.selector, options, seed=args.seed, name=args.selector
    )
    threshold = _threshold(args, selector)
    if args.size is None and threshold is not None:
        cut = diagnostics.cut_by(of, {"threshold": threshold})
    else:
        cut = diagnostics.cut_best(of, args.size, stream(args.seed, "ties", args.selector))
    draws = stream(args.seed, "diagnose", args.selector, "draws")
    problems = diagnostics.problem_table(of, cut, args.draws, 0.95, draws)
    epochs = diagnostics.epoch_table(of, cut, 0.95)
    for table, name in ((problems, "diagnostics"), (epochs, "epochs")):
        files.write_parquet(args.output.with_suffix(f".{name}.parquet"), table)
    return diagnostics.in_sentences(problems, epochs)


def _write_subset(
    args: argparse.Namespace, table: Any, problems: list[Problem] | None, found: Imported
) -> list[str]:
    """Cut the scores, write the chosen problems, and say what was chosen."""
    from limr.core import files
    from limr.core.random_streams import stream
    from limr.core.tables import Problem
    from limr.subsets import cut as selection

    if problems is None:
        ids = found.problem_ids.to_pylist()
        texts = found.prompts or [""] * len(ids)
        problems = [Problem(key, text, "", "log") for key, text in zip(ids, texts, strict=True)]
    rule = {"threshold": args.threshold} if args.size is None else {"size": args.size}
    rng = stream(args.seed, "ties", args.selector)
    rows, record = selection.cut(table.to_pandas(), problems, rule, rng)
    files.write_jsonl(args.subset, rows)
    lines = [f"{record['n_selected']:,} problems chosen, written to {args.subset}."]
    for what in ("prompt", "answer"):
        empty = sum(not row[what] for row in rows)
        if empty:
            lines.append(
                f"  Warning: {empty:,} of them have no {what}, as the log has none. Give the file "
                "that was trained on: --problems FILE."
            )
    tie = record["ties"]
    if tie is not None and tie["n_at_score"] > tie["n_taken"]:
        lines.append(
            f"  {tie['n_taken']} of the {tie['n_at_score']} tied at the last place; {tie['rule']}."
        )
    return lines

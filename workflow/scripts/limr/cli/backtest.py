"""`limr backtest`: which selector would have gone on finding prompts with a signal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limr.cli.look import keys_of, known_better, said_of_log
from limr.core import plugins
from limr.core.errors import InputError, nearest

if TYPE_CHECKING:
    import pandas as pd

    from limr.scores.backtest import Asked

HELP = "test selectors on a log: choose from its first visits, look at the next ones"
EPILOG = """\
LOG is whatever `limr look` and `limr score` read. Without --selector every selector of learning
curves is tested. An --option belongs to the --selector before it; before any, to the log's format,
or to every selector that has it. Examples:

  limr backtest rollouts/
  limr backtest rollouts/ --selector lim --selector learnability --option epochs=4
  limr backtest rollouts/ --selector lim --size 200 --at-least 0.9

docs/backtest.md explains every number, and says what a backtest cannot tell.
"""
TABLES = (".csv", ".tsv", ".parquet")


def _ask(kind: str) -> Any:
    return lambda text: (kind, text)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("log", nargs="+", metavar="LOG", help="the log; see below")
    parser.add_argument("--data", type=Path, metavar="FILE", help="the file that was trained on")
    parser.add_argument(
        "--selector", dest="asked", action="append", default=[], type=_ask("selector"),
        metavar="NAME", help="a selector to test; may be repeated (all that need a log)",
    )  # fmt: skip
    parser.add_argument(
        "--option", dest="asked", action="append", type=_ask("option"), metavar="KEY=VALUE",
        help="an option of the selector before it, or of the format (config/README.md)",
    )  # fmt: skip
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--size", type=int, metavar="K", help="choose K prompts")
    size.add_argument(
        "--share", type=float, metavar="S", help="choose this share of them (a sixth)"
    )
    parser.add_argument(
        "--horizon",
        type=int,
        default=1,
        metavar="H",
        help="visits to look at after t (%(default)s)",
    )
    parser.add_argument(
        "--from", dest="first", type=int, default=1, metavar="T",
        help="the first t: choose from T visits and more (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--draws", type=int, default=500, help="of the bootstrap over prompts (%(default)s)"
    )
    parser.add_argument(
        "--at-least", type=float, metavar="X",
        help="exit with 1 where the share of groups with a signal of a --selector is below X",
    )  # fmt: skip
    parser.add_argument(
        "--output", type=Path, metavar="PATH",
        help="a folder, or the file of the whole table: .csv, .tsv or .parquet",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    known_better(parser)


def run(args: argparse.Namespace) -> int:
    """Print how every selector would have chosen; return 1 if --at-least or no number is reached.

    Raises:
        InputError: what a user can mend; nothing is written then.
    """
    import tempfile

    from limr.problems import own_file
    from limr.scores import backtest, backtest_rows, backtest_text, scoring
    from limr.trajectories import reader

    log_options, asked = _asked(args)
    if args.at_least is not None and not any(kind == "selector" for kind, _ in args.asked):
        raise InputError("--at-least needs --selector: whose share of groups with a signal?")
    if args.at_least is not None and not 0 <= args.at_least <= 1:
        raise InputError(f"--at-least {args.at_least:g}: expected a share from 0 to 1.")
    if args.draws < 2:
        raise InputError(f"--draws {args.draws}: expected a whole number from 2.")
    plan = backtest.Plan(
        args.size, backtest.SIXTH if args.share is None else args.share, args.horizon, args.first,
        args.draws,
    )  # fmt: skip
    problems = None if args.data is None else own_file.read(args.data)
    with tempfile.TemporaryDirectory(prefix="limr-") as spool:
        found = reader.read(args.log, problems, log_options, args.format, Path(spool))
    ids = found.problem_ids.to_pylist()
    levels = [None] * len(ids) if problems is None else [p.level for p in problems]
    of_log = scoring.ProblemSet(ids, levels), found.samples
    name = ", ".join(args.log)
    table = backtest.backtest(name, *of_log, asked, plan).to_pandas()
    summary = backtest_rows.summary(table)
    notes = backtest.notes(asked)
    said = [backtest_text.NOT_ACCURACY, "", *found.report()]
    said += backtest_text.lines(table, summary, notes)
    if args.output is not None:
        said += ["", f"Written: {', '.join(_write(args.output, table, said))}."]
    enough: bool = True
    gate: list[str] = []
    if args.at_least is not None:
        enough, gate = backtest_text.reached(summary, args.at_least)
    if args.json:
        sys.stdout.write(_json(table, summary, notes))
        sys.stderr.write("".join(f"{line}\n" for line in gate))
    else:
        sys.stdout.write("\n".join([*said, *gate]) + "\n")
    tested = summary["signal"].notna() & (summary["role"] == backtest_rows.SELECTOR)
    return 0 if enough and tested.any() else 1


def _asked(args: argparse.Namespace) -> tuple[dict[str, Any], list[Asked]]:
    """Return the options of the log's format, and the selectors with theirs."""
    from limr.core import validation
    from limr.scores import backtest

    log, keys = said_of_log(args)
    common: dict[str, Any] = {}
    selectors: list[tuple[str, list[str], dict[str, Any]]] = []
    for kind, text in args.asked:
        if kind == "selector":
            plugins.load("selectors", text)
            selectors.append((text, [], {}))
            continue
        key, equals, value = text.partition("=")
        if not equals:
            raise InputError(f"--option {text}: expected KEY=VALUE.")
        if selectors and key in _keys(selectors[-1][0]):
            selectors[-1][1].append(text)
            selectors[-1][2][key] = validation.from_text(value)
        elif key in keys:
            log[key] = validation.from_text(value)
        elif selectors:
            near = nearest(key, [*_keys(selectors[-1][0]), *keys])
            raise InputError(f"--option {text}: '{selectors[-1][0]}' has no such option.{near}")
        else:
            common[key] = validation.from_text(value)
    tested = [name for name, *_ in selectors] or plugins.names("selectors")
    if unused := [key for key in common if not any(key in _keys(name) for name in tested)]:
        hint = "" if args.format else " An option of a log's format needs its --format, too."
        raise InputError(
            f"--option {unused[0]}: none of the selectors has it, nor the log's format.{hint}"
        )
    if not selectors:
        return log, backtest.every(common)
    found = []
    for name, texts, own in selectors:
        options = {key: common[key] for key in common if key in _keys(name)} | own
        keys_of = validation.options(plugins.load("selectors", name))
        validation.complete(dict(options), keys_of, f"selector '{name}'")
        found.append(backtest.Asked(" ".join([name, *texts]), name, options))
    return log, found


def _keys(selector: str) -> list[str]:
    return keys_of("selectors", selector)


def _json(table: pd.DataFrame, summary: pd.DataFrame, notes: Sequence[str]) -> str:
    import json

    from limr.scores.backtest_text import NOT_ACCURACY

    one = table.iloc[0]
    about = {key: one[key].item() for key in ("prompts", "size", "horizon", "filtered", "draws",
                                              "level")}  # fmt: skip
    rows = summary.drop(columns="log").astype(object)
    clean = rows.where(rows.notna(), None).to_dict("records")  # NaN is not JSON
    said = {"note": NOT_ACCURACY, "log": one["log"], **about, "notes": list(notes),
            "selectors": clean}  # fmt: skip
    return json.dumps(said, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _write(output: Path, table: pd.DataFrame, said: Sequence[str]) -> list[str]:
    """Write the whole table, or a folder with it, with what was said and a picture."""
    from limr.analysis.results import Inputs
    from limr.core import files
    from limr.report import make

    if output.suffix in TABLES:
        _write_table(output, table)
        return [str(output)]
    if output.exists() and not output.is_dir():
        raise InputError(
            f"{output}: expected a folder, or a file that ends in {', '.join(TABLES)}."
        )
    _write_table(output / "backtest.csv", table)
    files.write_text(output / "backtest.txt", "\n".join(said) + "\n")
    suffixes = {"png": "png", "pdf": "pdf", "svg": "svg", "tsv": "tsv", "caption": "txt"}
    drawn = {key: output / f"signal.{suffix}" for key, suffix in suffixes.items()}
    make.draw_figure("backtest", Inputs({}, backtest=table), {}, drawn)
    return [str(output / name) for name in ("backtest.csv", "backtest.txt", "signal.png")]


def _write_table(path: Path, table: pd.DataFrame) -> None:
    import pyarrow as pa

    from limr.core import files
    from limr.scores.backtest_rows import BACKTEST

    if path.suffix == ".parquet":
        files.write_parquet(path, pa.Table.from_pandas(table, BACKTEST, preserve_index=False))
    elif path.suffix == ".tsv":
        files.write_tsv(path, table)
    else:
        files.write_text(path, table.to_csv(index=False, lineterminator="\n"))

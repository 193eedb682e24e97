"""`limr archive`: pack the results of a study, finished or not, outside the workflow."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from limr.core.errors import InputError

HELP = "pack a study's results, finished or not, into a zip that anybody can verify"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = (
        "A finished study is archived by `snakemake archive --configfile STUDY.yaml` as well; this "
        "command also packs what there is of an unfinished one, and says what is missing."
    )
    parser.add_argument("study", type=Path, metavar="STUDY.yaml", help="the study's configuration")
    parser.add_argument(
        "--folder", type=Path, default=Path(), help="the folder with results/ (this one)"
    )
    parser.add_argument("--output", type=Path, help="the zip (results/{study}/archive/{study}.zip)")


def run(options: argparse.Namespace) -> int:
    """Write the archive, and what its author must know to stderr."""
    from limr.archive import build, documents, saying
    from limr.sources import pinned as sources
    from limr.study.load import load as load_study

    root = build.code_root()
    config = documents.read_yaml(options.study)
    checked = load_study(config, str(options.study), root / "config/benchmarks")
    pinned = sources.load_sources(root / "config/sources.yaml")
    results = options.folder / "results" / checked.name
    if not results.is_dir():
        raise InputError(f"{results}: there is no such folder. Run the study first, or --folder.")
    output = options.output or results / "archive" / f"{checked.name}.zip"
    plan = build.plan(checked, pinned, options.folder, root)
    record = build.write(plan, pinned, output)
    lines = [*saying.said(plan, record), f"Written to {output}."]
    sys.stderr.write("\n".join(lines) + "\n")
    return 0

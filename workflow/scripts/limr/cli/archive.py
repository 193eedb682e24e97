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
    parser.add_argument(
        "--sign",
        type=Path,
        metavar="KEY",
        help="sign it with this key of OpenSSH; the statement and its signature go beside the zip",
    )


def run(options: argparse.Namespace) -> int:
    """Write the archive, and what its author must know to stderr."""
    from limr.archive import build, documents, signing
    from limr.core.provenance import ROOT
    from limr.study.load import load as load_study

    study = load_study(
        documents.read_yaml(options.study), str(options.study), ROOT / "config/benchmarks"
    )
    results = options.folder / "results" / study.name
    if not results.is_dir():
        raise InputError(f"{results}: there is no such folder. Run the study first, or --folder.")
    output = options.output or results / "archive" / f"{study.name}.zip"
    lines = [*build.archive(study, options.folder, ROOT, output), f"Written to {output}."]
    if options.sign:
        lines += [f"Signed: {path}." for path in signing.sign(output, options.sign)]
    sys.stderr.write("\n".join(lines) + "\n")
    return 0

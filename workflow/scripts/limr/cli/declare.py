"""`limr declare`: say which study will be run, before its first job."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HELP = "write down which study will be run, before its first job, to have the time witnessed"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.epilog = (
        "Writes results/{study}/declared.json with the study's sha256, the commit and the time. It "
        "goes into the archive, and `limr verify` says whether the archived study is still that "
        "one. docs/archive.md says how a timestamping service witnesses it, and what that proves."
    )
    parser.add_argument("study", type=Path, metavar="STUDY.yaml", help="the study's configuration")
    parser.add_argument(
        "--folder", type=Path, default=Path(), help="the folder that gets results/ (this one)"
    )


def run(options: argparse.Namespace) -> int:
    """Write the declaration and say its sha256."""
    from limr.archive import declaration, documents
    from limr.core import files
    from limr.core.provenance import ROOT
    from limr.study.load import load as load_study

    study = load_study(
        documents.read_yaml(options.study), str(options.study), ROOT / "config/benchmarks"
    )
    path = declaration.declare(study, options.folder, ROOT)
    sys.stdout.write(f"{path}: sha256 {files.sha256(path)}\n")
    return 0

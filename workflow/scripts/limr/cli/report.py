"""`limr report`: the report of a study as far as it has come, finished or not."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from limr.core.errors import InputError

HELP = "make the report of a study from what is there, also of one that is half finished"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("study", metavar="STUDY.yaml", type=Path, help="the study's configuration")
    parser.add_argument(
        "--results", type=Path, default=Path("results"), help="folder of results (%(default)s)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        help="the page (results/{study}/report-so-far.html); Snakemake's own is left alone",
    )
    parser.add_argument(
        "--no-texts", action="store_true", help="leave texts of problems and responses out"
    )


def run(options: argparse.Namespace) -> int:
    """Write the page, say what is missing, and print where the page is."""
    import yaml

    from limr.core.provenance import ROOT
    from limr.report import partial
    from limr.study.load import load as load_study

    try:
        config = yaml.safe_load(options.study.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{options.study}: there is no such file.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{options.study}: not valid YAML ({error}).") from None
    if not isinstance(config, dict):
        raise InputError(f"{options.study}: expected a study's keys.")
    found = load_study(config, str(options.study), ROOT / "config/benchmarks")
    root = options.results / found.name
    output = options.output or root / "report-so-far.html"
    texts = found.config["report"]["texts"] and not options.no_texts
    missing = partial.write(found, root, ROOT / "config/paper.yaml", output, texts)
    for line in partial.described(missing):
        sys.stderr.write(f"{line}\n")
    sys.stdout.write(f"{output}\n")
    return 0

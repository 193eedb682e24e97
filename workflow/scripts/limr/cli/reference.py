"""`limr reference`: write the pages that are made from the code."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HELP = "write config/README.md from the code, or check that it is current"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if it is stale")
    parser.add_argument(
        "--output", type=Path, default=Path("config/README.md"), help="the page (%(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    """Write or compare the page."""
    from limr.core import files
    from limr.study import reference

    page = reference.page()
    if not options.check:
        files.write_text(options.output, page)
        return 0
    if not options.output.exists() or options.output.read_text(encoding="utf-8") != page:
        sys.stderr.write(f"{options.output} is stale. Run `make docs`.\n")
        return 1
    return 0

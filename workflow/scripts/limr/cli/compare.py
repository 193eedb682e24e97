"""`limr compare`: what differs between two studies."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

HELP = "say in which keys, subsets and cells of tables two studies differ"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    for name in ("first", "second"):
        parser.add_argument(name, type=Path, help="an archive, or a folder results/{study}")
    parser.add_argument("--json", action="store_true", help="write JSON")


def run(options: argparse.Namespace) -> int:
    """Write the comparison to stdout."""
    from limr.archive import compare

    with compare.opened(options.first) as first, compare.opened(options.second) as second:
        found = compare.compare(first, second)
    if options.json:
        text = json.dumps(found, indent=2, ensure_ascii=False)
    else:
        text = "\n".join(compare.in_words(found))
    sys.stdout.write(text + "\n")
    return 0

"""`limr export`: a subset as its trainer reads it, with a card."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from limr.core import plugins
from limr.core.errors import InputError

HELP = "write a subset for a trainer (verl, TRL, OpenRLHF, Hugging Face datasets), with a card"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "subset", type=Path, metavar="SUBSET", help="results/STUDY/subsets/ARM.jsonl"
    )
    parser.add_argument("--to", required=True, choices=plugins.names("targets"), help="for whom")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="(SUBSET-TARGET/, here)")


def run(options: argparse.Namespace) -> int:
    """Write the folder; return 0.

    Raises:
        InputError: the subset is none, has no texts, or the folder has files already.
    """
    from limr.core import files
    from limr.subsets import card

    subset, target = options.subset, plugins.load("targets", options.to)
    rows = files.read_jsonl(subset)
    for number, row in enumerate(rows, start=1):
        missing = [key for key in ("problem_id", "prompt", "answer", "source") if not row.get(key)]
        if missing:
            raise InputError(
                f"{subset}, line {number}: no {missing[0]}. A subset has problem_id, prompt, "
                "answer and source, as studies and `limr score` write them."
            )
    if not rows:
        raise InputError(f"{subset}: no problems in it.")
    folder = options.output or Path(f"{subset.stem}-{options.to}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: is there already. Take it away, or name another --output.")
    use = target.SNIPPET.format(file=folder / target.FILE, folder=folder)
    text = card.card(subset, rows, use)
    folder.mkdir(parents=True, exist_ok=True)
    target.write(rows, folder)
    files.write_text(folder / "README.md", getattr(target, "HEAD", "") + text)
    sys.stdout.write(f"{len(rows):,} problems written to {folder / target.FILE}.\n\n{use}\n")
    return 0

"""The commands and files of the documents: what a page tells its reader to write and to run.

A block of commands is fenced as `sh`. Above it may stand, one a line,

    <!-- needs: gpu -->                 a reason why no test runs it (see `REASONS`)
    <!-- test: tests/x.py::test_y -->   the test that runs the same, where it takes long or data

and above a block of any kind `<!-- file: PATH -->`: the reader saves it there.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REASONS = ("gpu", "cluster", "network", "hour")
_BLOCK = re.compile(
    r"(?P<marks>(?:^[ ]*<!-- [^\n]* -->\n)*)"
    r"^(?P<indent>[ ]*)```(?P<kind>\w*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_MARK = re.compile(r"<!-- (needs|test|file): (.*?) -->")
# A line that looks like a command although it stands in no block of commands.
_INDENTED = re.compile(
    r"^(?: {4}|\t)[ ]*(?:[A-Z_]+=\S+ )*"
    r"(?:\.venv/bin/|limr |snakemake |make |python |pip |git |cd |export )"
)


@dataclass(frozen=True)
class Block:
    """A fenced block: what it is, its text, and what stands above it."""

    page: str
    line: int
    kind: str
    text: str
    needs: tuple[str, ...]
    tests: tuple[str, ...]
    file: str | None

    @property
    def is_run(self) -> bool:
        """Whether the reader can run it here: commands that no mark keeps back."""
        return self.kind == "sh" and not self.needs and not self.tests


def pages(root: Path) -> list[Path]:
    """Return the pages whose commands are checked."""
    return [root / "README.md", root / "config/README.md", *sorted((root / "docs").glob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _BLOCK.finditer(text):
        marks = _MARK.findall(match["marks"])
        indent = match["indent"]
        lines = [line.removeprefix(indent) for line in match["text"].splitlines(keepends=True)]
        files = [value for key, value in marks if key == "file"]
        found.append(
            Block(
                page.name,
                text.count("\n", 0, match.start("kind")) + 1,
                match["kind"],
                "".join(lines),
                tuple(value for key, value in marks if key == "needs"),
                tuple(value for key, value in marks if key == "test"),
                files[0] if files else None,
            )
        )
    return found


def stray_commands(page: Path) -> list[str]:
    """Return the lines that look like commands outside of fenced blocks."""
    outside = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    return [line for line in outside.splitlines() if _INDENTED.match(line)]


def run(block: Block, folder: Path, environment: Mapping[str, str]) -> str:
    """Run a block of commands as it stands; return what it said.

    Raises:
        AssertionError: a command failed.
    """
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout + done.stderr
    where = f"{block.page}, line {block.line}"
    assert done.returncode == 0, f"{where}:\n{block.text}\n{said[-5000:]}"
    return said


def follow(page: Path, folder: Path, environment: Mapping[str, str]) -> str:
    """Do what a page says, from its first block to its last; return all that was said."""
    said = ""
    for block in blocks(page):
        if block.file is not None:
            path = folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.is_run:
            said += run(block, folder, environment)
    return said

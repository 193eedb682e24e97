"""The commands and files of the documents: what a page tells its reader to write and to run.

A block of commands is fenced as `sh`, and a test runs it as it stands. Where a test cannot, the line
above it says what it needs and why (`KINDS`), and the block is at least checked (command_check.py):

    <!-- needs: gpu — OpenRLHF compiles its kernels with CUDA -->

Above a block of any kind may stand `<!-- file: PATH -->`: the reader saves it there.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

KINDS = ("gpu", "cluster", "network", "hour")
PROGRAMS = ("limr", "snakemake", "make", "python", "python3.11", "pip", "pytest", "apptainer")
_BLOCK = re.compile(
    r"(?P<marks>(?:^[ ]*<!-- [^\n]* -->\n)*)"
    r"^(?P<indent>[ ]*)```(?P<kind>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_MARK = re.compile(r"<!-- (\w+): (.*?) -->")
_NEEDS = re.compile(rf"({'|'.join(KINDS)}) — (\S.{{9,}})")
_INLINE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
# What a reader would type: a program of ours, or of everybody, at the beginning of a line.
_COMMAND = re.compile(
    r"\s*(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\S*/bin/)?"
    rf"(?:{'|'.join(map(re.escape, PROGRAMS))}|git|cd|export|squeue|sbatch|unzip) \S"
)


@dataclass(frozen=True)
class Block:
    """A fenced block: what it is, its text, and what stands above it."""

    page: str
    line: int
    kind: str
    text: str
    needs: Mapping[str, str]
    file: str | None
    unknown: tuple[str, ...]

    @property
    def where(self) -> str:
        """The page and the line, for messages."""
        return f"{self.page}, line {self.line}"

    @property
    def is_commands(self) -> bool:
        """Whether it is for a shell."""
        return self.kind == "sh"

    @property
    def is_run(self) -> bool:
        """Whether the reader can run it anywhere: commands that no mark keeps back."""
        return self.is_commands and not self.needs


def pages(root: Path) -> list[Path]:
    """Return the pages whose commands are checked."""
    found = [root / "README.md", root / "config/README.md", *sorted((root / "docs").glob("*.md"))]
    for folder in ("benchmarks", "tests"):
        found += sorted((root / folder).rglob("*.md"))
    return found


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _BLOCK.finditer(text):
        indent = match["indent"]
        lines = [line.removeprefix(indent) for line in match["text"].splitlines(keepends=True)]
        needs, files, unknown = {}, [], []
        for key, value in _MARK.findall(match["marks"]):
            reason = _NEEDS.fullmatch(value)
            if key == "needs" and reason:
                needs[reason[1]] = reason[2]
            elif key == "file":
                files.append(value)
            else:
                unknown.append(f"{key}: {value}")
        found.append(
            Block(
                page.name,
                text.count("\n", 0, match.start("kind")) + 1,
                match["kind"],
                "".join(lines),
                needs,
                files[0] if files else None,
                tuple(unknown),
            )
        )
    return found


def stray_commands(page: Path) -> list[str]:
    """Return the commands that no test runs: indented ones, and those in blocks of no language."""
    text = page.read_text(encoding="utf-8")
    outside = _BLOCK.sub("", text).splitlines()
    found = [line for line in outside if line.startswith(("    ", "\t", "$ "))]
    for block in blocks(page):
        if block.kind in ("", "text", "bash", "shell", "console"):
            found += block.text.splitlines()
    return [line for line in found if _COMMAND.match(line)]


def inline_commands(page: Path) -> list[str]:
    """Return the commands within a page's sentences."""
    outside = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    spans = [" ".join(span.split()) for span in _INLINE.findall(outside)]
    return [span for span in spans if _COMMAND.match(span)]


Shell = Callable[[str], "subprocess.CompletedProcess[str]"]


def shell(folder: Path, environment: Mapping[str, str]) -> Shell:
    """Return what runs a text in a shell, in a folder."""

    def run_text(text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=folder,
            env=dict(environment),
            capture_output=True,
            text=True,
            check=False,
        )

    return run_text


def run(block: Block, in_shell: Shell) -> str:
    """Run a block of commands as it stands; return what it said.

    Raises:
        AssertionError: a command failed.
    """
    done = in_shell(block.text)
    said = done.stdout + done.stderr
    assert done.returncode == 0, f"{block.where}:\n{block.text}\n{said[-5000:]}"
    return said


def follow(
    page: Path,
    folder: Path,
    in_shell: Shell,
    chosen: Callable[[Block], bool] = lambda block: block.is_run,
) -> str:
    """Do what a page says, from its first block to its last; return all that was said."""
    said = ""
    for block in blocks(page):
        if block.file is not None:
            path = folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.is_commands and chosen(block):
            said += run(block, in_shell)
    return said

"""The commands and files of the documents: what a page tells its reader to write and to run.

A block of commands is fenced as `sh`, and a test runs it as it stands. Where a test cannot, the
line above it says what it needs and why (`KINDS`), and it is at least checked (command_check.py):

    <!-- needs: gpu — OpenRLHF compiles its kernels with CUDA -->

Above a block of any kind may stand `<!-- file: PATH -->`: the reader saves it there.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
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
    for folder in ("benchmarks", "grader", "tests"):
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


class Terminal:
    """A reader's terminal: a block finds the folder and variables that the last one left."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        call: Callable[..., subprocess.CompletedProcess[str]] | None = None,
    ) -> None:
        """Open it in a folder; `call(words, cwd, environment)` runs it on another machine."""
        self.folder = folder
        self.environment = dict(environment)
        self._call = call or _call

    def run(self, text: str) -> subprocess.CompletedProcess[str]:
        """Run a text as bash would, but stop at the first command that fails."""
        with tempfile.TemporaryDirectory() as left:
            script = f"trap 'env -0 > {left}/env; pwd > {left}/pwd' EXIT\n{text}"
            words = ["bash", "-euo", "pipefail", "-c", script]
            done = self._call(words, self.folder, self.environment)
            if done.returncode == 0:
                entries = (Path(left) / "env").read_text().split("\0")
                self.environment = dict(entry.split("=", 1) for entry in entries if "=" in entry)
                self.folder = Path((Path(left) / "pwd").read_text().removesuffix("\n"))
        return done


def reader(environment: Mapping[str, str], mirror: Path | None = None) -> dict[str, str]:
    """Return the environment of a terminal in which the programs of `.venv/bin` are found."""
    programs = Path(sys.executable).parent
    found = {**environment, "PATH": f"{programs}:{environment['PATH']}"}
    return found | ({"LIMR_MIRROR": str(mirror)} if mirror else {})


def _call(
    words: list[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, cwd=folder, env=dict(environment), capture_output=True, text=True, check=False
    )


def run(block: Block, terminal: Terminal) -> str:
    """Run a block of commands as it stands; return what it said.

    Raises:
        AssertionError: a command failed.
    """
    done = terminal.run(block.text)
    said = done.stdout + done.stderr
    assert done.returncode == 0, f"{block.where}:\n{block.text}\n{said[-5000:]}"
    return said


def follow(
    page: Path,
    terminal: Terminal,
    chosen: Callable[[Block], bool] = lambda block: block.is_run,
) -> str:
    """Do what a page says, from its first block to its last; return all that was said."""
    folder, said = terminal.folder, ""
    for block in blocks(page):
        if block.file is not None:
            path = folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        elif block.is_commands and chosen(block):
            said += run(block, terminal)
    return said

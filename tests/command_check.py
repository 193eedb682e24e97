"""Could a command work? Its programs, subcommands, options, targets and files are looked up.

For what no test can run: blocks that need a GPU or a network, commands within sentences, advice in
messages. Nothing is executed but `bash -n` and the `--help` of this repository's own scripts.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import importlib.util
import io
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from snakemake.cli import get_argument_parser

OTHERS = {"cat", "cd", "export", "git", "grep", "head", "hf", "sed", "sha256sum", "squeue", "tail"}
OTHERS |= {"sbatch", "scancel", "scontrol", "srun", "tmux", "unzip", "sacct", "mkdir"}
OTHERS |= {"echo", "eval", "ssh-keygen", "openssl", "curl"}
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_FILE = re.compile(r"(?:config|envs|benchmarks|docs|tests|profiles|workflow)/[\w./+-]+\.\w+")
_OPEN = ("…", "...", "{", "FOLDER", "DATA")  # a word with one of these is for the reader to fill in


def faults(text: str, root: Path, *, whole: bool) -> list[str]:
    """Return what is wrong with the commands of a text.

    Args:
        text: shell.
        root: the repository.
        whole: whether they are complete; else arguments may be missing.
    """
    if whole:
        words = ["bash", "-n", "-c", text]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            return [done.stderr.strip()]
    found = []
    for words in commands(text):
        try:
            found += [f"{' '.join(words)}: {fault}" for fault in _faults(words, root, whole)]
        except SystemExit:
            found.append(f"{' '.join(words)}: refused")
    return found


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each simple command, without assignments and redirections."""
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="();<>|&")
        lexer.whitespace_split = True
        words: list[str] = []
        redirected = False
        for word in [*lexer, ";"]:
            if set(word) <= set("();<>|&"):
                redirected = set(word) <= set("<>")
                if not redirected:
                    if words:
                        yield words
                    words = []
            elif redirected:
                redirected = False
            elif words or not _ASSIGNMENT.fullmatch(word):
                words.append(word)


def _faults(words: list[str], root: Path, whole: bool) -> Iterator[str]:
    program, arguments = words[0].rpartition("/")[2], words[1:]
    arguments = [re.sub(r"^(\$LIMR|~/limr)/", "", word) for word in arguments]
    for word in arguments:
        path = word.rpartition("=")[2]
        named = _FILE.fullmatch(path) and not any(part in path for part in _OPEN)
        if named and not (root / path).exists():
            yield f"no file {path}"
    if program == "limr":
        yield from _limr(arguments, whole)
    elif program == "snakemake":
        yield from _snakemake(arguments, root, whole)
    elif program == "make":
        yield from _make(arguments, root)
    elif program.startswith("python"):
        yield from _python(arguments, root)
    elif program in ("pip", "pip3"):
        yield from _options(arguments, _help("-m", "pip", arguments[0]))
    elif program == "pytest":
        yield from _options(arguments, _help("-m", "pytest"))
    elif program == "apptainer":
        if arguments[0] != "build":
            yield f"unknown: {arguments[0]}"
    elif program not in OTHERS:
        yield "an unknown program"


def _limr(arguments: list[str], whole: bool) -> Iterator[str]:
    if arguments[0].startswith("-"):
        if arguments[0] not in ("--help", "--version"):
            yield f"no option {arguments[0]}"
        return
    if importlib.util.find_spec(f"limr.cli.{arguments[0]}") is None:
        yield "no such subcommand"
        return
    module = importlib.import_module(f"limr.cli.{arguments[0]}")
    parser = argparse.ArgumentParser(prog=f"limr {arguments[0]}")
    module.configure(parser)
    yield from _parsed(parser, arguments[1:], whole)


def _snakemake(arguments: list[str], root: Path, whole: bool) -> Iterator[str]:
    parser = _snakemake_parser()
    yield from _parsed(parser, arguments, whole)
    with contextlib.suppress(SystemExit), contextlib.redirect_stderr(io.StringIO()):
        options, _ = parser.parse_known_args(arguments)
        for path in options.configfile or ():
            if path.suffix not in (".yaml", ".yml", ".json") and "…" not in str(path):
                yield f"takes '{path}' for a second configuration file"


def _parsed(parser: argparse.ArgumentParser, arguments: list[str], whole: bool) -> Iterator[str]:
    """Yield what the parser says; with gaps only options are compared."""
    if whole:
        said = io.StringIO()
        try:
            with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
                parser.parse_args(arguments)
        except SystemExit as ended:
            if ended.code:
                yield said.getvalue().strip().splitlines()[-1]
    else:
        before = arguments[: arguments.index("--")] if "--" in arguments else arguments
        known = set(parser._option_string_actions)
        yield from (
            f"no option {word}"
            for word in before
            if word.startswith("-") and word.partition("=")[0] not in known
        )


def _make(arguments: list[str], root: Path) -> Iterator[str]:
    rules = re.findall(r"^([^\s#=:][^#=:\n]*):(?!=)", (root / "Makefile").read_text(), re.MULTILINE)
    known = {name for rule in rules for name in rule.split()}
    skip = False
    for word in arguments:
        if skip or _ASSIGNMENT.fullmatch(word):
            skip = False
        elif word == "-C":
            skip = True
        elif word not in known:
            yield f"no target {word}"


def _python(arguments: list[str], root: Path) -> Iterator[str]:
    if arguments[0] == "-m":
        module, rest = arguments[1], arguments[2:]
        if module == "pip":
            yield from _options(rest, _help("-m", "pip", rest[0]))
        elif module == "limr":
            yield from _limr(rest, whole=False)
        elif importlib.util.find_spec(module) is None:
            yield f"no module {module}"
        return
    script, rest = root / arguments[0], arguments[1:]
    if _FILE.fullmatch(arguments[0]) and script.exists() and any(w[:2] == "--" for w in rest):
        yield from _options(rest, _help(str(script)))


def _options(arguments: list[str], text: str) -> Iterator[str]:
    for word in arguments:
        name = word.partition("=")[0]
        if name.startswith("-") and not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text):
            yield f"no option {name}"


@functools.cache
def _help(*words: str) -> str:
    """Return what a program of this Python's says of itself."""
    command = [sys.executable, *words, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr[-2000:]}"
    return done.stdout


@functools.cache
def _snakemake_parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = get_argument_parser()
    return parser

"""Snakemake's command line in a process that has imported it: each call is a fork of that.

To import Snakemake takes most of a short call's time, and the tests make hundreds of calls. What
runs in the fork is the same function with the same arguments, environment, folder and outputs;
`limr` is not imported before the fork. Its jobs are such forks, too (`warm_jobs.py`). Calls that
tests kill or put into a shell start anew; in a shell, `on_path` has at least their jobs be forks.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import warm_jobs


def call(arguments: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Do what `python -m snakemake` with these arguments does; return its exit code and output."""
    server = _server(os.getpid())
    assert server.stdin and server.stdout
    runs = "--dry-run" not in arguments
    program = warm_jobs.program(folder / "study.yaml") if runs else sys.executable
    with tempfile.NamedTemporaryFile("r+", errors="replace") as output:
        request = [list(arguments), str(folder), dict(environment), output.name, program]
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        return code, output.read()


def on_path(folder: Path, path: str) -> str:
    """Return PATH with a `snakemake` before all others, whose jobs are forks."""
    folder.mkdir()
    program = folder / "snakemake"
    words = [sys.executable, __file__, warm_jobs.program(None)]
    program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    program.chmod(0o755)
    return f"{folder}:{path}"


@cache
def _server(_process: int) -> subprocess.Popen[str]:
    """Start it, once a test process; it ends with that process, whose pipe it reads."""
    command = [sys.executable, __file__]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _serve(fork: warm_jobs.Fork) -> None:
    warm_jobs.share_memory()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            fork.become(partial(_run, *json.loads(line)))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _run(
    arguments: list[str], folder: str, environment: dict[str, str], output: str, program: str
) -> None:
    """Become the call."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(output, os.O_WRONLY), 1)
    os.dup2(1, 2)
    sys.path[:1] = [folder, *environment.get("PYTHONPATH", "").split(os.pathsep)]
    _use(program)
    cli.main(arguments)


def _use(program: str) -> None:
    """Have scripts run by a program, where Snakemake would run them by its own Python."""
    execute = script.PythonScript._execute_cmd

    def execute_by(self: script.PythonScript, command: str, **words: Any) -> Any:
        if words.get("py_exec") == sys.executable:
            words["py_exec"] = program
        return execute(self, command, **words)

    script.PythonScript._execute_cmd = execute_by


if __name__ == "__main__":
    fork = warm_jobs.Fork()
    import snakemake.persistence  # noqa: F401 (which main imports later)
    from snakemake import cli, script

    if sys.argv[1:]:
        _use(sys.argv[1])
        sys.exit(cli.main(sys.argv[2:]))
    _serve(fork)

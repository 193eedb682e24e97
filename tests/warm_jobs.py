"""The scripts of Snakemake's jobs in processes that have imported what they import.

Pandas or PyTorch are most of what a small job costs, and the tests run hundreds of these. Snakemake
starts a program in Python's place (`program`), which has a server fork: the fork has the job's
folder, environment, arguments and outputs, and runs the script as `python SCRIPT` would. No module
of limr is imported before. Jobs on SLURM, in environments of their own, of the commands of most
pages and of runs that are killed start anew.
"""

from __future__ import annotations

import array
import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

COMMON = ("pandas", "pyarrow.parquet", "pyarrow.compute", "pydantic", "yaml", "scipy.stats",
          "matplotlib.figure", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf",
          "seaborn", "snakemake.logging", "snakemake.iocontainers")  # fmt: skip
TORCH = ("make_base", "train_ppo", "train_sft", "evaluate")  # the scripts that import it

# Snakemake names a script `tmp{random}.{script}.py`.
_PROGRAM = """#!{python} -ISE
import array, json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({torch!r} if sys.argv[1].split(".")[-2] in {scripts!r} else {common!r})
outputs = array.array("i", [0, 1, 2])
server.sendmsg([b"0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, outputs)])
server.sendall(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode() + b"\\n")
code = int(server.recv(16))
if code < 0:
    os.kill(os.getpid(), -code)
sys.exit(code)
"""


def program(study: Path | None) -> str:
    """Return the program that runs the scripts of a study's jobs, or of any study's."""
    common = _server(os.getpid())
    # A portable study chooses its kernels before PyTorch is imported.
    portable = study is None or "determinism: portable" in study.read_text()
    torch = common if portable else _server(os.getpid(), "torch")
    found = common.with_name("portable" if portable else "python")
    if not found.exists():
        kept = {"python": sys.executable, "scripts": TORCH}
        found.write_text(_PROGRAM.format(torch=str(torch), common=str(common), **kept))
        found.chmod(0o755)
    return str(found)


@cache
def _folder(_process: int) -> Path:
    return Path(tempfile.mkdtemp(prefix="limr-jobs-"))  # sockets want a short path


@cache
def _server(process: int, *more: str) -> Path:
    """Start a server, once a test process, and return its socket; it ends with that process."""
    found = _folder(process) / "-".join(["jobs", *more])
    words = [sys.executable, __file__, str(found), *COMMON, *more]
    left_out = ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    kept = {key: value for key, value in os.environ.items() if key not in left_out}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    server = subprocess.Popen(words, env=kept | {"OMP_NUM_THREADS": "1"}, **pipes)
    assert server.stdout
    assert server.stdout.readline() == b"ready\n"
    _SERVERS.append(server)
    return found


_SERVERS: list[subprocess.Popen[bytes]] = []  # whose pipes stay open


class Fork:
    """Ends a fork at once: to free what the server imported copies it all, 0.3 s of a short job.

    What was registered to run at the exit has run by then; make one before anything is imported.
    """

    def __init__(self) -> None:
        """Nothing happens at the end of the server itself."""
        self._code: int | None = None
        atexit.register(self._end)  # the first to be registered is the last to run

    def become(self, call: Callable[[], object]) -> None:
        """Do what a process of its own would do with it, its end included."""
        self._code = 1
        try:
            call()
        except SystemExit as found:
            self._code = found.code if isinstance(found.code, int) else int(found.code is not None)
            raise
        self._code = 0
        sys.exit()

    def _end(self) -> None:
        if self._code is not None:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self._code)


def share_memory() -> None:
    """Let forks share what is imported: Python's garbage collector would write to all of it."""
    gc.collect()
    gc.freeze()


def _serve(path: str, imports: list[str]) -> None:
    fork = Fork()
    for name in imports:
        importlib.import_module(name)
    assert not any(name.partition(".")[0] == "limr" for name in sys.modules)
    share_memory()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    listener.close()
                    _answer(connection, fork)


def _answer(connection: socket.socket, fork: Fork) -> None:
    """Run a script in one more fork, and say how it ended."""
    size = 3 * array.array("i").itemsize
    _, [(_, _, outputs)], _, _ = connection.recvmsg(1, socket.CMSG_SPACE(size))
    with connection.makefile("rb") as lines:
        request = json.loads(lines.readline())
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    job = os.fork()
    if job == 0:
        connection.close()
        fork.become(partial(_run, array.array("i", outputs), *request))
    _, status = os.waitpid(job, 0)
    connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _run(
    outputs: array.array[int], words: list[str], folder: str, environment: dict[str, str]
) -> None:
    """Become `python WORDS`."""
    for number, output in enumerate(outputs):
        os.dup2(output, number)
        os.close(output)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[:] = words
    own = [one for one in environment.get("PYTHONPATH", "").split(os.pathsep) if one]
    sys.path[:1] = [str(Path(words[0]).parent), *own]
    runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2:])

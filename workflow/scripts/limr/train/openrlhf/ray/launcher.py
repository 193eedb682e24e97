"""Runs a command with a Ray cluster over this SLURM job's nodes.

    python -m limr.train.openrlhf.ray.launcher --nodes 2 --gpus-per-node 8 -- COMMAND...

One step per node starts Ray; when all GPUs are there, the command runs with RAY_ADDRESS set, and
its exit code is this one's. Whatever happens, the steps are ended and their temporary folders
removed. On one node, or with RAY_ADDRESS set, the command runs as it is: the trainer starts or
joins Ray.

Exit codes of its own: 2 the allocation is not as asked, 91 Ray was not ready in time, 92 a node was
lost while the command ran, 128 + n after signal n.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType

from limr.core.errors import InputError
from limr.train.openrlhf.ray import allocation as allocations
from limr.train.openrlhf.ray.cluster import (
    NODE_LOST,
    SECONDS_TO_END,
    Cluster,
    StoppedError,
    Wanted,
    say,
)

LOCK = "LIMR_LOCK_FD"  # names the descriptor of the run's lock, which the command inherits


def wrapper(nodes_: int, gpus_per_node: int, seconds: float, log: Path) -> list[str]:
    """Return the arguments of Python that put this launcher before another command."""
    words = ["-m", __name__, f"--nodes={nodes_}", f"--gpus-per-node={gpus_per_node}"]
    return [*words, f"--ready-seconds={seconds:g}", f"--log={log}", "--", sys.executable]


def drive(cluster: Cluster, command: Sequence[str], address: str) -> int:
    """Run the command while all nodes are there; return its exit code.

    Raises StoppedError where a node was lost; the command has been ended.
    """
    environment = {**allocations.cleaned(os.environ), "RAY_ADDRESS": address}
    held = [int(number) for number in [os.environ.get(LOCK)] if number]  # keep the lock
    process = subprocess.Popen(command, env=environment, pass_fds=held)  # noqa: S603 (the caller's words)
    try:
        while (code := process.poll()) is None:
            cluster.check(NODE_LOST)
            time.sleep(0.2)
        return code if code >= 0 else 128 - code
    finally:
        if process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=SECONDS_TO_END)
            process.kill()
            process.wait()


def run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Bring Ray up where it is needed, run the command, end everything; return the exit code.

    Raises InputError where the allocation is not as asked.
    """
    needed = options.nodes > 1 and not environment.get("RAY_ADDRESS")
    allocation = allocations.find(environment) if needed else None
    if not needed:
        os.execvp(options.command[0], options.command)  # noqa: S606 (no shell; the caller's words)
    if allocation is None:
        raise InputError(
            f"{options.nodes} nodes are asked for, but this is no SLURM job and RAY_ADDRESS is not "
            "set. Submit the job with as many nodes, or bring up Ray and set RAY_ADDRESS."
        )
    if len(allocation.nodes) != options.nodes:
        raise InputError(
            f"{options.nodes} nodes are asked for, SLURM job {allocation.job} has "
            f"{len(allocation.nodes)} ({', '.join(allocation.nodes)}). Make engines.openrlhf.nodes "
            "and the job's resources agree."
        )
    wanted = Wanted(
        options.gpus_per_node, options.ready_seconds, options.log, options.object_store_bytes
    )
    cluster = Cluster(allocation, wanted)
    try:
        return drive(cluster, options.command, cluster.start())
    except StoppedError as error:
        say(str(error))
        return error.code
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # nothing may interrupt the clean-up
        cluster.close()


def _signalled(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options; those after `--` are the command."""
    parser = argparse.ArgumentParser(
        prog="python -m limr.train.openrlhf.ray.launcher",
        description=(__doc__ or "").splitlines()[0],
    )
    parser.add_argument("--nodes", type=int, required=True, help="nodes of the run")
    parser.add_argument("--gpus-per-node", type=int, required=True, help="GPUs of each node")
    parser.add_argument(
        "--ready-seconds", type=float, default=600.0, help="until Ray has all GPUs (%(default)s)"
    )
    parser.add_argument(
        "--log", type=Path, default=Path("logs/ray"), help="folder for Ray's output (%(default)s)"
    )
    parser.add_argument("--object-store-bytes", type=int, help="memory of each node's object store")
    parser.add_argument("command", nargs="+", metavar="COMMAND", help="what runs, after --")
    return parser.parse_args(arguments)


def main() -> int:
    """Run the launcher."""
    options = parse(sys.argv[1:])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _signalled)
    try:
        return run(options, os.environ)
    except InputError as error:
        say(str(error))
        return 2


if __name__ == "__main__":
    sys.exit(main())

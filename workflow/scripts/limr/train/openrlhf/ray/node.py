"""Ray on one node, as a step of the allocation: `python -m limr.train.openrlhf.ray.node SETTINGS`.

SETTINGS is a JSON object (see `Settings`). Ports are chosen here, on the node that uses them, so
that two jobs on one node do not meet; where Ray does not come up it is started again. The head
prints its address as the first line of its output; Ray's own output goes to the step's log. The
step ends when Ray does, when its standard input ends, or at a signal; so does everything that Ray
has started.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import psutil

from limr.train.openrlhf.ray.allocation import address_towards

READY = "limr-ray-head "  # before the address
_PORTS = (
    "dashboard-agent-listen-port",
    "dashboard-agent-grpc-port",
    "metrics-export-port",
    "runtime-env-agent-port",
    "node-manager-port",
    "object-manager-port",
)
_SECONDS_TO_END = 10.0  # SLURM kills a job's processes 30 s after its signal (KillWait)
_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
_FAILURES = 3  # of a Ray that does not come up: a port may have been taken meanwhile
_SLOW = 20.0  # seconds; Ray gives up after 30 on a busy node, and then the launcher's limit counts
_STARTED = "Ray runtime started"  # `ray start` prints it once its node has joined
_ASKED = signal.SIGUSR1  # from the thread that reads the input


@dataclass(frozen=True)
class Settings:
    """What a node is told: `address` is the head's IPv4 for the head, `ip:port` for the others."""

    head: bool
    address: str
    gpus: int
    processors: int
    folder: str  # temporary, on the node's own disk, short
    memory: int | None = None  # bytes of the object store


def command(settings: Settings, ports: Mapping[str, int], own: Sequence[int]) -> list[str]:
    """Return the command that starts Ray.

    `ports` are those of every node, by option; `own` the head's: of its address, and of Ray's
    client server.
    """
    ray = str(Path(sys.executable).with_name("ray"))
    words = [ray, "start", "--block", "--disable-usage-stats"]
    words += [f"--num-gpus={settings.gpus}", f"--num-cpus={settings.processors}"]
    words += [f"--{name}={number}" for name, number in ports.items()]
    # Otherwise every Ray on a node takes the same ports for its workers, from 10002 on.
    words += ["--min-worker-port=0", "--max-worker-port=0"]
    if settings.memory is not None:
        words.append(f"--object-store-memory={settings.memory}")
    if not settings.head:
        # Without the internet Ray takes what /etc/hosts has for the own name, often 127.0.1.1.
        here = f"--node-ip-address={address_towards(settings.address.rpartition(':')[0])}"
        return [*words, f"--address={settings.address}", here]
    return [
        *words,
        "--head",
        f"--node-ip-address={settings.address}",
        f"--port={own[0]}",
        f"--ray-client-server-port={own[1]}",
        "--include-dashboard=false",
        f"--temp-dir={settings.folder}",
    ]


def free_ports(count: int) -> list[int]:
    """Return ports that no process listens on now."""
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("", 0))
        return [int(one.getsockname()[1]) for one in held]
    finally:
        for one in held:
            one.close()


def visible_gpus(visible: str | None) -> int | None:
    """Return how many GPUs CUDA_VISIBLE_DEVICES names, None where it is not set."""
    return None if visible is None else len([part for part in visible.split(",") if part.strip()])


def main(text: str) -> int:
    """Start Ray, wait until it ends or is to be ended, end it; return the exit code."""
    settings = Settings(**json.loads(text))
    seen = visible_gpus(os.environ.get("CUDA_VISIBLE_DEVICES"))
    if seen is not None and seen != settings.gpus:
        sys.stderr.write(
            f"limr: {socket.gethostname()}: {settings.gpus} GPUs were asked for, {seen} are "
            "visible. Make engines.openrlhf.gpus_per_node and the allocation agree.\n"
        )
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    signal.signal(_ASKED, _end_well)
    threading.Thread(target=_end_with_input, daemon=True).start()
    _adopt_orphans()
    return _serve(settings)


def _serve(settings: Settings) -> int:
    process: subprocess.Popen[str] | None = None
    try:
        failures = 0
        while failures < _FAILURES:
            begin = time.monotonic()
            port, client, *others = free_ports(2 + len(_PORTS))
            words = command(settings, dict(zip(_PORTS, others, strict=True)), (port, client))
            process = subprocess.Popen(  # noqa: S603 (fixed words and numbers)
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
            )
            if _comes_up(process):
                break
            _stop(process)
            failures += time.monotonic() - begin < _SLOW
        else:
            return 1
        if settings.head:
            sys.stdout.write(f"{READY}{settings.address}:{port}\n")
            sys.stdout.flush()
        return process.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, _ASKED):
            signal.signal(number, signal.SIG_IGN)  # nothing may interrupt the clean-up
        if process:
            _stop(process)
            if process.stdout:  # the few lines that came after the start
                sys.stderr.write(process.stdout.read())
        shutil.rmtree(settings.folder, ignore_errors=True)


def _comes_up(process: subprocess.Popen[str]) -> bool:
    """Wait until Ray works on this node, or has ended; its output goes to the step's log."""
    output = process.stdout
    if output is None:
        raise RuntimeError("Ray's output is not read")
    for line in output:
        sys.stderr.write(line)
        if _STARTED in line:
            return True
    sys.stderr.write("limr: Ray did not start on this node\n")
    return False


def _adopt_orphans() -> None:
    """Make this process, and not init, the parent of processes that its children leave behind."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _stop(process: subprocess.Popen[str]) -> None:
    """End Ray and everything that it started: a busy worker can outlive its raylet by minutes."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_SECONDS_TO_END)
    while left := psutil.Process().children(recursive=True):
        for one in left:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(left, timeout=1.0)


def _end_with_input() -> None:
    """Interrupt this process once the launcher has closed its side or has gone."""
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), _ASKED)


def _end_well(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

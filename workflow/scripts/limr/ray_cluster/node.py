"""Ray on one node, as a step of the allocation: `python -m limr.ray_cluster.node SETTINGS`.

SETTINGS is a JSON object (see `Settings`). Ports are chosen here, on the node that uses them, so
that two jobs on one node do not meet. The head prints its address as the first line of its output;
whatever Ray says goes to the step's log. The step ends when Ray does, or at a signal.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

READY = "limr-ray-head "  # before the address
_PORTS = (
    "dashboard-agent-listen-port",
    "dashboard-agent-grpc-port",
    "metrics-export-port",
    "runtime-env-agent-port",
    "node-manager-port",
    "object-manager-port",
)
_SECONDS_TO_END = 20.0


@dataclass(frozen=True)
class Settings:
    """What a node is told: `address` is the head's IPv4 for the head, `ip:port` for the others."""

    head: bool
    address: str
    gpus: int
    processors: int
    folder: str  # temporary, on the node's own disk, short
    seconds: float  # until Ray must answer
    memory: int | None = None  # bytes of the object store


def command(settings: Settings, ports: dict[str, int], port: int) -> list[str]:
    """Return the command that starts Ray; `port` is the head's."""
    ray = str(Path(sys.executable).with_name("ray"))
    words = [ray, "start", "--block", "--disable-usage-stats"]
    words += [f"--num-gpus={settings.gpus}", f"--num-cpus={settings.processors}"]
    words += [f"--{name}={number}" for name, number in ports.items()]
    if settings.memory is not None:
        words.append(f"--object-store-memory={settings.memory}")
    if not settings.head:
        return [*words, f"--address={settings.address}"]
    return [
        *words,
        "--head",
        f"--node-ip-address={settings.address}",
        f"--port={port}",
        "--include-dashboard=false",
        f"--temp-dir={settings.folder}",
    ]


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now."""
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
    """Start Ray, wait until it ends or a signal comes, end it; return the exit code."""
    settings = Settings(**json.loads(text))
    seen = visible_gpus(os.environ.get("CUDA_VISIBLE_DEVICES"))
    if seen is not None and seen != settings.gpus:
        sys.stderr.write(
            f"limr: {socket.gethostname()}: {settings.gpus} GPUs were asked for, {seen} are "
            "visible. Make engines.openrlhf.gpus_per_node and the allocation agree.\n"
        )
        return 2
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)
    port, *others = free_ports(1 + len(_PORTS))
    # Ray says what it does on stderr, so that stdout holds the address alone.
    process = subprocess.Popen(  # noqa: S603 (fixed words and numbers)
        command(settings, dict(zip(_PORTS, others, strict=True)), port),
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr.fileno(),
    )
    try:
        if settings.head and _answers(settings, port, process):
            sys.stdout.write(f"{READY}{settings.address}:{port}\n")
            sys.stdout.flush()
        return process.wait()
    finally:
        _stop(process)
        shutil.rmtree(settings.folder, ignore_errors=True)


def _answers(settings: Settings, port: int, process: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + settings.seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection((settings.address, port), timeout=1.0).close()
        except OSError:
            time.sleep(0.2)
        else:
            return True
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End Ray: what it started ends with it."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_SECONDS_TO_END)
    if process.poll() is None:
        process.kill()
        process.wait()


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

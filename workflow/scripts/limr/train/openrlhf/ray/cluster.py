"""Ray over the nodes of an allocation: started, watched and ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from limr.train.openrlhf.ray import allocation as allocations
from limr.train.openrlhf.ray import node as nodes
from limr.train.openrlhf.ray import ready
from limr.train.openrlhf.ray.allocation import Allocation

NOT_READY, NODE_LOST = 91, 92
SECONDS_TO_END = 30.0
_SCRIPTS = Path(__file__).parents[4]
_SHOWN = 15


@dataclass(frozen=True)
class Wanted:
    """What is asked for: GPUs per node, seconds until all are there, the folder of the logs."""

    gpus_per_node: int
    ready_seconds: float
    log: Path
    object_store_bytes: int | None = None


class StoppedError(Exception):
    """The cluster cannot go on; `code` is the exit code."""

    def __init__(self, code: int, message: str) -> None:
        """Keep the code and the message."""
        super().__init__(message)
        self.code = code


@dataclass
class Step:
    """Ray on one node."""

    node: str
    process: subprocess.Popen[str]
    log: Path

    def end_input(self) -> None:
        """Ask it to end."""
        if self.process.stdin:
            with suppress(BrokenPipeError):
                self.process.stdin.close()

    def tail(self) -> str:
        """Return the last lines of its log."""
        if not self.log.exists():
            return ""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_SHOWN:]
        return "\n".join(f"  {line[:300]}" for line in lines)


class Cluster:
    """Ray over the nodes of an allocation; ended by `close`, whatever has happened."""

    def __init__(self, allocation: Allocation, wanted: Wanted) -> None:
        """Keep what is to be started; nothing is started yet."""
        self.allocation, self.wanted = allocation, wanted
        # Sockets lie in it, and their paths may have 107 characters.
        self.folder = f"/tmp/limr-ray-{allocation.job}-{os.getpid()}"  # noqa: S108 (a name of its own)
        self.environment = allocations.cleaned(os.environ)
        known = self.environment.get("PYTHONPATH", "")
        path = [str(_SCRIPTS), *filter(None, known.split(os.pathsep))]
        self.environment |= {
            "PYTHONPATH": os.pathsep.join(dict.fromkeys(path)),
            "RAY_USAGE_STATS_ENABLED": "0",
            "PYTHONUNBUFFERED": "1",
        }
        self.steps: list[Step] = []

    def start(self) -> str:
        """Start all nodes and return the cluster's address when all GPUs are there.

        Raises StoppedError where a step ended, or the GPUs are not there in time.
        """
        begin = time.monotonic()
        head, *others = self.allocation.nodes
        first = self._step(head, self.allocation.head_address)
        address = self._address(first, begin)
        for name in others:
            self._step(name, address)
        self._wait(address, begin)
        say(f"Ray is ready on {len(self.steps)} nodes after {time.monotonic() - begin:.0f} s")
        return address

    def check(self, code: int) -> None:
        """Raise StoppedError, with this code and the step's log, when a step has ended."""
        for step in self.steps:
            if step.process.poll() is not None:
                raise StoppedError(
                    code,
                    f"Ray on node {step.node} ended (exit code {step.process.returncode}). The "
                    f"end of {step.log}:\n{step.tail()}",
                )

    def close(self) -> None:
        """End the steps and remove what they left on the nodes' disks.

        A step is asked to end by the end of its input: `srun` would kill it at once at a signal.
        """
        for step in reversed(self.steps):  # the worker nodes first
            step.end_input()
        end = time.monotonic() + SECONDS_TO_END
        for step in self.steps:
            try:
                step.process.wait(timeout=max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                step.process.kill()
                step.process.wait()
        self._remove_folders([step.node for step in self.steps if step.process.returncode])

    def _remove_folders(self, names: Sequence[str]) -> None:
        """Remove the folder on nodes whose step was killed before it could."""
        removing = []
        for name in names:
            words = [*allocations.step(self.allocation, name), "rm", "-rf", self.folder]
            with suppress(OSError):
                removing.append(
                    subprocess.Popen(  # noqa: S603 (fixed words)
                        words,
                        env=self.environment,
                        stdin=subprocess.DEVNULL,
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL,
                    )
                )
        end = time.monotonic() + SECONDS_TO_END
        for process in removing:
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(0.1, end - time.monotonic()))
            process.kill()
            process.wait()

    def _step(self, name: str, address: str) -> Step:
        gpus = self.wanted.gpus_per_node
        settings = nodes.Settings(
            head=not self.steps,
            address=address,
            gpus=gpus,
            # A number for Ray's bookkeeping: the trainer's actors ask for some CPUs per GPU.
            processors=max(self.allocation.processors, 2 * gpus + 4),
            folder=self.folder,
            memory=self.wanted.object_store_bytes,
        )
        log = self.wanted.log / f"{len(self.steps)}-{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        words = [sys.executable, "-m", nodes.__name__, json.dumps(asdict(settings))]
        with log.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(  # noqa: S603 (no shell; our own module)
                [*allocations.step(self.allocation, name), *words],
                env=self.environment,
                stdin=subprocess.PIPE,  # its end ends the step, even when the launcher is killed
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                start_new_session=True,  # a terminal's interrupt reaches the launcher alone
            )
        self.steps.append(Step(name, process, log))
        return self.steps[-1]

    def _address(self, head: Step, begin: float) -> str:
        found: list[str] = []
        output = head.process.stdout
        if output is None:
            raise RuntimeError("the head's step has no output")
        threading.Thread(target=_read_address, args=(output, found), daemon=True).start()
        while not found:
            self.check(NOT_READY)
            self._in_time(begin, "the head node did not answer")
            time.sleep(0.1)
        return found[0]

    def _wait(self, address: str, begin: float) -> None:
        gpus = len(self.steps) * self.wanted.gpus_per_node
        left = self.wanted.ready_seconds - (time.monotonic() - begin)
        words = [sys.executable, "-m", ready.__name__, address, str(gpus), f"{max(1.0, left):g}"]
        process = subprocess.Popen(words, env=self.environment, stdin=subprocess.DEVNULL)  # noqa: S603
        try:
            while process.poll() is None:
                self.check(NOT_READY)
                self._in_time(begin, "the cluster did not answer", 60.0)
                time.sleep(0.1)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if process.returncode:
            ends = "\n".join(f"{step.log}:\n{step.tail()}" for step in self.steps)
            raise StoppedError(NOT_READY, f"not all {gpus} GPUs joined in time.\n{ends}")

    def _in_time(self, begin: float, what: str, more: float = 0.0) -> None:
        limit = self.wanted.ready_seconds + more
        if time.monotonic() - begin > limit:
            ends = "\n".join(f"{step.log}:\n{step.tail()}" for step in self.steps)
            raise StoppedError(NOT_READY, f"{what} within {limit:.0f} s.\n{ends}")


def _read_address(output: IO[str], found: list[str]) -> None:
    for line in output:
        if line.startswith(nodes.READY):
            found.append(line.removeprefix(nodes.READY).strip())


def say(text: str) -> None:
    """Write a line for the job's log."""
    sys.stderr.write(f"limr: {text}\n")

"""Grading with hard limits: the algebra system runs in processes that can be killed.

The caller's own process applies the format rules, finds the answer and compares short numbers; all
of that is linear and bounded. Every other pair of gold answer and answer goes to a worker, once,
however many responses give it. A worker that exceeds the time limit is killed by the kernel, not by
a signal that the algebra system could catch, and replaced; its pair is not equal, with a reason.
Verdicts are those of `Grader`, with or without a pool.

No process starts before a pair needs it: numeric answers need none. Workers end when the pool is
closed, when the caller exits and when it is killed, since their pipe ends then. A fork of the
caller starts workers of its own: two processes that read from one worker would take each other's
verdicts.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import wait
from typing import Any, Self

from limr.core import progress
from limr.core.errors import InputError
from limr.grading import worker
from limr.grading.grade import Grade
from limr.grading.screen import Batch, Item, Judgement, Pair, Screen

SECONDS = 5.0
MEMORY_MB = 1024
TIMED_OUT, CRASHED, OUT_OF_MEMORY = "timed-out", "crashed", worker.OUT_OF_MEMORY
START_SECONDS = 120.0  # for a worker to load the algebra system, on a busy machine
_TRIES = 2  # workers that a pair may kill: the first may have been killed by something else


class _Worker:
    """A process, the pair that it judges and the deadline for it."""

    def __init__(self, command: Sequence[str], first_line: bytes) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "PYTHONHASHSEED": "0",  # the algebra system walks through sets
            "OMP_NUM_THREADS": "1",
        }
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment,
            process_group=0,  # the terminal's Ctrl-C is for the caller, who closes the pool
        )
        self.ready = False
        self.pair: Pair | None = None
        self.deadline = time.monotonic() + START_SECONDS
        self.send(first_line)

    def send(self, line: bytes) -> None:
        """Write a line; whether the worker is dead shows when its answer is read."""
        assert self.process.stdin is not None  # noqa: S101 - for mypy
        with contextlib.suppress(BrokenPipeError):
            view = memoryview(line)
            while view:
                view = view[self.process.stdin.write(view) or 0 :]

    def receive(self) -> Any:
        """Return the worker's answer, None where it has died."""
        line = os.read(self.fileno(), 65536)
        try:
            return json.loads(line)
        except ValueError:
            return None

    def fileno(self) -> int:
        """Return what to wait on for an answer."""
        assert self.process.stdout is not None  # noqa: S101 - for mypy
        return self.process.stdout.fileno()

    def kill(self) -> None:
        """Kill the process and wait until it is gone."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def leave(self) -> None:
        """Close this process's ends of the pipes: the worker is another process's."""
        self.process.returncode = 0  # so that nothing here waits for it
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


class GradingPool:
    """Grades batches of responses, with hard limits of time and memory per pair of answers.

    It may be used from any thread, by several at once (they take turns), and within Ray actors.

    Args:
        settings: the study's `grader` (see `limr.grading.settings`).
        workers: processes; by default as many as there are cores, at most 4.
        seconds: wall time for one pair. A judgement that has come counts, however late the caller
            looks: that the caller was busy makes no answer wrong.
        memory_mb: address space of one worker.
    """

    command: Sequence[str] = (sys.executable, "-P", "-m", worker.__name__)

    def __init__(
        self,
        settings: Mapping[str, Any] | None = None,
        *,
        workers: int | None = None,
        seconds: float = SECONDS,
        memory_mb: int = MEMORY_MB,
    ) -> None:
        self._screen = Screen(settings)
        self._size = workers or min(4, progress.cores())
        self._seconds = seconds
        limits = {"seconds": seconds, "memory_bytes": memory_mb << 20}
        self._first_line = _line({"grader": dict(settings or {}), **limits})
        self._workers: list[_Worker] = []
        self._queue: dict[Pair, None] = {}  # in the order of asking
        self._failed_starts = 0
        self._deaths: dict[Pair, int] = {}
        self._lock = threading.Lock()
        _POOLS.add(self)

    def __enter__(self) -> Self:
        """Return the pool; no process is started yet."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close the pool."""
        self.close()

    def close(self) -> None:
        """End the workers. The pool can be used again; it keeps its verdicts."""
        with self._lock:
            while self._workers:
                self._workers.pop().kill()

    def start_anew_after_a_fork(self) -> None:
        """Leave the workers to the parent, in a child: they answer it alone, and end with it."""
        self._lock = threading.Lock()  # another thread of the parent may have held it
        for one in self._workers:
            one.leave()
        self._workers, self._queue, self._failed_starts = [], {}, 0

    def grade_many(
        self, items: Sequence[Item], done: Callable[[int], object] | None = None
    ) -> list[Grade]:
        """Return a grade for each (gold answer, response, truncated), in order.

        An item may have a fourth part, the prompt, for plug-ins that ask for it. `done` is called
        with 1 for each item that has its grade, for a progress bar. Raises InputError where the
        workers cannot start, for example as math-verify is not installed, and where a plug-in
        returns something else than a bool.
        """
        with self._lock:
            self._queue.clear()  # of a batch that ended by an error
            batch = Batch(self._screen, items, done)
            for number in range(len(items)):
                self._grade(batch, number)
                if batch.waiting:  # the workers work beside the caller
                    self._move_on(batch, block=False)
            while batch.waiting:
                self._move_on(batch, block=True)
            return [grade for grade in batch.grades if grade is not None]

    def _grade(self, batch: Batch, number: int) -> None:
        """Grade an item, or ask for the pair on which its grade waits."""
        pair = batch.grade(number)
        if pair is not None and all(one.pair != pair for one in self._workers):
            self._queue[pair] = None

    def _move_on(self, batch: Batch, *, block: bool) -> None:
        """Give out pairs, take in answers, end what is overdue."""
        self._give_out()
        soonest = min(one.deadline for one in self._workers)
        timeout = max(0.0, soonest - time.monotonic()) if block else 0.0
        answered: list[Any] = wait(self._workers, timeout)  # type: ignore[arg-type]
        for one in answered:
            self._take_in(one, batch)
        now = time.monotonic()
        for one in [one for one in self._workers if now > one.deadline]:
            self._remove(one)
            if one.pair is None:
                raise InputError(f"a grading worker did not start within {START_SECONDS:.0f} s.")
            self._judge(one.pair, Judgement(False, TIMED_OUT), batch)

    def _give_out(self) -> None:
        starting = sum(not one.ready for one in self._workers)
        while len(self._workers) < self._size and len(self._queue) > starting:
            self._workers.append(_Worker(self.command, self._first_line))
            starting += 1
        for one in self._workers:
            if one.ready and one.pair is None and self._queue:
                one.pair = next(iter(self._queue))
                del self._queue[one.pair]
                one.deadline = time.monotonic() + self._seconds
                one.send(_line(one.pair))

    def _take_in(self, one: _Worker, batch: Batch) -> None:
        answer, pair = one.receive(), one.pair
        if answer is None:
            self._died(one, batch)
        elif pair is not None:
            one.pair, one.deadline = None, math.inf
            if answer["leaves"]:
                self._remove(one)
            if "refused" in answer:
                raise InputError(answer["refused"])
            self._judge(pair, Judgement(answer["equal"], answer["reason"]), batch)
        elif "error" in answer:
            self._remove(one)
            raise InputError(f"a grading worker cannot start: {answer['error']}")
        else:
            one.ready, one.deadline, self._failed_starts = True, math.inf, 0

    def _died(self, one: _Worker, batch: Batch) -> None:
        """Try the pair of a dead worker once more: it may not have been the reason."""
        self._remove(one)
        if not one.ready:
            self._failed_starts += 1
            if self._failed_starts >= _TRIES:
                raise InputError(
                    f"grading workers end at their start (exit code {one.process.returncode})."
                )
        elif one.pair is not None:
            deaths = self._deaths[one.pair] = self._deaths.get(one.pair, 0) + 1
            if deaths < _TRIES:
                self._queue[one.pair] = None
            else:
                self._judge(one.pair, Judgement(False, CRASHED), batch)

    def _judge(self, pair: Pair, judgement: Judgement, batch: Batch) -> None:
        self._screen.judged[pair] = judgement
        for number in batch.waiting.pop(pair, ()):
            self._grade(batch, number)  # a list spread over boxes has a second pair

    def _remove(self, one: _Worker) -> None:
        self._workers.remove(one)
        one.kill()


_POOLS: weakref.WeakSet[GradingPool] = weakref.WeakSet()


def _after_a_fork() -> None:
    for pool in list(_POOLS):
        pool.start_anew_after_a_fork()


os.register_at_fork(after_in_child=_after_a_fork)


def _line(value: Any) -> bytes:
    """Return a line of JSON in ASCII: lone surrogates and control characters pass unharmed."""
    return json.dumps(value).encode("ascii") + b"\n"

"""A worker of `limr.grading.pool`: judges one pair of answers per line, within limits of its own.

Started as `python -m limr.grading.worker`, never forked or spawned by multiprocessing: a fork of a
process with threads (PyTorch, Ray) can hang, and a spawn would run the caller's script again. Lines
are JSON in ASCII both ways, so that any text passes and nothing but data does.

The first line gives the settings and limits; the answer is `{"ready": true}`, or `{"error": ...}`.
Then each line `[gold, answer, prompt]` is answered by `{"equal": ..., "reason": ..., "leaves":
...}`, with "refused" and what is wrong where the settings' plug-in does not keep to its interface.
"""

from __future__ import annotations

import json
import math
import os
import resource
import select
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from limr.core.errors import InputError
from limr.grading.grade import Grader

OUT_OF_MEMORY, ERROR = "out-of-memory", "error"
_SHOWN = 200  # characters of what an error says
_LOOK = 5.0  # seconds between two looks at whether the parent is still there
_FULL = 0.9  # share of the memory limit that counts as having reached it
_SPARE = 2  # CPU-seconds over the limit after which the kernel ends a worker without a parent


def serve() -> None:
    """Answer lines until there are no more, which is when the parent has closed or died."""
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # so that what a library prints is not taken for an answer
    parent = os.getppid()
    try:
        settings = json.loads(sys.stdin.buffer.readline())
        grader = _prepared(settings)
    except Exception as error:  # noqa: BLE001 - the parent shows it: without it nothing works
        _say(answers, {"error": f"{type(error).__name__}: {error}"})
        return
    _say(answers, {"ready": True})
    while pair := _next_line(parent):
        _limit_cpu(settings["seconds"])
        try:
            equal, reason = _judged(grader, *json.loads(pair))
        except InputError as error:
            _say(answers, {"refused": str(error), "leaves": False})
            continue
        full = _peak_bytes() > _FULL * settings["memory_bytes"]
        if full and not equal:
            reason = OUT_OF_MEMORY
        _say(answers, {"equal": equal, "reason": reason, "leaves": full})
        if full:
            return  # a new process starts small


def _prepared(settings: Mapping[str, Any]) -> Grader:
    """Load what takes time before the first pair's clock runs, then set the limits."""
    grader = Grader(settings["grader"])
    grader.ready()
    size = settings["memory_bytes"]
    if size < 2 * _peak_bytes():
        raise ValueError(f"a worker takes {_peak_bytes() >> 20} MB: give it twice that at least.")
    if sys.platform == "linux":  # elsewhere the kernel refuses or ignores it
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return grader


def _next_line(parent: int) -> bytes:
    """Return the next line; b"" when the parent is gone, even if a fork of it holds the pipe."""
    while os.getppid() == parent:
        if select.select([sys.stdin.buffer], [], [], _LOOK)[0]:
            return sys.stdin.buffer.readline()
    return b""


def _limit_cpu(seconds: float) -> None:
    """Let the kernel end this process if a pair takes too long and no parent is left to do it."""
    limit = math.ceil(time.process_time() + seconds) + _SPARE
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _judged(grader: Grader, gold: str, answer: str, prompt: str | None) -> tuple[bool, str]:
    try:
        return grader.is_equal(gold, answer, prompt), ""
    except MemoryError:
        return False, OUT_OF_MEMORY
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a hostile text provokes is no right answer
        said = " ".join(f"{type(error).__name__}: {error}".split())
        return False, f"{ERROR}: {said:.{_SHOWN}}"


def _peak_bytes() -> int:
    """Return the largest address space that this process has had."""
    status = Path("/proc/self/status")
    if not status.exists():  # not Linux: the resident size must do
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    text = status.read_text(encoding="ascii", errors="replace")
    return int(text.partition("VmPeak:")[2].split()[0]) * 1024


def _say(answers: Any, message: Any) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


if __name__ == "__main__":
    serve()

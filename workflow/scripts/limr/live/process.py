"""Snakemake as a child process: its words go to a file, its events to the screen."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from limr.core.errors import InputError
from limr.live.progress import Events, Progress
from limr.live.screen import Plain, Screen

PLUGIN = Path(__file__).with_name("snakemake_plugin")
_SECONDS = 1.0  # between two looks


def environment(events: Path) -> Mapping[str, str]:
    """Return the environment of Snakemake: it finds our logger, and where to write events."""
    paths = [str(PLUGIN), os.environ.get("PYTHONPATH", "")]
    found = os.pathsep.join(path for path in paths if path)
    return {**os.environ, "PYTHONPATH": found, "LIMR_EVENTS": str(events.absolute())}


def follow(
    command: Sequence[str], log: Path, events: Path, screen: Plain | Screen, progress: Progress
) -> tuple[int, bool]:
    """Run Snakemake to its end; return its exit code, and whether the user interrupted it.

    It has a process group of its own, so that Ctrl-C reaches it once, by us: its jobs are ended
    and what they have kept stays.

    Raises:
        InputError: the log cannot be written.
    """
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        file = log.open("wb")
    except OSError as error:
        raise InputError(f"{log}: cannot be written ({error.strerror}).") from None
    with file:
        process = subprocess.Popen(  # noqa: S603 (no shell; the user's own words)
            command, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            env=environment(events), process_group=0,
        )  # fmt: skip
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _as_interrupt)
        seen, interrupted = Events(events), False
        with screen:
            while True:
                try:
                    ended = _wait(process)
                    for event in seen.new():
                        job = progress.take(event)
                        if job is not None and not interrupted:
                            screen.ended(job)
                    if ended:
                        return process.returncode, interrupted
                    screen.show()
                except KeyboardInterrupt:
                    # The second time nothing is waited for.
                    wanted = signal.SIGKILL if interrupted else signal.SIGINT
                    interrupted = True
                    _tell(process, wanted)


def _wait(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _tell(process: subprocess.Popen[bytes], number: int) -> None:
    with suppress(ProcessLookupError):  # it has ended meanwhile
        os.killpg(process.pid, number)


def _as_interrupt(*_: object) -> None:
    raise KeyboardInterrupt

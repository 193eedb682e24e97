"""The process that vLLM runs in, as seen from the job that uses it; see `worker`."""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from limr.core.errors import InputError
from limr.core.job_log import note
from limr.models.vllm.worker import GRACE

START_SECONDS = 3600.0  # no model takes this long to load; a start-up that hangs must end
_CAUSE = re.compile(r"\b\w+(Error|Exception): ")  # the first one is usually the cause
_SHOWN = 15  # lines of vLLM's log in an error
_TAIL_BYTES = 1_000_000
_ENVIRONMENT = {
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
}
_SCRIPTS = Path(__file__).parents[3]


class Worker:
    """A running vLLM."""

    def __init__(self, settings: Mapping[str, Any], log: Path | None) -> None:
        """Start vLLM with these engine arguments, and wait until it takes requests.

        `log` is the file of its output; without one it goes to a file that is gone afterwards.
        Raises InputError, with the last lines of the log, where it did not start.
        """
        self.model = settings["model"]
        self._log = log.open("w+b") if log else tempfile.TemporaryFile()  # noqa: SIM115 (closed by `close`)
        self._log_name = str(log) if log else "its log"
        ours, theirs = os.pipe()
        path = os.pathsep.join([str(_SCRIPTS), os.environ.get("PYTHONPATH", "")])
        try:
            self._process = subprocess.Popen(  # noqa: S603 (no shell; this package's own module)
                [sys.executable, "-m", __package__ + ".worker", json.dumps(settings), str(theirs)],
                stdin=subprocess.PIPE,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs],
                start_new_session=True,
                env={**_ENVIRONMENT, **os.environ, "PYTHONPATH": path.rstrip(os.pathsep)},
            )
        finally:
            os.close(theirs)
        self._lines = _Lines(ours)
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self) -> None:
        begin = time.monotonic()
        while (line := self._lines.read(1.0)) is None:
            if self._process.poll() is not None:
                raise self._failed("did not start")
            if time.monotonic() - begin > START_SECONDS:
                raise self._failed(f"did not start within {START_SECONDS:.0f} s")
        if not json.loads(line).get("ready"):
            raise self._failed("did not start as expected")
        note(f"vLLM has loaded {self.model} in {time.monotonic() - begin:.0f} s")

    def generate(
        self,
        prompts: Sequence[tuple[int, Sequence[int], int | None]],
        sampling: Mapping[str, Any],
    ) -> Iterator[tuple[int, list[int]]]:
        """Yield (row, token ids) of each response when it has ended, in any order.

        `prompts` are (row, token ids, seed) of each wanted response, `sampling` vLLM's parameters.
        Raises InputError, with the last lines of the log, where vLLM stopped.
        """
        if self._process.stdin is None:
            raise RuntimeError("the worker has no stdin")
        request = json.dumps({"prompts": [list(one) for one in prompts], "sampling": sampling})
        try:
            self._process.stdin.write(request.encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._failed("stopped") from None
        while True:
            line = self._lines.read(1.0)
            if line is None:
                if self._process.poll() is not None:
                    raise self._failed("stopped")
                continue
            value = json.loads(line)
            if value.get("done"):
                return
            yield int(value["row"]), value["ids"]

    def close(self) -> None:
        """End the process and everything that it started."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=GRACE + 10)
        with suppress(ProcessLookupError):  # its children, if any are left
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()

    def _failed(self, what: str) -> InputError:
        code = self._process.poll()
        end = "" if code is None else f" (exit code {code})"
        self._log.flush()
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - _TAIL_BYTES))
        lines = self._log.read().decode(errors="replace").splitlines()
        causes = [line for line in lines[:-_SHOWN] if _CAUSE.search(line)][:1]
        text = "\n".join(f"  {line[:300]}" for line in [*causes, *lines[-_SHOWN:]])
        return InputError(
            f"{self.model}: vLLM {what}{end}. If a GPU's memory is full, lower "
            "engines.vllm.gpu_memory_utilization or max_sequences, or raise tensor_parallel. "
            f"Finished responses are kept. From {self._log_name}:\n{text}"
        )


class _Lines:
    """Lines of a pipe, read by a thread so that waiting for one has a time limit."""

    def __init__(self, descriptor: int) -> None:
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, args=(descriptor,), daemon=True).start()

    def _read(self, descriptor: int) -> None:
        with os.fdopen(descriptor) as pipe:
            for line in pipe:
                if line.endswith("\n"):  # otherwise its writer was killed
                    self._lines.put(line)

    def read(self, seconds: float) -> str | None:
        """Return the next line, None where none came in time."""
        try:
            return self._lines.get(timeout=seconds)
        except queue.Empty:
            return None

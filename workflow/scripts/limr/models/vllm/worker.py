"""vLLM in a process of its own: `python -m limr.models.vllm.worker SETTINGS RESULTS`.

SETTINGS is a JSON object of vLLM's engine arguments, RESULTS the number of an open pipe. Requests
come as lines on stdin; a line of RESULTS is `{"ready": true}`, a finished response
(`{"row": 3, "ids": [...]}`) or `{"done": true}` after the last one of a request. The process ends
when stdin does: a killed job leaves no model behind, a closed policy frees its GPUs for the next.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, TextIO

CPU_TOKENS = 4096  # tokens per step on a CPU
GRACE = 20.0  # seconds to shut down before the whole process group is killed


def main(arguments: list[str]) -> int:
    """Start vLLM, serve requests until stdin ends, shut it down."""
    results = os.fdopen(int(arguments[1]), "w", buffering=1)
    coming = _Requests()
    engine = start(json.loads(arguments[0]))
    _write(results, {"ready": True})
    while (request := coming.next()) is not None:
        for row, ids in generate(engine, request, coming.closed):
            _write(results, {"row": row, "ids": ids})
        _write(results, {"done": True})
    engine.engine_core.shutdown()
    return 0


def _write(results: TextIO, value: dict[str, Any]) -> None:
    results.write(json.dumps(value) + "\n")


class _Requests:
    """The lines of stdin, read in a thread so that its end is seen while vLLM generates."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def next(self) -> dict[str, Any] | None:
        """Wait for a request; None when there will be none."""
        line = self._lines.get()
        found: dict[str, Any] | None = json.loads(line) if line is not None else None
        return found

    def _read(self) -> None:
        for line in sys.stdin:
            self._lines.put(line)
        self.closed.set()
        self._lines.put(None)
        time.sleep(GRACE)
        os.killpg(os.getpgid(0), signal.SIGKILL)  # a group of its own: see `Worker`


def start(settings: dict[str, Any]) -> Any:
    """Return a started engine of vLLM; `dtype: auto` is float32 on a CPU.

    On a CPU a prompt is read in one go: vLLM 0.29 turns a seeded generator back after a part of a
    prompt, which PyTorch's generator for CPUs cannot do.
    """
    from vllm import EngineArgs, LLMEngine
    from vllm.platforms import current_platform

    if current_platform.is_cpu():
        dtype = "float32" if settings["dtype"] == "auto" else settings["dtype"]
        settings = {**settings, "dtype": dtype, "enable_chunked_prefill": False}
        settings["max_num_batched_tokens"] = max(settings["max_model_len"], CPU_TOKENS)
    return LLMEngine.from_engine_args(
        EngineArgs(
            **settings,
            generation_config="vllm",  # the study decides how responses are drawn, not the folder
            disable_log_stats=True,
            trust_remote_code=False,
        )
    )


def generate(
    engine: Any, request: dict[str, Any], closed: threading.Event
) -> Iterator[tuple[int, list[int]]]:
    """Yield each response when it ends: its row, and its token ids with the one that ended it.

    `request` has `prompts` (row, token ids of a prompt, seed or None) and `sampling`; `closed` is
    set when nobody waits for the responses any more.
    """
    from vllm import SamplingParams
    from vllm.inputs import TokensPrompt
    from vllm.sampling_params import RequestOutputKind

    for row, ids, seed in request["prompts"]:
        params = SamplingParams(
            **request["sampling"], seed=seed, output_kind=RequestOutputKind.FINAL_ONLY
        )
        engine.add_request(str(row), TokensPrompt(prompt_token_ids=ids), params)
    while engine.has_unfinished_requests() and not closed.is_set():
        for output in engine.step():
            if output.finished:
                yield int(output.request_id), list(output.outputs[0].token_ids)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

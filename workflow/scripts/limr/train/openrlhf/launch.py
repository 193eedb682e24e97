"""Starts a trainer of OpenRLHF in this process: `python -m limr.train.openrlhf.launch TASK.json`.

It starts or joins Ray, tells Ray's workers which functions to wrap, and runs the trainer's own
module unchanged. With a pipe as its standard input it ends when the other side is gone: a killed
workflow leaves no trainer behind that goes on writing into the working folder.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import signal
import stat
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from limr.core.errors import InputError
from limr.train.openrlhf import builds, cluster, command, flash_attention, hooks
from limr.train.openrlhf import task as tasks

SCRIPTS = Path(__file__).parents[3]
SECONDS_TO_END = 60.0  # for Ray's clean-up
SHARED = ("LIMR_MIRROR", "HF_HUB_OFFLINE", "NCCL_DEBUG", "NCCL_SOCKET_IFNAME")


def variables(task: tasks.Task, path: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of Ray's workers, from that of this process."""
    known = [part for part in environment.get("PYTHONPATH", "").split(os.pathsep) if part]
    return {
        "TOKENIZERS_PARALLELISM": "true",
        "NCCL_DEBUG": "WARN",
        "RAY_ENABLE_ZERO_COPY_TORCH_TENSORS": "1",
        **{name: environment[name] for name in SHARED if name in environment},
        "PYTHONPATH": os.pathsep.join(dict.fromkeys([str(SCRIPTS), *known])),
        "HF_DATASETS_CACHE": str(task.path / "cache"),
        "TQDM_MININTERVAL": "30",
        tasks.VARIABLE: str(path),
    }


def end_with_parent() -> None:
    """End this process when the process that holds the other end of its standard input is gone."""
    if not stat.S_ISFIFO(os.fstat(0).st_mode):
        return

    def watch() -> None:
        while os.read(0, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(SECONDS_TO_END)
        os._exit(143)

    threading.Thread(target=watch, daemon=True, name="limr-parent").start()


def _terminated(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(143)


def run(path: Path) -> None:
    """Run the trainer of a task to its end; InputError where it lacks GPUs or flash-attn."""
    task = tasks.read(str(path))
    flash_attention.check(task.arguments)
    given = variables(task, path, os.environ)
    os.environ.update(given)
    hooks.install()
    sys.argv = [task.module, *task.arguments]
    if task.module == command.SFT_MODULE:
        with contextlib.suppress(hooks.LastStep):
            runpy.run_module(task.module, run_name="__main__")
        return
    setup = f"{hooks.__name__}.install"
    with cluster.started(task.gpus, task.nodes, task.ray_start_seconds, given, setup):
        # vLLM's actors load it by its path; importing it here shows what it lacks before they
        # start, and makes an edit of it rerun its runs.
        from limr.train.openrlhf import agent  # noqa: F401

        runpy.run_module(task.module, run_name="__main__")


def main() -> None:
    """Run the command."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m limr.train.openrlhf.launch TASK.json")
    signal.signal(signal.SIGTERM, _terminated)
    end_with_parent()
    builds.watch(os.environ)
    try:
        run(Path(sys.argv[1]).resolve())
    except InputError as error:
        sys.exit(f"limr: {error}")


if __name__ == "__main__":
    main()

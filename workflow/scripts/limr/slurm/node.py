"""Can this node train or generate? Its GPUs, driver, PyTorch build, packages and folder."""

from __future__ import annotations

import csv
import importlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from limr.core.errors import InputError
from limr.core.job_log import note

Json = dict[str, Any]
_TIMEOUT = 60
_QUERY = "name,driver_version,memory.total"


def examine(modules: Sequence[str], gpus: int, environment: str) -> Json:
    """Return what a node has; everything that it lacks is named at once.

    Raises InputError where a package of `modules` cannot be imported, the driver or PyTorch's build
    does not fit, or this process sees fewer than `gpus` GPUs. `environment` is for the messages.
    """
    where = os.uname().nodename
    lacks = [lack for module in modules if (lack := _import(module, environment))]
    found: list[Json] = []
    try:
        found = cards()
    except InputError as error:
        lacks.append(str(error))
    else:
        if len(found) < gpus:
            lacks.append(
                f"{len(found)} GPUs are visible and {gpus} were asked for. Look at the partition "
                "(LIMR_SLURM_GPU_PARTITION) and at CUDA_VISIBLE_DEVICES."
            )
    if lacks:
        raise InputError(f"node {where} cannot run this study:\n  " + "\n  ".join(lacks))
    memory = shutil.disk_usage("/dev/shm").total if Path("/dev/shm").is_dir() else 0  # noqa: S108
    return {
        "node": where,
        "gpus": found,
        "driver": drivers(),
        "shared_memory_gb": round(memory / 1e9, 1),
        "packages": {module: _version(module) for module in modules},
    }


def _import(module: str, environment: str) -> str:
    """Import a package; return what is wrong, or ""."""
    note(f"importing {module}")
    try:
        importlib.import_module(module)
    except Exception as error:  # noqa: BLE001 (a broken build fails in any way; it is passed on)
        return (
            f"{module} cannot be imported ({type(error).__name__}: {error}). Is this environment "
            f"'{environment}'? Run with --sdm conda, or install envs/{environment}.lock."
        )
    return ""


def _version(module: str) -> str:
    return str(getattr(importlib.import_module(module), "__version__", ""))


def cards() -> list[Json]:
    """Return the GPUs that PyTorch sees, after a small product of matrices on each.

    Raises InputError where PyTorch has no CUDA, the driver does not fit, or a GPU does not compute.
    """
    import torch

    if torch.version.cuda is None:
        raise InputError(
            f"PyTorch {torch.__version__} was built without CUDA: this is an environment for CPUs. "
            "Deploy the engine's own (--sdm conda), or install its lock with its CUDA wheels."
        )
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
        return [_card(index) for index in range(torch.cuda.device_count())]
    except (RuntimeError, AssertionError) as error:
        raise InputError(
            f"CUDA {torch.version.cuda} does not work here: {str(error).splitlines()[0]} Driver: "
            f"{'; '.join(drivers()) or 'nvidia-smi is not there or fails'}. The job must have a "
            "GPU, and the driver must be as new as this CUDA wants (docs/openrlhf.md)."
        ) from None


def _card(index: int) -> Json:
    import torch

    square = torch.ones((64, 64), dtype=torch.bfloat16, device=f"cuda:{index}")
    if float((square @ square).sum()) != 64.0**3:
        raise InputError(f"GPU {index} computes wrongly: ask for another node (--exclude).")
    found = torch.cuda.get_device_properties(index)
    return {
        "name": found.name,
        "memory_gb": round(found.total_memory / 1e9, 1),
        "capability": f"{found.major}.{found.minor}",
    }


def drivers() -> list[str]:
    """Return a line for each GPU of the node, from nvidia-smi; none where it does not answer."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    words = [program, f"--query-gpu={_QUERY}", "--format=csv,noheader"]
    try:
        done = subprocess.run(  # noqa: S603 (no shell)
            words, capture_output=True, text=True, timeout=_TIMEOUT, check=False, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    if done.returncode != 0:
        return []
    rows = csv.reader(done.stdout.splitlines(), skipinitialspace=True)
    return [" ".join(row) for row in rows if len(row) == len(_QUERY.split(","))]

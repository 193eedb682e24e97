"""GPUs that an estimate can be made for: peak speed and memory, from their makers' data sheets."""

from __future__ import annotations

from dataclasses import dataclass

from limr.core.errors import InputError, nearest


@dataclass(frozen=True)
class Gpu:
    """A GPU type: `peak` is dense bfloat16, in FLOP/s; `memory` in bytes."""

    title: str
    peak: float
    memory: float


# NVIDIA's data sheets; "with sparsity" figures are halved.
GPUS = {
    "a100-40": Gpu("A100 40 GB", 312e12, 40e9),
    "a100-80": Gpu("A100 80 GB", 312e12, 80e9),
    "h100": Gpu("H100 SXM 80 GB", 989e12, 80e9),
    "h200": Gpu("H200 SXM 141 GB", 989e12, 141e9),
    "l40s": Gpu("L40S 48 GB", 362e12, 48e9),
    "a10": Gpu("A10 24 GB", 125e12, 24e9),
    "rtx-4090": Gpu("GeForce RTX 4090 24 GB", 165e12, 24e9),
}


def find(name: str) -> Gpu:
    """Return a GPU type; refuse an unknown one."""
    if name not in GPUS:
        raise InputError(f"--gpu: '{name}' is not known.{nearest(name, GPUS)}")
    return GPUS[name]

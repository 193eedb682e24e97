"""Checkpoints of the embedded engine: written with the run's other files as whole states.

<folder>/checkpoints/000008.pt       what step 9 depends on
<folder>/rollouts/000008.parquet     rollouts of step 8
<folder>/policies/step8/             a policy that is asked for
<folder>/states/step8/               a state that other runs start from
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch

from limr.core import files
from limr.core.working_folder import Folder
from limr.train.states import KEPT, States

_CHECKPOINTS = "checkpoints"
PUBLISHED = ("rollouts", "policies", "states")


def states(folder: Folder) -> States:
    """Return the states of a working folder."""
    return States(folder.root, folder.digest, (_CHECKPOINTS, *PUBLISHED))


def write(path: Path, value: dict[str, Any]) -> None:
    """Write tensors and plain values, whole or not at all."""
    buffer = io.BytesIO()
    torch.save(value, buffer)
    with files.atomic(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def read(path: Path, device: torch.device) -> dict[str, Any]:
    """Read what `write` wrote; nothing in the file is executed."""
    found: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    return found


def save(folder: Folder, step: int, value: dict[str, Any]) -> None:
    """Keep what the step after `step` depends on, and the state before; remove older ones."""
    path = _path(folder, step)
    write(path, value)
    made = [one for name in PUBLISHED for one in folder.path(name).rglob("*") if one.is_file()]
    kept = states(folder)
    kept.save(step, [path, *sorted(made)])
    for old in kept.steps()[:-KEPT]:
        kept.forget(old)
        _path(folder, old).unlink(missing_ok=True)


def load(folder: Folder, device: torch.device) -> dict[str, Any] | None:
    """Return the checkpoint of the last whole state, None where there is none.

    Whatever was made after it is removed.
    """
    step = states(folder).go_back()
    return None if step == 0 else read(_path(folder, step), device)


def _path(folder: Folder, step: int) -> Path:
    return folder.path(_CHECKPOINTS, f"{step:06}.pt")

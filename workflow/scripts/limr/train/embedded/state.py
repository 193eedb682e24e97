"""The working folder of an embedded run: its checkpoint, and what finished steps have made.

<state>/checkpoint.pt             the last checkpoint
<state>/rollouts/, policies/, ... see `limr.core.working_folder` for the rest
"""

from __future__ import annotations

import io as bytes_io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from limr.core import files, working_folder


@dataclass(frozen=True)
class State(working_folder.Folder):
    """The working folder of the run that this process works on."""

    def save(self, value: dict[str, Any]) -> None:
        """Replace the checkpoint: whole or not at all."""
        buffer = bytes_io.BytesIO()
        torch.save(value, buffer)
        with files.atomic(self.path("checkpoint.pt")) as temporary:
            temporary.write_bytes(buffer.getbuffer())

    def load(self, device: torch.device) -> dict[str, Any] | None:
        """Return the last checkpoint, None before the first."""
        path = self.path("checkpoint.pt")
        if not path.exists():
            return None
        found: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        return found


@contextmanager
def opened(root: Path, digest: str) -> Iterator[State]:
    """Open the working folder of the job with this digest, alone; see `working_folder.opened`."""
    with working_folder.opened(root, digest) as folder:
        yield State(**vars(folder))

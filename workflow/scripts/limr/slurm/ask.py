"""SLURM's own programs, called with a time limit."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from limr.core.errors import InputError

SECONDS = 60.0  # for a busy controller


def call(
    words: Sequence[str], text: str = "", seconds: float = SECONDS
) -> subprocess.CompletedProcess[str]:
    """Run a program of SLURM with `text` as its input, whatever its exit code.

    Raises:
        InputError: the program is not there, or does not answer within so many seconds.
    """
    try:
        return subprocess.run(  # noqa: S603 (SLURM's own programs, no shell)
            words,
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        raise InputError(
            f"SLURM does not answer: there is no '{words[0]}' here. Is this the login node?"
        ) from None
    except subprocess.TimeoutExpired:
        raise InputError(
            f"{words[0]} does not answer within {seconds:g} s. Is SLURM's controller up?"
        ) from None

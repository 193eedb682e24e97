"""Named random streams: every consumer of randomness has a stream of its own.

A stream is named by the study's seed and a list of names, such as
`stream(1, "rollouts", "full", 12)`. So a new consumer cannot shift another one's draws, and nothing
has to be saved for a resume: the stream of step 12 is the same after a restart.
"""

from __future__ import annotations

import hashlib

import numpy as np

Name = str | int


def stream_seed(seed: int, *names: Name) -> int:
    """Return a seed in [0, 2**63) that depends on `seed` and on every name, in order."""
    text = "\x1f".join([str(int(seed)), *(str(name) for name in names)])
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def stream(seed: int, *names: Name) -> np.random.Generator:
    """Return a fresh NumPy generator (PCG64) for the named purpose."""
    return np.random.Generator(np.random.PCG64(stream_seed(seed, *names)))

"""limr: which RL prompts are worth the compute, and is the gain real?

In a notebook: `limr.read("rollouts/").score("lim")`; see `limr.look.notebook`.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.2.0"
__all__ = ["__version__", "read"]


def __getattr__(name: str) -> Any:
    """Load `read` when it is first asked for: `limr --help` and jobs need no pandas."""
    if name == "read":
        from limr.look.notebook import read

        return read
    raise AttributeError(f"module 'limr' has no attribute {name!r}")

"""Locks of builds that were killed: PyTorch compiles DeepSpeed's kernels when they are first used.

The process that compiles holds a file `lock`; any other waits until it is gone, for ever. A
trainer that is killed meanwhile leaves it behind, and every later run would hang (this happened). A
lock that is older than any build is removed, before the trainer starts and while it runs: whoever
waits goes on then, or fails where nothing was built, and the next attempt builds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path

from limr.core.job_log import note

OLD = 1200.0  # seconds; a build takes minutes
EVERY = 30.0


def root(environment: Mapping[str, str]) -> Path:
    """Return the folder that PyTorch keeps its builds in."""
    given = environment.get("TORCH_EXTENSIONS_DIR")
    cache = environment.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(given) if given else Path(cache) / "torch_extensions"


def remove_old_locks(folder: Path, now: float) -> list[Path]:
    """Delete the locks of builds that cannot be running any more; return them."""
    removed = []
    for lock in [*folder.glob("*/lock"), *folder.glob("*/*/lock")]:
        try:
            if now - lock.stat().st_mtime > OLD:
                lock.unlink()
                removed.append(lock)
        except OSError:  # its owner has deleted it meanwhile, or it is not ours to delete
            continue
    return removed


def watch(environment: Mapping[str, str]) -> None:
    """Remove such locks now, and as long as this process lives."""
    folder = root(environment)

    def look() -> None:
        for lock in remove_old_locks(folder, time.time()):
            note(f"{lock}: left behind by a build that was killed; removed")

    def again() -> None:
        while True:
            time.sleep(EVERY)
            look()

    look()

    threading.Thread(target=again, daemon=True, name="limr-builds").start()

"""Waits until a Ray cluster has its GPUs.

`python -m limr.train.openrlhf.ray.ready ADDRESS GPUS SECONDS`

Exit codes: 0 all are there, 1 not in time, 2 there are more than were asked for.
"""

from __future__ import annotations

import sys
import time


def main(address: str, gpus: int, seconds: float) -> int:
    """Poll until the cluster has the GPUs."""
    import ray

    end = time.monotonic() + seconds
    connected, found = False, 0
    while time.monotonic() < end:
        try:
            if not connected:
                ray.init(address=address, log_to_driver=False, logging_level="ERROR")
                connected = True
            found = int(sum(n["Resources"].get("GPU", 0) for n in ray.nodes() if n["Alive"]))
        except (ConnectionError, RuntimeError):  # this node's part of the cluster is not up yet
            connected = False
        if found >= gpus:
            break
        time.sleep(0.5)
    sys.stderr.write(f"limr: Ray at {address} has {found} of {gpus} GPUs\n")
    return 0 if found == gpus else 1 + (found > gpus)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))

"""Ray for one run: a cluster of its own on this node, or the one that RAY_ADDRESS names.

On one node the launcher starts Ray itself, with a temporary folder and ports of its own, and ends
it on every exit path. Over several nodes `limr.train.openrlhf.ray` brings Ray up and sets
RAY_ADDRESS; then nothing is started or ended here.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from limr.core.errors import InputError
from limr.core.job_log import note

FOLDER = "LIMR_RAY_FOLDER"  # names the temporary folder; whoever sets it removes it
SPARE_CPUS = 4  # for the controller and Ray's own work


def visible_gpus() -> int | None:
    """Return how many GPUs this process sees, None where that does not matter."""
    import torch

    return torch.cuda.device_count()


@contextmanager
def started(
    gpus: int, nodes: int, seconds: float, variables: Mapping[str, str], setup: str
) -> Iterator[None]:
    """Connect to a Ray cluster with `gpus` GPUs over all nodes; end it with the block.

    `variables` are the workers' environment; `setup` names a function that each worker calls when
    it starts. Raises InputError where there are other GPUs, or not within `seconds`.
    """
    import ray

    environment = {"env_vars": dict(variables), "worker_process_setup_hook": setup}
    address = os.environ.get("RAY_ADDRESS")
    folder = None
    try:
        if address:
            ray.init(address=address, runtime_env=environment, log_to_driver=True)
            _wait_for(gpus, seconds)
        else:
            _check_one_node(gpus, nodes)
            folder = os.environ.get(FOLDER) or tempfile.mkdtemp(prefix="limr-ray-")
            ray.init(
                address="local",
                num_gpus=gpus,
                num_cpus=max(os.cpu_count() or 1, 2 * gpus + SPARE_CPUS),
                include_dashboard=False,
                runtime_env=environment,
                _temp_dir=folder,
            )
        yield
    finally:
        ray.shutdown()
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _check_one_node(gpus: int, nodes: int) -> None:
    if nodes > 1:
        raise InputError(
            f"engines.openrlhf.nodes is {nodes}, but RAY_ADDRESS is not set: a run over several "
            "nodes joins a Ray cluster that its allocation has brought up (docs/openrlhf.md)."
        )
    seen = visible_gpus()
    if seen is not None and seen != gpus:
        raise InputError(
            f"engines.openrlhf asks for {gpus} GPUs on this node, and {seen} are visible. Set "
            "gpus_per_node to what the node has, or CUDA_VISIBLE_DEVICES to as many."
        )


def _wait_for(gpus: int, seconds: float) -> None:
    import ray

    until = time.monotonic() + seconds
    while True:
        found = int(ray.cluster_resources().get("GPU", 0))
        if found == gpus:
            return
        if found > gpus or time.monotonic() > until:
            raise InputError(
                f"the Ray cluster at {os.environ['RAY_ADDRESS']} has {found} GPUs, the run asks "
                f"for {gpus} (nodes x gpus_per_node). Waited for {seconds:.0f} s at most "
                "(engines.openrlhf.ray_start_seconds)."
            )
        note(f"Ray has {found} of {gpus} GPUs; waiting")
        time.sleep(min(5.0, seconds))

"""Containers of environments that need GPUs, for sites that prefer them to conda.

An image's name has a digest of what it was made from, so that an image of another lock is never
used by mistake. `LIMR_CONTAINERS` is the folder of the images; where it is not set, rules have
none.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from limr.core.errors import InputError

VARIABLE = "LIMR_CONTAINERS"
# What an image is made of: the recipe, Python and pip, everything else with its hashes.
_PARTS = ("def", "linux-64.pin.txt", "post-deploy.sh")


def image_name(environment: str, envs: Path) -> str:
    """Return the file name of an environment's image, e.g. `train-0123456789ab.sif`."""
    digest = hashlib.sha256()
    for part in _PARTS:
        digest.update((envs / f"{environment}.{part}").read_bytes())
    return f"{environment}-{digest.hexdigest()[:12]}.sif"


def image(environment: str, envs: Path, variables: Mapping[str, str] = os.environ) -> str | None:
    """Return the path of an environment's image, for a rule's `container:`.

    None where no folder of images is set, or where the environment has no definition in `envs`: its
    rules run without a container. Raises InputError where the image is missing, with the command
    that builds it.
    """
    folder = variables.get(VARIABLE)
    definition = envs / f"{environment}.def"
    if not folder or not definition.exists():
        return None
    path = Path(folder).expanduser().absolute() / image_name(environment, envs)
    if path.exists():
        return str(path)
    others = sorted(other.name for other in path.parent.glob(f"{environment}-*.sif"))
    stale = f" {', '.join(others)} there is of another lock." if others else ""
    raise InputError(
        f"{VARIABLE}: there is no {path}, the container of the environment '{environment}'.{stale} "
        f"Build it where there is a network, in the root of this repository: "
        f"apptainer build {path} envs/{environment}.def (docs/environments.md)"
    )

"""Fail where conda has not installed exactly the pin: the first step of every post-deploy script.

Where a pin cannot be installed Snakemake warns, installs the yaml, which pins nothing but Python
and pip, and the run ends green. generate.py copies this text into the scripts, so that creating
such an environment fails before any job runs. It runs in the new environment: arguments are the
name of the environment and the packages of its pin (name-version-build).
"""

import os
import sys
from pathlib import Path

name, pinned = sys.argv[1], set(sys.argv[2:])
prefix = Path(os.environ.get("CONDA_PREFIX", sys.prefix))
found = {path.stem for path in (prefix / "conda-meta").glob("*.json")}
if found != pinned or prefix.resolve() != Path(sys.prefix).resolve():
    sys.exit(
        f"limr: the environment {prefix} is not the one that envs/{name}.linux-64.pin.txt pins.\n"
        f"  missing: {', '.join(sorted(pinned - found)) or 'nothing'}\n"
        f"  not in the pin: {', '.join(sorted(found - pinned)) or 'nothing'}\n"
        f"  Python that runs: {sys.prefix}\n"
        f"The pin could not be installed, and Snakemake took envs/{name}.yaml instead, which pins\n"
        "little: 'Failed to install conda environment from pin file', above, has conda's reason.\n"
        "Make the pin's channel reachable (or a mirror of it) and run again, or use no conda.\n"
        "There are pins for linux-64 only. See docs/environments.md."
    )

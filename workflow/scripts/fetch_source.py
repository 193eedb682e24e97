"""Fetch a pinned file, from the mirror or from its public origin."""

import os
from pathlib import Path

from limr.core.job_log import logged
from limr.sources import pinned

with logged(snakemake.log[0]):
    mirror = os.environ.get("LIMR_MIRROR")
    lock = Path("config/sources.lock.yaml")
    source = pinned.load_sources(Path(snakemake.params.registry), lock)[snakemake.wildcards.file]
    pinned.fetch(source, Path(snakemake.output.file), Path(mirror) if mirror else None)

"""Pack the study into a zip that a stranger can verify and go on from."""

from pathlib import Path

from limr.archive import build, saying
from limr.core.job_log import logged, note
from limr.sources import pinned as sources
from limr.study.load import load as load_study

with logged(snakemake.log[0]):
    root = Path(snakemake.params.root)
    config = snakemake.params.settings["config"]
    checked = load_study(config, "the study", root / "config/benchmarks")
    pinned = sources.load_sources(root / "config/sources.yaml")
    plan = build.plan(checked, pinned, Path(), root)
    record = build.write(plan, pinned, Path(snakemake.output.archive))
    for line in saying.said(plan, record):
        note(line)

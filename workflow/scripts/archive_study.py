"""Pack the study into a zip that a stranger can verify and go on from."""

from pathlib import Path

from limr.archive import build
from limr.core.job_log import logged, note
from limr.study.load import load as load_study

with logged(snakemake.log[0]):
    root = Path(snakemake.params.root)
    config = snakemake.params.settings["config"]
    study = load_study(config, "the study", root / "config/benchmarks")
    for line in build.archive(study, Path(), root, Path(snakemake.output.archive)):
        note(line)

# Takes: the configuration.
# Makes: STUDY (checked as a whole), the pinned files, the wildcards' grammar.
#
#   {dataset}  a problem set or a benchmark    {arm} {seed}  a run          {file}  a pinned file
#   {source}   learning curves                 {selector}    a score

import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.resources import Resources

# This repository, also where another Snakefile takes it as a module: `basedir` is that one's folder.
ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=False)).parents[1]
if not ROOT.is_dir():
    raise WorkflowError(
        f"limr's library is not beside its rules ({ROOT}). Take the module from a clone: "
        "`snakefile: 'path/to/limr/workflow/Snakefile'` (docs/module.md)."
    )
sys.path.insert(0, str(ROOT / "workflow/scripts"))

from limr.archive.code import state as commit_of_code
from limr.core import plugins
from limr.core.errors import InputError
from limr.core.provenance import code_digest
from limr.grading import plugins as grading_plugins
from limr.live import curves
from limr.plan import preflight
from limr.slurm import containers, invocation, orphaned_jobs, preempted_jobs, submission
from limr.sources import pinned
from limr.study.jobs import plan
from limr.study.jobs.train import engine, split_options
from limr.study.load import load as load_study, unavailable

CONFIGURED_BY = ", ".join(str(path) for path in workflow.configfiles) or "config"
try:
    STUDY = load_study(config, CONFIGURED_BY, ROOT / "config/benchmarks")
    # The user's, also where the code is a module's.
    LOCK = Path("config/sources.lock.yaml")
    SOURCES = pinned.load_sources(ROOT / "config/sources.yaml", LOCK)
    for name in STUDY.files():
        pinned.find(SOURCES, name)
    STARTED = invocation.read()
    if workflow.is_main_process and STARTED.starts_jobs:
        # Before Snakemake looks at the files that are there: a job may still write them.
        orphaned_jobs.guard(Path.cwd(), STUDY.name, submits=STARTED.submits)
        if STARTED.submits:
            preempted_jobs.watch(Path.cwd(), os.environ)
except InputError as error:
    raise WorkflowError(str(error)) from None

# The mirror must not be a param: where a file comes from does not change what it is.
if STUDY.config["mirror"]:
    os.environ.setdefault("LIMR_MIRROR", str(STUDY.config["mirror"]))


def ours(path):
    """Return a file of this repository, as seen from the working folder (an archive's is its root)."""
    here, own = Path(path), ROOT / path
    same = here.is_file() and here.read_bytes() == own.read_bytes()
    return path if same else str(own)


def any_of(names):
    """Return a wildcard constraint that admits these names only; a typo then fails at once."""
    return "|".join(sorted(map(re.escape, map(str, names)))) or "(?!)"


wildcard_constraints:
    dataset=any_of(STUDY.datasets),
    file=any_of(SOURCES),
    source=any_of(STUDY.trajectories),
    selector=any_of(STUDY.scores),
    arm=any_of(STUDY.arms),
    seed=any_of(STUDY.seeds),


def refuse_what_cannot_run():
    """Stop before the first job where an engine, a file, the model, disk or SLURM cannot serve."""
    reason = unavailable(STUDY)
    if reason:
        raise WorkflowError(reason)
    try:
        preflight.check(
            STUDY, Path(STUDY.paths.root), SOURCES, os.environ.get("LIMR_MIRROR")
        )
        plugin = workflow.executor_plugin
        if plugin is not None and plugin.name == "slurm":
            jobs = [job for job in workflow.dag.needrun_jobs() if not job.is_local]
            submission.check(submission.requests(jobs, workflow.executor_settings))
        curves.start(STUDY)
    except InputError as error:
        raise WorkflowError(str(error)) from None

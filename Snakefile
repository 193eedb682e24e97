"""LIMR: which RL prompts are worth the compute, and is the gain real?

problems -> trajectories -> scores -> subsets -> runs -> evaluations -> tables, figures, report.
A study is one configuration file; config/config.yaml is the paper's, and the default.
"""

import gc

from snakemake.utils import min_version

gc.freeze()  # what Snakemake has imported stays: looking for garbage in it takes 0.4 s of a plan
min_version("9.27")

if "study" not in config:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/preflight.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/select.smk"
include: "workflow/rules/diagnose.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"


# Compute nodes have no internet: what is downloaded is downloaded where Snakemake runs.
localrules:
    all,
    archive,
    fetch_source,


rule all:
    default_target: True
    input:
        preflight=looks(),
        study=plan.targets(STUDY),


include: "workflow/rules/archive.smk"


rule archive:
    input:
        AT.archive,


onstart:
    refuse_what_cannot_run()
    # Snakemake 9.27 looks at all ready jobs anew, once a second for each step that was scheduled, because of
    # its rate limit: after 400 jobs half a core is gone. No user asked for the default, 100 jobs a second.
    if (limit := workflow.scheduler.job_rate_limiter) and (
        limit.max_jobs,
        limit.timespan,
    ) == (100, 1):
        workflow.scheduler.job_rate_limiter = None


share_resources()

# A dry run for SLURM shows what jobs ask for, which Snakemake leaves out where there is a message.
if STARTED.submits and not STARTED.starts_jobs:
    for each in workflow.rules:
        each.message = None

# Takes: the configuration.
# Makes: STUDY (checked as a whole), RESULTS, the wildcards' grammar, input and param functions.
#
#   {dataset}  a problem set or a benchmark    {arm} {seed}  a run          {file}  a pinned file
#   {source}   learning curves                 {selector}    a score        {table} {figure}

import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

sys.path.insert(0, str(Path(workflow.basedir) / "workflow/scripts"))

from limr import importing, orphans, registry, rewards, sources, study as studies
from limr.archive.code import state as commit_of_code
from limr.engine import split_options
from limr.errors import InputError
from limr.provenance import code_digest

CONFIGURED_BY = ", ".join(str(path) for path in workflow.configfiles) or "config"
try:
    STUDY = studies.load(
        config, CONFIGURED_BY, Path(workflow.basedir) / "config/benchmarks"
    )
    SOURCES = sources.load_sources(Path(workflow.basedir) / "config/sources.yaml")
    for name in STUDY.files():
        sources.find(SOURCES, name)
    if workflow.is_main_process and orphans.starts_jobs(sys.argv[1:]):
        # Now, before anybody looks at what is there: it may still be written.
        orphans.guard(Path.cwd(), STUDY.name)
except InputError as error:
    raise WorkflowError(str(error)) from None

RESULTS = f"results/{STUDY.name}"
RUN = f"{RESULTS}/runs/{{arm}}/seed{{seed}}"
LOGS, BENCHMARKS = f"{RESULTS}/logs", f"{RESULTS}/benchmarks"
# The mirror must not be a param: where a file comes from does not change what it is.
if STUDY.config["mirror"]:
    os.environ.setdefault("LIMR_MIRROR", str(STUDY.config["mirror"]))


def any_of(names):
    """Return a wildcard constraint that admits these names only; a typo then fails at once."""
    return "|".join(sorted(map(re.escape, map(str, names)))) or "(?!)"


wildcard_constraints:
    dataset=any_of(STUDY.datasets),
    file=any_of(SOURCES),
    source=any_of(STUDY.config["trajectories"]),
    selector=any_of(STUDY.scores),
    arm=any_of(STUDY.arms),
    seed=any_of(STUDY.seeds),
    table=any_of(STUDY.config["tables"]),
    figure=any_of(STUDY.config["figures"]),


def refuse_what_cannot_run():
    """Stop before the first job where an engine or a file of the mirror is lacking."""
    reason = studies.unavailable(STUDY)
    if reason:
        raise WorkflowError(reason)
    mirror = os.environ.get("LIMR_MIRROR")
    for name in STUDY.files() if mirror else ():
        if not Path(f"{RESULTS}/sources/{name}").exists():
            try:
                sources.mirror_path(SOURCES[name], Path(mirror))
            except InputError as error:
                raise WorkflowError(str(error)) from None

"""How this Snakemake was started: whether it starts jobs, and whether it submits them to SLURM.

Where rules are read, Snakemake knows its executor only as an option. Its own parser is asked, so
that every way of naming a profile or an executor counts: `--profile=slurm`, a path, an
abbreviation, SNAKEMAKE_PROFILE, `-e slurm`, or a profile that the workflow brings.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# With one of these options Snakemake looks or tidies up, and starts no job.
_STARTS_NONE = (
    *("dryrun", "lint", "unlock", "dag", "rulegraph", "filegraph", "d3dag", "archive"),
    *("summary", "detailed_summary", "list_rules", "list_target_rules", "list_changes"),
    *("list_input_changes", "list_params_changes", "list_untracked", "list_conda_envs"),
    *("cleanup_metadata", "cleanup_shadow", "conda_cleanup_envs", "conda_create_envs_only"),
    *("container_cleanup_images", "delete_all_output", "delete_temp_output"),
    *("print_compilation", "report_metadata"),
)


@dataclass(frozen=True)
class Invocation:
    """What a Snakemake was asked to do; `submits` also holds for a dry run of such a start."""

    starts_jobs: bool
    submits: bool


def read(command: Sequence[str] = sys.argv) -> Invocation:
    """Return what a Snakemake with this command line, program first, was asked to do.

    Another program that calls Snakemake's Python interface counts as a run on this machine.
    """
    program = Path(command[0])
    if program.stem != "snakemake" and program.parts[-2:] != ("snakemake", "__main__.py"):
        return Invocation(starts_jobs=True, submits=False)
    from snakemake import cli  # type: ignore[import-untyped]

    with contextlib.redirect_stderr(io.StringIO()):  # it has said which profile it takes
        _, options = cli.parse_args(list(command[1:]))
    looks = any(getattr(options, name, None) for name in _STARTS_NONE)
    reports = bool(options.report) and not options.report_after_run
    return Invocation(not looks and not reports, options.executor == "slurm")

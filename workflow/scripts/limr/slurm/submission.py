"""Would SLURM take the jobs of a study? `sbatch --test-only` tells, which submits nothing.

SLURM refuses an unknown partition, account or constraint and more than any node has. A job that
wants more time or nodes than its partition allows it accepts and never starts: these are compared
here.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from limr.core.errors import InputError
from limr.slurm import ask

_HINTS = {
    "partition": "Set LIMR_SLURM_PARTITION, or LIMR_SLURM_GPU_PARTITION for jobs with GPUs, to one "
    "of those below.",
    "account": "Set LIMR_SLURM_ACCOUNT to an account of yours (sacctmgr show associations).",
    "qos": "Set LIMR_SLURM_QOS to one that you may use (sacctmgr show associations).",
    "feature": "Set LIMR_SLURM_CONSTRAINT to a feature of the nodes, or unset it.",
    "node configuration": "No node of the partition has as much. Choose another partition "
    "(LIMR_SLURM_PARTITION, LIMR_SLURM_GPU_PARTITION), lower what the study asks for (`engines`: "
    "nodes, gpus_per_node, tensor_parallel), or ask for less: --set-resources RULE:mem_mb=64000.",
}
_UNLIMITED = {"UNLIMITED", "INFINITE", "NONE", ""}


@dataclass(frozen=True)
class Request:
    """What jobs of a rule ask SLURM for: `sbatch`'s arguments, minutes, nodes, partition."""

    rule: str
    arguments: tuple[str, ...]
    minutes: int | None
    nodes: int
    partition: str | None


def requests(jobs: Iterable[Any], settings: Any) -> list[Request]:
    """Return what a study's jobs ask for, equal requests once.

    `jobs` are Snakemake's, to be submitted, with the resources of a first attempt; `settings` are
    the SLURM executor's.
    """
    from snakemake_executor_plugin_slurm.submit_string import get_submit_command
    from snakemake_executor_plugin_slurm.utils import set_gres_string

    found: dict[tuple[str, ...], Request] = {}
    for job in jobs:
        asked = job.resources
        account, partition = asked.get("slurm_account"), asked.get("slurm_partition")
        told = {
            "run_uuid": "limr-preflight",
            "slurm_logfile": "/dev/null",
            "comment_str": "preflight",
            "account": f"-A {shlex.quote(str(account))}" if account else "",
            "partition": f"-p {shlex.quote(str(partition))}" if partition else "",
            "workdir": "",
        }
        line = get_submit_command(job, told, settings=settings) + set_gres_string(job)
        words = tuple(shlex.split(line)[1:])
        made = Request(
            job.rule.name, words, asked.get("runtime"), int(asked.get("nodes") or 1), partition
        )
        found.setdefault((job.rule.name, *words), made)
    return list(found.values())


def check(asked: Sequence[Request]) -> None:
    """Refuse a study whose jobs SLURM would not take or would never start.

    The InputError has SLURM's own words for every rule that it refuses, and how to mend it.
    """
    if not asked:
        return
    limits = partitions(ask.call(["scontrol", "show", "partition", "--oneliner"]).stdout)
    refused: dict[str, list[str]] = {}
    said: dict[tuple[str, ...], str] = {}
    for request in asked:
        if request.arguments not in said:
            said[request.arguments] = _refusal(request)
        reason = said[request.arguments] or beyond(request, limits)
        if reason:
            refused.setdefault(reason, []).append(request.rule)
    if not refused:
        sys.stderr.write(f"limr: SLURM takes the jobs of {len({a.rule for a in asked})} rules.\n")
        return
    lines = [f"{', '.join(dict.fromkeys(rules))}: {reason}" for reason, rules in refused.items()]
    raise InputError("SLURM would not run these jobs:\n  " + "\n  ".join([*lines, _there()]))


def beyond(request: Request, limits: dict[str, dict[str, str]]) -> str:
    """Return how a request exceeds its partition's limits, or ""."""
    name = request.partition or next((n for n, p in limits.items() if p["Default"] == "YES"), None)
    limit = limits.get(name or "")
    if limit is None:
        return ""
    if limit.get("State", "UP") != "UP":
        return f"partition {name} is {limit['State']}. Choose another, or ask its administrators."
    most = minutes(limit["MaxTime"])
    if request.minutes is not None and most is not None and request.minutes > most:
        return (
            f"{request.minutes} minutes asked, and partition {name} allows {most}. Ask for less, "
            "as a run goes on from its last checkpoint: "
            f"--set-resources {request.rule}:runtime={most}"
        )
    nodes = limit["MaxNodes"]
    if nodes.isdecimal() and request.nodes > int(nodes):
        return f"{request.nodes} nodes asked, and partition {name} allows {nodes} to a job."
    return ""


def partitions(text: str) -> dict[str, dict[str, str]]:
    """Return the partitions by name, from `scontrol show partition --oneliner`."""
    rows = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in text.splitlines()]
    wanted = {"MaxTime", "MaxNodes", "Default"}
    return {row["PartitionName"]: row for row in rows if {"PartitionName", *wanted} <= set(row)}


def minutes(text: str) -> int | None:
    """Return whole minutes of a time of SLURM ([days-]hours:minutes:seconds), None for no limit."""
    if text in _UNLIMITED:
        return None
    days, dash, clock = text.partition("-")
    parts = [int(part) for part in (clock if dash else days).split(":")]
    if dash:  # days-hours, days-hours:minutes
        hours, mins, seconds = (*parts, 0, 0)[:3]
        return int(days) * 1440 + hours * 60 + mins + (seconds > 0)
    hours, mins, _ = {1: (0, *parts, 0), 2: (0, *parts), 3: tuple(parts)}[len(parts)]
    return hours * 60 + mins


def _refusal(request: Request) -> str:
    """Return why SLURM refuses a request, with advice, or ""."""
    # A script from stdin needs no quoting; it does nothing and is not run.
    done = ask.call(["sbatch", "--test-only", *request.arguments], "#!/bin/sh\n")
    if done.returncode == 0:
        return ""
    output = done.stdout + done.stderr
    words = "; ".join(line.removeprefix("sbatch: ") for line in output.splitlines() if line)
    hint = next((text for key, text in _HINTS.items() if key in output.lower()), "")
    return f"{words or f'sbatch ended with {done.returncode}'} ({_asked(request)}). {hint}".rstrip()


def _asked(request: Request) -> str:
    """Return what a request asks for, without what all requests have in common."""
    own = {"--parsable", "--requeue", "--export=ALL"}
    skipped = {"--job-name", "--output", "--comment"}
    words, rest = [], list(request.arguments)
    while rest:
        word = rest.pop(0)
        if word in skipped:
            rest = rest[1:]
        elif word not in own:
            words.append(word)
    return " ".join(words)


def _there() -> str:
    form = "%R: %D nodes, %c CPUs, %m MB, %G, %f"
    done = ask.call(["sinfo", "--noheader", "--format", form])
    return "" if done.returncode else "This cluster has " + "; ".join(done.stdout.splitlines())

"""The nodes of this SLURM job, asked of SLURM itself.

The environment of a job step does not tell: Snakemake's executor removes the SLURM_* variables,
and a nested `srun` sees one node only. SLURM's controller knows.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from limr.core.errors import InputError
from limr.slurm import ask

_OURS = re.compile(r"(SLURM|SLURMD|SRUN|SBATCH|PMI|PMIX)_")
_KEPT = ("SLURM_CONF", "SLURM_JOB_ID")


@dataclass(frozen=True)
class Allocation:
    """A SLURM job's nodes; the first is Ray's head."""

    job: str
    nodes: tuple[str, ...]
    processors: int  # of each node, as allocated
    head_address: str  # IPv4


def find(environment: Mapping[str, str]) -> Allocation | None:
    """Return the allocation that this process is in, None outside of SLURM.

    Raises InputError where SLURM does not answer as expected.
    """
    job = environment.get("SLURM_JOB_ID")
    if not job:
        return None
    listed = _ask("squeue", "--noheader", "--jobs", job, "--format", "%N").split()
    if not listed:
        raise InputError(f"SLURM job {job}: squeue lists no nodes. Is the job still running?")
    nodes = tuple(_ask("scontrol", "show", "hostnames", listed[0]).split())
    described = _ask("scontrol", "show", "job", job)
    count = re.search(r"NumCPUs=(\d+)", described)
    processors = int(count[1]) // len(nodes) if count else 1
    head = _ipv4(_address_of(nodes[0]))
    if len(nodes) > 1 and head.startswith("127."):  # often what /etc/hosts has for the own name
        head = address_towards(_ipv4(_address_of(nodes[1])))
    return Allocation(job, nodes, max(1, processors), head)


def cleaned(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which `srun` knows the job and nothing of its current step."""
    return {
        name: value for name, value in environment.items() if not _OURS.match(name) or name in _KEPT
    }


def step(allocation: Allocation, node: str) -> list[str]:
    """Return the command that starts a step on one node, beside the current one.

    The step sees what is written to its standard input, and its end.
    """
    return [
        "srun",
        "--overlap",
        "--nodes=1",
        "--ntasks=1",
        f"--nodelist={node}",
        f"--cpus-per-task={allocation.processors}",
        "--mem=0",
        "--cpu-bind=none",
        "--kill-on-bad-exit=1",
        "--unbuffered",
    ]


def _ask(*command: str) -> str:
    try:
        done = ask.call(command)
    except InputError as error:
        raise InputError(
            f"SLURM_JOB_ID is set, but {error} Unset it to run on this machine alone."
        ) from None
    if done.returncode:
        raise InputError(f"{' '.join(command)}: {done.stderr.strip()[-300:]}")
    return done.stdout


def _address_of(node: str) -> str:
    found = re.search(r"NodeAddr=(\S+)", _ask("scontrol", "show", "node", node))
    return found[1] if found else node


def address_towards(other: str) -> str:
    """Return this node's address as another one sees it; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((other, 9))
        return str(probe.getsockname()[0])


def _ipv4(name: str) -> str:
    try:
        return str(socket.getaddrinfo(name, None, socket.AF_INET)[0][4][0])
    except OSError as error:
        raise InputError(f"the address of node '{name}' is not known here ({error}).") from None

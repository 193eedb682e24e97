"""Jobs of two nodes that bring Ray up, and what they leave behind."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cluster import Cluster

from limr.train.openrlhf.ray import launcher

sys.path.insert(0, str(Path(__file__).parents[1] / "openrlhf"))

from real_trainer import ON_CPU, PYTHON, ROOT

NODES = ("gpu1", "gpu2")
# One actor a GPU, each node's in a bundle of its own; says where they are, ends with a code.
PLACE = """
import json, os, sys, time
import ray
from ray.util.placement_group import placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy as Strategy

@ray.remote(num_gpus=1, num_cpus=0)
class Actor:
    def where(self):
        node = ray.get_runtime_context().get_node_id()
        names = ("SLURMD_NODENAME", "CUDA_VISIBLE_DEVICES")
        return [node, *(os.environ.get(name) for name in names)]

ray.init(log_to_driver=False)
nodes = [node["Resources"].get("GPU", 0) for node in ray.nodes() if node["Alive"]]
print("GPUS", json.dumps(nodes), flush=True)
group = placement_group([{"GPU": gpus} for gpus in nodes], strategy="STRICT_SPREAD")
ray.get(group.ready(), timeout=120)
actors = [
    Actor.options(scheduling_strategy=Strategy(group, index)).remote()
    for index, gpus in enumerate(nodes)
    for _ in range(int(gpus))
]
for found in ray.get([actor.where.remote() for actor in actors], timeout=300):
    print("PLACED", json.dumps(found), flush=True)
raise SystemExit(int(sys.argv[1]))
"""
# As the rule's own process does it (limr.train.openrlhf.run.execute): a group that is ended as a
# whole.
AS_THE_RULE = """
import os, signal, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, process_group=0)
code = process.wait()
try:
    os.killpg(process.pid, signal.SIGKILL)
except ProcessLookupError:
    pass
sys.exit(code if code >= 0 else 128 - code)
"""
# Ends with the process that started the launcher, as the trainer does.
WAIT = "import sys; print('driver waits', flush=True); sys.stdin.read()"


def wait_until(what: Callable[[], object], seconds: float, otherwise: Callable[[], object]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, otherwise()
        time.sleep(0.1)


@dataclass
class RayJob:
    """A job with the resources that the rule train_ppo asks for on two nodes."""

    cluster: Cluster
    folder: Path
    gpus: int  # of each node
    driver: list[str]  # arguments of Python
    number: str = ""
    ports_before: set[str] = field(default_factory=set)
    processes_before: set[int] = field(default_factory=set)

    def submit(self) -> None:
        """Submit it; its steps share this machine, its network and /tmp with all other jobs."""
        self.folder.mkdir()
        self.ports_before = self.cluster.ports()
        self.processes_before = set(self.cluster.processes_of_jobs())
        wrapper = launcher.wrapper(len(NODES), self.gpus, 600, self.folder / "ray")
        at = wrapper.index("--")
        words = [*wrapper[:at], "--object-store-bytes=100000000", "--", str(PYTHON)]
        script = self.folder / "job.sh"
        words = [str(PYTHON), "-c", AS_THE_RULE, str(PYTHON), *words, *self.driver]
        script.write_text(f"#!/bin/sh\nexec {shlex.join(words)}\n")
        asked = ["--nodes=2", f"--gres=gpu:{self.gpus}", "--ntasks=2", "--ntasks-per-node=1"]
        asked += ["--cpus-per-task=4", "--mem=8000", "--partition=gpu", "--no-requeue"]
        kept = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
        found = self.cluster.call(
            *["sbatch", "--parsable", f"--output={self.folder}/out", *asked, str(script)],
            cwd=self.folder,
            environment={**kept, **ON_CPU, "PYTHONPATH": str(ROOT / "workflow/scripts")},
        )
        assert found.returncode == 0, found.stderr
        self.number = found.stdout.strip()

    def text(self) -> str:
        """What the launcher and the driver have said."""
        path = self.folder / "out"
        return path.read_text() if path.exists() else ""

    def until(self, text: str) -> None:
        """Wait until that has been said."""
        wait_until(lambda: text in self.text(), 600, self.text)

    def tagged(self, *words: str) -> list[int]:
        """Processes of this job whose command has all these words."""
        found, tag = [], f"SLURM_JOB_ID={self.number}".encode()
        for number, command in self.cluster.processes_of_jobs().items():
            if not all(word in command for word in words):
                continue
            try:
                variables = Path(f"/proc/{number}/environ").read_bytes().split(b"\0")
            except OSError:
                continue  # it has ended meanwhile
            if tag in variables:
                found.append(number)
        return found

    def ended(self) -> tuple[str, str]:
        """Wait for the end; return SLURM's state and exit code."""
        wait_until(lambda: self._state()[0] not in ("PENDING", "RUNNING"), 700, self.text)
        wait_until(lambda: self._state()[0] != "COMPLETING", 60, self.text)
        return self._state()

    def _state(self) -> tuple[str, str]:
        found = self.cluster.call("scontrol", "--oneliner", "show", "job", self.number)
        words = dict(part.partition("=")[::2] for part in found.stdout.split() if "=" in part)
        return words["JobState"], words["ExitCode"]

    def placed(self) -> dict[str, list[str]]:
        """The GPUs that actors of this job reported, by the node that they ran on."""
        rows = [json.loads(line[7:]) for line in self.text().splitlines() if line[:7] == "PLACED "]
        assert len({row[0] for row in rows}) == len({row[1] for row in rows})  # Ray's and SLURM's
        return {name: sorted(row[2] for row in rows if row[1] == name) for name in NODES}


def nothing_left(job: RayJob) -> None:
    """Assert that no process, port or folder is left on any node, a moment after a job's end."""

    def left() -> list[object]:
        folders = Path("/tmp").glob(f"limr-ray-{job.number}-*")
        running = job.cluster.processes_of_jobs().items()
        processes = [one for one in running if one[0] not in job.processes_before]
        return [*folders, *processes, *job.cluster.ports() - job.ports_before]

    wait_until(lambda: not left(), 15, left)

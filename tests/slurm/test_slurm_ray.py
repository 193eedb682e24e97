"""Ray over two nodes of one allocation of a real SLURM: the launcher, with the real srun.

The nodes share this machine, its network and /tmp, so a port or folder that two of them or two jobs
would both take is found too. Whatever ends a job, nothing of it may be left.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import cluster as clusters
import psutil
import pytest
from ray_jobs import AS_THE_RULE, NODES, PLACE, WAIT, RayJob, nothing_left, wait_until
from real_trainer import required_python

pytestmark = [pytest.mark.slow, pytest.mark.rounds]


@pytest.fixture
def submit(cluster: clusters.Cluster, tmp_path: Path) -> Iterator[Callable[..., RayJob]]:
    required_python()
    cluster.wait_until_idle()
    made: list[RayJob] = []

    def start(name: str, gpus: int, *driver: str) -> RayJob:
        made.append(RayJob(cluster, tmp_path / name, gpus, ["-c", *driver]))
        made[-1].submit()
        return made[-1]

    yield start
    for one in made:
        cluster.call("scancel", one.number)
    wait_until(lambda: not cluster.jobs("RUNNING,COMPLETING"), 60, cluster.jobs)


def clean(job: RayJob) -> None:
    nothing_left(job)


def is_rule(number: int) -> bool:
    """Tell whether a process is the one that stands for the rule's."""
    return AS_THE_RULE in psutil.Process(number).cmdline()


def test_two_jobs_on_the_same_nodes_have_their_own_gpus_and_end_with_their_own_codes(
    submit: Callable[..., RayJob],
) -> None:
    good, bad = submit("good", 2, PLACE, "0"), submit("bad", 2, PLACE, "7")
    assert good.ended() == ("COMPLETED", "0:0"), good.text()
    assert bad.ended() == ("FAILED", "7:0"), bad.text()
    for one in (good, bad):
        assert "Ray is ready on 2 nodes" in one.text()
        assert "GPUS [2.0, 2.0]" in one.text()
        assert {name: len(gpus) for name, gpus in one.placed().items()} == dict.fromkeys(NODES, 2)
    for name in NODES:  # what SLURM gave to one job, Ray does not give to the other's actors
        assert sorted(good.placed()[name] + bad.placed()[name]) == ["0", "1", "2", "3"]
    bad.ports_before = good.ports_before  # those of the other job do not count
    clean(bad)


def test_scancel_leaves_nothing(submit: Callable[..., RayJob]) -> None:
    job = submit("cancelled", 2, WAIT)
    job.until("driver waits")
    assert len(job.tagged("raylet/raylet")) == len(NODES)
    assert job.cluster.call("scancel", job.number).returncode == 0
    assert job.ended()[0] == "CANCELLED", job.text()
    clean(job)


@pytest.mark.long
def test_a_launcher_that_is_killed_leaves_nothing(submit: Callable[..., RayJob]) -> None:
    job = submit("killed", 2, WAIT)
    job.until("driver waits")
    [launcher] = [n for n in job.tagged("-m limr.train.openrlhf.ray.launcher") if not is_rule(n)]
    os.kill(launcher, signal.SIGKILL)
    assert job.ended() == ("FAILED", "137:0"), job.text()
    clean(job)


def test_a_lost_raylet_ends_the_job(submit: Callable[..., RayJob]) -> None:
    job = submit("lost", 2, WAIT)
    job.until("driver waits")
    raylets = [psutil.Process(number) for number in job.tagged("raylet/raylet")]
    max(raylets, key=lambda raylet: raylet.create_time()).kill()  # the second node's
    assert job.ended() == ("FAILED", "92:0"), job.text()
    assert "Ray on node gpu2 ended" in job.text()
    clean(job)

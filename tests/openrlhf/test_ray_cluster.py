"""Real Ray over two `nodes` that are this machine: the launcher, with a stand-in for SLURM."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import stand_in_slurm
from real_trainer import ON_CPU, PYTHON, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.rounds]
GPUS = 4
COUNT = """
import ray
ray.init(log_to_driver=False)
from ray.util.placement_group import placement_group
assert ray.cluster_resources()["GPU"] == 8
group = placement_group([{"GPU": 4}, {"GPU": 4}], strategy="STRICT_SPREAD")
ray.get(group.ready(), timeout=60)

@ray.remote(num_gpus=4, num_cpus=0)
def where():
    return ray.get_runtime_context().get_node_id()

nodes = ray.get([where.options(placement_group=group, placement_group_bundle_index=i).remote()
                 for i in range(2)], timeout=120)
assert len(set(nodes)) == 2
print("driver done", flush=True)
raise SystemExit(7)
"""
WAIT = "import time; print('driver waits', flush=True); time.sleep(600)"


class Launch:
    """A launcher that runs in the background."""

    def __init__(self, folder: Path, driver: str, seconds: float = 120, **variables: str) -> None:
        commands = folder / "commands"
        self.variables = stand_in_slurm.make(commands)
        kept = {key: value for key, value in os.environ.items() if key != "CUDA_VISIBLE_DEVICES"}
        environment = {
            **kept,
            **self.variables,
            **ON_CPU,
            **variables,
            "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT / "workflow/scripts"),
        }
        self.output = folder / "output.txt"
        options = ["--nodes=2", f"--gpus-per-node={GPUS}", f"--ready-seconds={seconds:g}"]
        options += [f"--log={folder / 'ray'}", "--object-store-bytes=100000000"]
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [str(PYTHON), "-m", "limr.train.openrlhf.ray.launcher", *options, "--"]
                + [str(PYTHON), "-c", driver],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
            )
        self.folder = Path(f"/tmp/limr-ray-77-{self.process.pid}")

    def text(self) -> str:
        return self.output.read_text()

    def until(self, text: str, seconds: float = 180) -> None:
        end = time.monotonic() + seconds
        while text not in self.text():
            assert self.process.poll() is None, self.text()
            assert time.monotonic() < end, self.text()
            time.sleep(0.1)

    def left(self) -> list[psutil.Process]:
        """Processes that belong to this cluster."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = " ".join(process.info["cmdline"] or [])
            if f"{self.folder}" in words and process.pid != os.getpid():
                found.append(process)
        return found

    def ended(self, seconds: float = 120) -> int:
        """Wait for the end; nothing may be left behind."""
        code = self.process.wait(timeout=seconds)
        psutil.wait_procs(self.left(), timeout=30)
        assert not self.left(), self.text()
        assert not self.folder.exists()
        return code


@pytest.fixture
def launch(python: Path, tmp_path: Path) -> Iterator[Callable[..., Launch]]:
    made: list[Launch] = []

    def start(driver: str, seconds: float = 120, **variables: str) -> Launch:
        made.append(Launch(tmp_path, driver, seconds, **variables))
        return made[-1]

    yield start
    for one in made:
        if one.process.poll() is None:
            one.process.kill()
        for process in one.left():
            process.kill()


def test_the_driver_sees_both_nodes_and_its_exit_code_is_passed_on(launch):
    run = launch(COUNT)
    assert run.ended(300) == 7, run.text()
    assert "driver done" in run.text()
    assert "Ray is ready on 2 nodes" in run.text()
    asked = Path(run.variables["STAND_IN_LOG"]).read_text().splitlines()
    assert [line.split()[0] for line in asked[:2]] == ["left1", "left2"]


@pytest.mark.long
def test_a_lost_node_ends_the_driver(launch):
    run = launch(WAIT)
    run.until("driver waits")
    drivers = [p for p in psutil.Process(run.process.pid).children() if WAIT in p.cmdline()]
    raylets = [p for p in run.left() if "raylet/raylet" in p.cmdline()[0]]
    assert len(raylets) == 2
    max(raylets, key=lambda p: p.create_time()).kill()  # the second node's
    assert run.ended() == 92, run.text()
    assert "Ray on node left2 ended" in run.text()
    assert drivers
    assert not any(driver.is_running() for driver in drivers)


@pytest.mark.long
def test_a_signal_ends_everything(launch):
    run = launch(WAIT)
    run.until("driver waits")
    run.process.send_signal(signal.SIGTERM)
    assert run.ended() == 143, run.text()


def test_a_node_that_does_not_come_is_waited_for_no_longer_than_asked(launch):
    run = launch(WAIT, seconds=45, STAND_IN_HANGS="left2")
    assert run.ended() == 91, run.text()
    assert "not all 8 GPUs joined in time" in run.text()
    assert "driver waits" not in run.text()


def test_a_head_that_fails_is_not_waited_for(launch):
    run = launch(WAIT, seconds=600, CUDA_VISIBLE_DEVICES="0,1")
    # The stand-in's steps inherit this: two GPUs are visible where four are asked for.
    assert run.ended(60) == 91, run.text()
    assert "4 GPUs were asked for, 2 are visible" in run.text()

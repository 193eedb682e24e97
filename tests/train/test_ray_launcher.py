"""The Ray launcher's decisions, without Ray; tests/openrlhf/test_ray_cluster.py has real Ray."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from limr.core.errors import InputError
from limr.train.openrlhf.ray import allocation, launcher, node

ANSWERS = {
    "squeue": "echo 'gpu[07-08]'",
    "scontrol": 'case "$2" in hostnames) echo gpu07; echo gpu08;; '
    "job) echo 'NumNodes=2 NumCPUs=128';; node) echo 'NodeAddr=127.0.0.1';; esac",
}


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand-ins for SLURM's commands on PATH: two nodes in job 5."""
    for name, body in ANSWERS.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "5")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    return tmp_path


def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "limr.train.openrlhf.ray.launcher", *words]
    kept = {k: v for k, v in os.environ.items() if k not in ("SLURM_JOB_ID", "RAY_ADDRESS")}
    environment = {**kept, **variables}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_the_controller_is_asked_for_the_nodes(slurm):
    found = allocation.find(os.environ)
    assert found == allocation.Allocation("5", ("gpu07", "gpu08"), 64, "127.0.0.1")
    assert allocation.find({}) is None
    words = allocation.step(found, "gpu08")
    assert words[:2] == ["srun", "--overlap"]
    assert "--nodelist=gpu08" in words


def test_a_controller_that_does_not_answer_is_an_error(slurm, monkeypatch):
    (slurm / "squeue").write_text("#!/bin/sh\necho 'Invalid job id' >&2\nexit 1\n")
    with pytest.raises(InputError, match="Invalid job id"):
        allocation.find(os.environ)
    (slurm / "squeue").write_text("#!/bin/sh\n")
    with pytest.raises(InputError, match="lists no nodes"):
        allocation.find(os.environ)
    (slurm / "squeue").unlink()
    monkeypatch.setenv("PATH", str(slurm))
    with pytest.raises(InputError, match="no 'squeue' here"):
        allocation.find(os.environ)


def test_steps_know_the_job_and_nothing_of_the_step():
    given = {
        "SLURM_JOB_ID": "5",
        "SLURM_CONF": "c",
        "SLURM_NNODES": "1",
        "SRUN_DEBUG": "3",
        "PMI_RANK": "0",
        "PATH": "p",
        "MY_SLURM_NAME": "kept",
    }
    assert set(allocation.cleaned(given)) == {"SLURM_JOB_ID", "SLURM_CONF", "PATH", "MY_SLURM_NAME"}


def test_one_node_runs_the_command_as_it_is():
    code = "import os, sys; sys.exit(5 + ('RAY_ADDRESS' in os.environ))"
    words = ["--gpus-per-node=8", "--", sys.executable, "-c", code]
    assert run("--nodes=1", *words).returncode == 5
    assert run("--nodes=2", *words, RAY_ADDRESS="10.0.0.1:6379").returncode == 6


def test_several_nodes_need_an_allocation_of_as_many(slurm):
    words = ["--gpus-per-node=8", "--", "never"]
    alone = run("--nodes=2", *words)
    assert alone.returncode == 2
    assert "no SLURM job and RAY_ADDRESS is not set" in alone.stderr
    fewer = run("--nodes=3", *words, SLURM_JOB_ID="5")
    assert fewer.returncode == 2
    assert "3 nodes are asked for, SLURM job 5 has 2 (gpu07, gpu08)" in fewer.stderr


def test_a_step_that_fails_at_once_is_not_waited_for(slurm, tmp_path):
    (slurm / "srun").write_text("#!/bin/sh\necho 'no such partition' >&2\nexit 1\n")
    (slurm / "srun").chmod(0o755)
    words = ["--nodes=2", "--gpus-per-node=8", "--ready-seconds=600", f"--log={tmp_path / 'l'}"]
    done = run(*words, "--", "never", SLURM_JOB_ID="5")
    assert done.returncode == 91
    assert "Ray on node gpu07 ended (exit code 1)" in done.stderr
    assert "no such partition" in done.stderr


def test_the_wrapper_stands_before_another_command(tmp_path):
    words = launcher.wrapper(2, 8, 600, tmp_path / "ray")
    assert words[:2] == ["-m", "limr.train.openrlhf.ray.launcher"]
    options = launcher.parse([*words[2:], "-m", "limr.train.openrlhf.launch", "task.json"])
    assert (options.nodes, options.gpus_per_node, options.ready_seconds) == (2, 8, 600.0)
    assert options.command == [sys.executable, "-m", "limr.train.openrlhf.launch", "task.json"]


def test_what_a_node_starts():
    ports = dict(zip(node._PORTS, range(1, 7), strict=True))
    head = node.Settings(True, "10.0.0.1", 8, 20, "/tmp/x", memory=10)
    words = node.command(head, ports, (6400, 6401))
    assert {"--head", "--node-ip-address=10.0.0.1", "--port=6400", "--num-gpus=8"} <= set(words)
    assert {"--temp-dir=/tmp/x", "--object-store-memory=10", "--block"} <= set(words)
    assert "--ray-client-server-port=6401" in words
    assert "--max-worker-port=0" in words  # any free one
    other = node.Settings(False, "127.0.0.1:6400", 8, 20, "/tmp/x")
    words = node.command(other, ports, (1, 2))
    assert "--address=127.0.0.1:6400" in words
    assert "--node-ip-address=127.0.0.1" in words
    assert not [word for word in words if "head" in word or "temp-dir" in word]
    found = node.free_ports(5)
    assert len(set(found)) == 5
    assert node.visible_gpus(None) is None
    assert node.visible_gpus("0, 2,5") == 3
    assert node.visible_gpus("") == 0


def test_a_node_with_other_gpus_than_asked_does_not_start(monkeypatch, capsys):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    settings = {"head": True, "address": "127.0.0.1", "gpus": 8, "processors": 4}
    code = node.main(json.dumps({**settings, "folder": "/tmp/none"}))
    assert code == 2
    assert "8 GPUs were asked for, 2 are visible" in capsys.readouterr().err


RAY = """\
#!/bin/sh
# Stand-in: fails at first, then starts a process of a session of its own, which outlives it.
echo "$@" >> calls
[ "$(wc -l < calls)" -ge 2 ] || { echo 'a port is taken'; exit 1; }
mkdir -p folder
setsid sleep 600 &
echo $! > left
echo 'Ray runtime started.'
exec sleep 600
"""


@pytest.fixture
def ray_node(tmp_path):
    """A node at work, with a stand-in for Ray."""
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "python").symlink_to(sys.executable)
    (commands / "ray").write_text(RAY)
    (commands / "ray").chmod(0o755)
    settings = {"head": True, "address": "127.0.0.1", "gpus": 1, "processors": 1}
    words = [commands / "python", "-m", node.__name__, json.dumps({**settings, "folder": "folder"})]
    path = [str(Path(node.__file__).parents[4]), str(Path(psutil.__file__).parents[1])]
    kept = {key: value for key, value in os.environ.items() if key != "CUDA_VISIBLE_DEVICES"}
    process = subprocess.Popen(
        words,
        cwd=tmp_path,
        env={**kept, "PYTHONPATH": os.pathsep.join(path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()
    process.wait(30)


def test_a_ray_that_does_not_come_up_is_started_again_with_other_ports(ray_node, tmp_path):
    assert ray_node.stdout.readline().startswith(node.READY)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == 2
    assert calls[0] != calls[1]
    ray_node.stdin.close()
    assert "a port is taken" in ray_node.stderr.read()


@pytest.mark.parametrize("end", ["input", "signal"])
def test_with_a_node_ends_all_that_ray_has_started(ray_node, tmp_path, end):
    assert ray_node.stdout.readline()
    left = psutil.Process(int((tmp_path / "left").read_text()))
    if end == "input":
        ray_node.stdin.close()
    else:
        ray_node.terminate()
    assert ray_node.wait(30) == (0 if end == "input" else 143)
    assert not left.is_running()
    assert not (tmp_path / "folder").exists()

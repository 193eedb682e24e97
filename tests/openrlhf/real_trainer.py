"""A small study that the real trainers run on a CPU, and the environment in which they do.

What makes OpenRLHF run on a CPU stands in cpu_only/ and here, for these tests alone.
"""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from small_study import Project, make_project

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PYTHON = ROOT / ".venv-openrlhf/bin/python"
PROBLEMS, BATCH, SAMPLES = 10, 4, 4  # two whole batches an epoch, and two problems left over

ON_CPU = {
    "LIMR_TESTS_ON_CPU": "1",
    "DS_ACCELERATOR": "cpu",
    "DS_BUILD_OPS": "0",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "OMP_NUM_THREADS": "1",
    "RAY_memory_monitor_refresh_ms": "0",
    "RAY_worker_niceness": "0",  # by default 15: the trainers would starve beside other tests
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TORCH_COMPILE_DISABLE": "1",
    "HF_HUB_OFFLINE": "1",
}

STUDY: dict[str, Any] = {
    "study": "real",
    "seeds": [1],
    "datasets": {
        "arithmetic": {"source": "arithmetic", "problems": PROBLEMS, "seed": 5, "levels": [1]}
    },
    "dataset": "arithmetic",
    "engine": {"train": "openrlhf", "generate": "huggingface"},
    "engines": {
        "openrlhf": {
            "gpus_per_node": 1,
            "zero_stage": 2,
            "attention": "eager",
            "packing": False,
            "gradient_checkpointing": False,
            "enforce_eager": True,
            "sleep": False,
            "micro_rollout": 4,
            "micro_train": 4,
            "sft": {"max_tokens": 300, "micro_batch": 2},  # beyond the model's positions,
        },
        "huggingface": {"device": "cpu", "batch_size": 64},
    },
    "base": {"model": "model", "template": "qwen-boxed"},
    "ppo": {
        "steps": 5,
        "prompts_per_step": BATCH,
        "samples_per_prompt": SAMPLES,
        "train_batch_size": 8,
        "actor_learning_rate": 1.0e-3,
        "critic_learning_rate": 1.0e-3,
        "warmup_steps": 1,
        "max_prompt_tokens": 128,
        "max_response_tokens": 14,
    },
    "sft": {"steps": 4, "batch_size": 4, "learning_rate": 1.0e-3},
    "trajectories": {"full": {"format": "rollouts", "arm": "full", "seed": 1}},
    "scores": {
        "everything": {"selector": "full"},
        "lim": {"selector": "lim", "trajectories": "full", "missing": "mean-of-present"},
    },
    "arms": {
        "full": {"train": "ppo", "score": "everything"},
        "sft": {"train": "sft", "score": "everything"},
        "limr": {"train": "none", "score": "lim", "size": 4},
    },
    "evaluate": {
        "ppo_steps": [0, 2, 4],
        "sft_steps": [2, 4],
        "benchmarks": {
            "arithmetic-easy": {
                "decodings": [{"name": "greedy", "samples": 1, "temperature": 0, "max_tokens": 8}]
            }
        },
    },
    "tables": {"results": {}},
    "figures": {"reward": {}},
}


def required_python() -> Path:
    """Return the Python of .venv-openrlhf; CI must have it, elsewhere the test is skipped aloud."""
    if (PYTHON.parent.parent / "ready").exists():
        return PYTHON
    message = "there is no .venv-openrlhf: make openrlhf"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def study() -> dict[str, Any]:
    """A copy of the study, to change."""
    return copy.deepcopy(STUDY)


@dataclass
class RealProject(Project):
    """A copy of the repository in which the real trainers run, on a CPU."""

    killed: str = ""  # what the run said whose trainer was killed
    folders_left: list[str] = field(default_factory=list)  # of its Ray, afterwards
    left_over: list[str] = field(default_factory=list)  # what its trainer had started, afterwards

    @property
    def environment(self) -> dict[str, str]:
        """This copy's library, and what makes the trainers run on a CPU."""
        left_out = ("LIMR_MIRROR", "RAY_ADDRESS")
        kept = {key: value for key, value in os.environ.items() if key not in left_out}
        path = os.pathsep.join([str(self.folder / "workflow/scripts"), str(HERE / "cpu_only")])
        return {**kept, **ON_CPU, "PYTHONPATH": path}

    def command(self, *arguments: str) -> list[str]:
        """Snakemake of the trainers' environment: rules and trainers share it."""
        options = ["--configfile", "study.yaml", "--cores", "2", "--rerun-incomplete"]
        return [str(PYTHON), "-m", "snakemake", *options, *arguments]

    def state(self, run: str) -> Path:
        """The working folder of a run."""
        return self.folder / "results/real/state" / run

    def kill_trainer(self, run: str, after: int) -> None:
        """Start a run, and SIGKILL its trainer once it works on the step after a checkpoint."""
        log = self.folder / "killed.log"
        target = f"results/real/runs/{run.replace('-seed', '/seed')}/rollouts.parquet"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.command(target),
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            while process.poll() is None and not self._works_on(run, after):
                time.sleep(0.01)
            trainers = self.trainers()
            folders = [name for trainer in trainers for name in ray_folders(trainer)]
            for trainer in trainers:
                os.kill(trainer, signal.SIGKILL)
            code = process.wait()
        self.killed = log.read_text()
        assert code != 0, self.killed
        time.sleep(1)  # for the kernel to take away what was killed
        self.left_over = self.started_by_trainers()
        self.folders_left = [name for name in folders if Path(name).exists()]
        assert trainers, f"the trainer ended before it was killed:\n{self.killed[-3000:]}"

    def _works_on(self, run: str, after: int) -> bool:
        if not (self.state(run) / f"whole/{after:06}.json").exists():
            return False
        files = self.state(run).glob("rollouts/*/*.jsonl")
        return any(f'"step": {after + 1},' in path.read_text() for path in files)

    def started_by_trainers(self) -> list[str]:
        """The commands of Ray's and vLLM's processes of this copy, and of the trainers."""
        mark, found = f"LIMR_OPENRLHF_TASK={self.folder}".encode(), []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes():
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue  # it has ended meanwhile
        return [command for command in found if command]  # no command line: it is dead already

    def trainers(self) -> list[int]:
        """The processes of this copy that are a launcher."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                arguments = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue  # it has ended meanwhile
            mine = any(str(self.folder).encode() in part for part in arguments)
            if mine and b"limr.train.openrlhf.launch" in arguments:
                found.append(int(entry.name))
        return found


def ray_folders(trainer: int) -> list[str]:
    """The temporary folder of a trainer's Ray."""
    variables = Path(f"/proc/{trainer}/environ").read_bytes().decode().split("\0")
    return [one.partition("=")[2] for one in variables if one.startswith("LIMR_RAY_FOLDER=")]


def make(folder: Path) -> RealProject:
    """Copy what a run needs."""
    return RealProject(make_project(folder).folder)

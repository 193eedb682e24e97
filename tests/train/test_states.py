"""The records of states alone: what is read, what is refused, what is removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from limr.core.errors import InputError
from limr.train import states
from limr.train.states import States


@pytest.fixture
def folder(tmp_path: Path) -> States:
    return States(tmp_path, "job", owned=("parts",), growing=("logs",))


def write(found: States, name: str, text: str) -> Path:
    path = found.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_a_file_of_the_state_before_is_not_read_again(
    folder: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, log = write(folder, "parts/1", "one"), write(folder, "logs/log", "a")
    folder.save(1, [old, log])
    new = write(folder, "parts/2", "two")
    log.write_text("ab")
    read, original = [], states._sha256
    monkeypatch.setattr(
        states, "_sha256", lambda path, size: (read.append(path.name), original(path, size))[1]
    )
    folder.save(2, [old, new, log])
    assert sorted(read) == ["2", "log"]
    folder.check(2)


@pytest.mark.parametrize("steps", [[1], [1, 2], [1, 2, 3]])
def test_what_the_last_state_no_longer_has_is_not_published(
    folder: States, steps: list[int]
) -> None:
    for step in steps:
        folder.save(step, [write(folder, f"parts/{step}", "whole")])
    folder.check_before_publishing(("parts/",))
    write(folder, f"parts/{steps[-1]}", "other")
    folder.check_before_publishing(("logs/",))  # another part of it
    with pytest.raises(InputError, match="nothing is published"):
        folder.check_before_publishing(("parts/",))
    if len(steps) > 1:
        write(folder, f"parts/{steps[-1]}", "whole")
        write(folder, "parts/1", "other")  # an earlier state's file, which is not published
        folder.check_before_publishing(("parts/",))


def test_a_folder_in_the_place_of_a_record_is_removed(folder: States) -> None:
    for step in (1, 2):
        folder.save(step, [write(folder, f"parts/{step}", "x")])
    record = folder.folder / "whole/000002.json"
    record.unlink()
    record.mkdir()
    (record / "inside").touch()
    assert folder.go_back() == 1
    assert not record.exists()
    assert not (folder.folder / "parts/2").exists()
    assert (folder.folder / "parts/1").exists()

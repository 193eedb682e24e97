"""The records of states alone: what is read, what is refused, what is removed."""

from __future__ import annotations

import shutil
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


def contents(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def linked(path: Path, other: Path) -> None:
    """Put a link in the place of a file or folder."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    path.symlink_to(other)


@pytest.mark.parametrize("name", ["logs/log", "logs", "parts/2", "parts", "whole", "logs/late"])
@pytest.mark.parametrize("job", ["job", "another"])
def test_what_is_behind_a_link_is_never_gone_on_from_nor_changed(
    tmp_path: Path, name: str, job: str
) -> None:
    """Not even where it has the same bytes: it is another run's, which goes on by itself."""
    here, there = (States(tmp_path / one, j, ("parts",), ("logs",))
                   for one, j in (("here", "job"), ("there", job)))  # fmt: skip
    for one in (here, there):
        one.folder.mkdir()
        for step in (1, 2):
            log = write(one, "logs/log", "a" * step)
            one.save(step, [write(one, f"parts/{m}", str(m)) for m in range(1, step + 1)] + [log])
        write(one, "logs/late", "of no state")
    before = contents(there.folder)
    linked(here.folder / name, there.folder / name)
    found = here.go_back()
    assert found == {"parts/2": 1, "logs/late": 2}.get(name, 0)
    assert contents(there.folder) == before
    assert not (here.folder / name).is_symlink()
    kept = {f"parts/{n}": str(n) for n in range(1, found + 1)}
    assert {k: v for k, v in contents(here.folder).items() if not k.startswith("whole")} == (
        kept | ({"logs/log": "a" * found} if found else {})
    )


@pytest.mark.parametrize("name", ["logs/log", "parts/2", "logs/late"])
@pytest.mark.parametrize("inside", [[], ["x"], ["x/y"]])
def test_a_folder_in_the_place_of_a_file_is_removed(
    folder: States, name: str, inside: list[str]
) -> None:
    folder.save(1, [write(folder, "parts/1", "1")])
    folder.save(2, [write(folder, "parts/2", "2"), write(folder, "logs/log", "a")])
    (folder.folder / name).unlink(missing_ok=True)
    for one in ["", *inside]:
        (folder.folder / name / one).mkdir(parents=True, exist_ok=True)
    assert folder.go_back() == (2 if name == "logs/late" else 1)
    assert not (folder.folder / name).exists()

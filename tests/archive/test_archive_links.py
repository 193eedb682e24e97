"""Links of archived code: those that stay within are made, no other touches a file of the user."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from small_archive import STUDY, small_archive

from limr.archive import code as coding
from limr.archive import restore, verify_files
from limr.core.errors import IntegrityError

Files = dict[str, tuple[int, str]]


def write(folder: Path, files: dict[str, str], names: list[str]) -> tuple[dict[str, Any], Files]:
    """Write files; return the record's part on the code, with these links, and the files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return {"files": sorted(files), "links": names}, {n: (len(files[n]), "") for n in files}


def test_links_that_stay_within_are_made(tmp_path: Path) -> None:
    links = {"a/link": "b.py", "c/d/up": "../../a", "chain": "c/d/up/b.py"}
    texts = {"results/s/study.yaml": json.dumps(STUDY), "a/b.py": "b", **links}
    path = small_archive(tmp_path / "a.zip", texts, list(links))
    restore.restore(path, tmp_path / "new", None, fetch=False, say=lambda _: None)
    for name in ("a/link", "chain"):
        assert (tmp_path / "new" / name).is_symlink()
        assert (tmp_path / "new" / name).read_text() == "b"


OUT = {
    "absolute": {"x": "/etc/passwd"},
    "up": {"x": "../outside"},
    "up from below": {"a/b": "../../outside"},
    "up after a name": {"x": "a/../../outside"},
    # Each alone seems to stay within; one through the other does not.
    "a chain": {"a/b": "..", "c": "a/b/../.."},
    "nothing": {"x": ""},
    "long": {"x": "a" * 2000},
}


@pytest.mark.parametrize("kind", OUT)
def test_links_that_may_lead_out_are_refused(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    code, files = write(folder, OUT[kind], list(OUT[kind]))
    with pytest.raises(IntegrityError, match="a link of the code"):
        coding.links(folder, code, files)


def test_a_name_that_is_no_file_of_the_archive_is_refused(tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("target")
    folder = tmp_path / "folder"
    code, files = write(folder, {"a": "b"}, [])
    for name in (str(mine), "../mine.txt", "other"):
        code["links"] = [name]
        for known in (["a"], ["a", name]):  # names of `files` were checked when it was unpacked
            code["files"] = known
            with pytest.raises(IntegrityError, match="is no file of the archived code"):
                coding.links(folder, code, files)


def test_verify_names_it(tmp_path: Path) -> None:
    code, files = write(tmp_path, {"x": "../out"}, ["x"])
    code |= {"commit": None, "changed": [], "executables": [], "tree": None}
    opened = SimpleNamespace(
        folder=tmp_path,
        files=files,
        record={"code": code, "config": "results/s/study.yaml", "settings": {"policies": False}},
        study=SimpleNamespace(own_paths=[]),
        results="results/s",
    )
    with pytest.raises(IntegrityError, match="x: a link of the code that leads out"):
        list(verify_files.commit(opened))  # type: ignore[arg-type]


@pytest.mark.parametrize("how", ["absolute", "relative", "chained"])
def test_restore_deletes_no_file_of_the_user(how: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine.txt"
    mine.write_text("harmless")
    files = {"results/s/study.yaml": json.dumps(STUDY), "a/b": "..", "c": "a/b/../.."}
    names = {"absolute": [str(mine)], "relative": ["../mine.txt"], "chained": ["a/b", "c"]}[how]
    path = small_archive(tmp_path / "a.zip", files, names)
    with pytest.raises(IntegrityError, match="a link of the code"):
        restore.restore(path, tmp_path / "new", None, fetch=False, say=lambda _: None)
    assert mine.read_text() == "harmless"
    assert not mine.is_symlink()

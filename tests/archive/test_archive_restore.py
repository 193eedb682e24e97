"""Restoring is all or nothing, and puts data, never code, into a clone."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from small_archive import STUDY, small_archive

from limr.archive import build, restore, unpack
from limr.core import provenance
from limr.core.errors import InputError, IntegrityError
from limr.study.load import load as load_study

FILES = {
    "Snakefile": "# theirs",
    "results/s/study.yaml": json.dumps(STUDY),
    "results/s/headline.txt": "1",
    "data/mine.jsonl": "{}",
    "workflow/yaml.py": "harm",
    "workflow/yaml.json": "harm",
    "closed.jsonl": "{}",
}


def names(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir()}


def restored(path: Path, folder: Path) -> list[str]:
    said: list[str] = []
    restore.restore(path, folder, None, fetch=False, say=said.append)
    return said


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "Snakefile").write_text("# ours")
    return folder


def test_a_clone_gets_results_and_own_files_and_no_code(clone: Path, tmp_path: Path) -> None:
    said = restored(small_archive(tmp_path / "a.zip", FILES), clone)
    expected = {"Snakefile", "data/mine.jsonl", "results/s/study.yaml", "results/s/headline.txt"}
    assert names(clone) == expected
    assert (clone / "Snakefile").read_text() == "# ours"
    assert sorted(text.rsplit(" ", 1)[-1] for text in said) == [
        "workflow/yaml.json",
        "workflow/yaml.py",
    ]
    own, result = clone / "data/mine.jsonl", clone / "results/s/headline.txt"
    assert own.stat().st_mtime < result.stat().st_mtime  # else Snakemake does all again


def test_an_own_file_that_is_there_is_kept_or_refused(clone: Path, tmp_path: Path) -> None:
    path = small_archive(tmp_path / "a.zip", FILES)
    (clone / "data").mkdir()
    (clone / "data/mine.jsonl").write_text("another")
    with pytest.raises(InputError, match="is there already"):
        restored(path, clone)
    assert names(clone) == {"Snakefile", "data/mine.jsonl"}
    (clone / "data/mine.jsonl").write_text("{}")
    restored(path, clone)
    assert (clone / "results/s/headline.txt").read_text() == "1"


@pytest.mark.parametrize("where", ["clone", "empty", "new"])
def test_a_file_that_is_not_as_listed_leaves_nothing(
    where: str, clone: Path, tmp_path: Path
) -> None:
    path = small_archive(tmp_path / "a.zip", FILES)
    with zipfile.ZipFile(path) as zipped:
        content = {name: zipped.read(name) for name in zipped.namelist()}
    content["results/s/headline.txt"] = b"2"
    with zipfile.ZipFile(path, "w") as zipped:
        for name, data in content.items():
            zipped.writestr(name, data)
    folder = clone if where == "clone" else tmp_path / where
    if where == "empty":
        folder.mkdir()
    with pytest.raises(IntegrityError, match=r"headline.txt: sha256: expected \w+, found"):
        restored(path, folder)
    left = {path.name for path in folder.iterdir()}
    assert left == ({"Snakefile"} if where == "clone" else set())


def test_an_archive_without_a_crate_is_refused(clone: Path, tmp_path: Path) -> None:
    path = small_archive(tmp_path / "a.zip", FILES)
    with zipfile.ZipFile(path) as zipped:
        content = {n: zipped.read(n) for n in zipped.namelist() if not n.startswith("ro-")}
    with zipfile.ZipFile(path, "w") as zipped:
        for name, data in content.items():
            zipped.writestr(name, data)
    with pytest.raises(unpack.RefusedError, match="it has no ro-crate"):
        restored(path, clone)
    assert names(clone) == {"Snakefile"}


def test_own_files_are_looked_for_in_the_working_folder(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, elsewhere = tmp_path / "working", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / "results/s").mkdir(parents=True)
    (folder / "data").mkdir()
    (folder / "data/mine.jsonl").write_text("{}")
    (folder / "closed.jsonl").write_text("{}")
    monkeypatch.chdir(elsewhere)
    study = load_study(STUDY, "s", root / "config/benchmarks", own_files=False)
    found = build.plan(study, {}, folder, provenance.ROOT)
    assert found.files["data/mine.jsonl"] == ("own file", folder / "data/mine.jsonl")
    assert "not named" in found.left_out["closed.jsonl"]["why"]

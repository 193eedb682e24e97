"""A study on data that may not be passed on: archived as ids, verified, made again elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from limr.archive import restore, verify
from limr.core.errors import InputError
from small_study import Project

RESULTS = "results/published"
RESTRICTED = (
    f"{RESULTS}/sources/limr_math_full",
    f"{RESULTS}/sources/limr_published_lim_scores",
    f"{RESULTS}/problems/math-full.jsonl",
    f"{RESULTS}/audits/math-full.parquet",
    f"{RESULTS}/scores/lim.parquet",
    f"{RESULTS}/subsets/limr.jsonl",
    f"{RESULTS}/subsets/rand.jsonl",
    f"{RESULTS}/figures/scores.tsv",
    f"{RESULTS}/report.html",
)
pytestmark = [pytest.mark.data, pytest.mark.slow]


@pytest.fixture(scope="module")
def published(
    published_data: Project, mirror: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """The published study, run from the mirror as docs/published-data.md says, and archived."""
    folder = tmp_path_factory.mktemp("published") / "project"
    shutil.copytree(published_data.folder, folder, symlinks=True, copy_function=shutil.copy2)
    project = Project(folder)
    (folder / "study.yaml").write_text((folder / "config/published.yaml").read_text())
    found = project.run("archive", mirror=mirror)
    assert found.returncode == 0, found.output[-4000:]
    assert found.jobs == ["Archive the study"]
    return project


@pytest.fixture(scope="module")
def archive(published: Project) -> Path:
    return published.folder / RESULTS / "archive/published.zip"


def test_no_text_of_a_restricted_file_is_in_it(published: Project, archive: Path) -> None:
    lines = (published.folder / RESULTS / "problems/math-full.jsonl").read_text().splitlines()
    prompts = [line.split('"prompt": "')[1].split('", "answer"')[0] for line in lines]
    telling = [prompt.encode() for prompt in prompts if len(prompt) > 60][::40]
    assert len(telling) > 100
    with zipfile.ZipFile(archive) as zipped:
        names = set(zipped.namelist())
        content = b"\n".join(
            zipped.read(name) for name in names if name.startswith(("res", "prov"))
        )
    assert not names & set(RESTRICTED)
    assert "provenance/ids/subsets/limr.jsonl" in names
    assert "provenance/ids/audits/math-full.jsonl" in names
    assert [prompt for prompt in telling if prompt in content] == []


def test_it_is_verified_without_the_texts(archive: Path) -> None:
    lines: list[str] = []
    good = verify.verify(archive, lambda line: lines.append(str(line)))
    assert good, "\n".join(lines)
    assert any("its texts are left out; ids stand in for them" in line for line in lines)
    assert any(line.startswith("ok     subsets: 1 files recomputed") for line in lines)
    assert any(line.startswith("ok     scores: 1 files recomputed") for line in lines)


def forged(archive: Path, scratch: Path, contents: dict[str, bytes]) -> list[str]:
    """Return what is said of an archive in which files were exchanged; it must be refused."""
    path = scratch / "forged.zip"
    with zipfile.ZipFile(archive) as zipped, zipfile.ZipFile(path, "w") as written:
        for name in zipped.namelist():
            written.writestr(name, contents.get(name, zipped.read(name)))
    found: list[str] = []
    assert not verify.verify(path, lambda line: found.append(str(line)))
    return found


def test_a_forged_id_of_a_subset_is_named(archive: Path, tmp_path: Path) -> None:
    name = "provenance/ids/subsets/rand.jsonl"
    with zipfile.ZipFile(archive) as zipped:
        lines = zipped.read(name).splitlines(keepends=True)
    found = forged(archive, tmp_path, {name: b"".join([lines[1], lines[0], *lines[2:]])})
    named = f"FAILED subsets by id: {name}: [0].problem_id: expected"
    assert any(line.startswith(named) for line in found), "\n".join(found)


@pytest.mark.parametrize("content", [b'{"x": 1}\n', b'{"problem_id": 5}\n', b"[1]\n", b"no\n"])
def test_ids_of_another_form_fail_their_check(
    archive: Path, tmp_path: Path, content: bytes
) -> None:
    for kind in ("audits", "problems"):
        name = f"provenance/ids/{kind}/math-full.jsonl"
        found = forged(archive, tmp_path, {name: content})
        failed = [line for line in found if line.startswith("FAILED ids: ")]
        assert len(failed) == 1, "\n".join(found)
        assert name in failed[0]


@pytest.mark.long  # a forged mirror gives the rest back, see below
def test_a_mirror_gives_everything_back(
    published: Project, archive: Path, mirror: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "restored"
    found = restore.restore(archive, folder, mirror, fetch=True, say=lambda _: None)
    assert not found.lacking
    for path in RESTRICTED[:-1]:
        assert (folder / path).read_bytes() == (published.folder / path).read_bytes(), path
    shutil.copy(folder / RESULTS / "study.yaml", folder / "study.yaml")
    assert Project(folder).planned() == ["Make the report"]


def test_without_the_mirror_it_says_what_is_lacking(archive: Path, tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "LIMR_MIRROR"}
    command = [sys.executable, "-m", "limr", "restore", str(archive), str(tmp_path / "restored")]
    done = subprocess.run(
        [*command, "--no-fetch", "--no-plan"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"left out, and not to be had: {RESULTS}/sources/limr_math_full" in done.stderr


def test_another_file_in_the_mirror_is_not_taken(
    published: Project, archive: Path, mirror: Path, tmp_path: Path
) -> None:
    forged = tmp_path / "mirror"
    shutil.copytree(mirror / "limr", forged / "limr")
    path = forged / "limr/math_full.json"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"find", b"f1nd", 1))
    folder = tmp_path / "restored"
    found = restore.restore(archive, folder, forged, fetch=True, say=lambda _: None)
    assert "sha256" in found.lacking[RESTRICTED[0]]
    assert not (folder / RESTRICTED[0]).exists()
    assert not (folder / RESTRICTED[2]).exists()
    scores = RESTRICTED[1]  # a source that is as it was is there
    assert (folder / scores).read_bytes() == (published.folder / scores).read_bytes()


def test_a_changed_source_of_limr_is_said_not_hidden(
    archive: Path, mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from limr.problems.datasets import math_full

    kept = math_full.prepare
    monkeypatch.setattr(math_full, "prepare", lambda *given: (kept(*given)[0][1:], []))
    with pytest.raises(InputError, match=r"math-full.jsonl: recomputed by this limr it has sha256"):
        restore.restore(archive, tmp_path / "restored", mirror, fetch=True, say=lambda _: None)

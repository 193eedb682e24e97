"""The code of an archive is a commit, provably, and its digests are the workflow's own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from limr.archive import code
from limr.core import provenance
from limr.core.errors import InputError


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    for name in (
        "Snakefile",
        "workflow/a.py",
        "workflow/a/b.py",
        "workflow/a.txt",
        "config/é.yaml",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"# {name}\n")
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o755)
    (folder / "link").symlink_to("workflow/a.py")
    git(tmp_path, "init", "--quiet", str(folder))
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    return folder


def test_names_are_gits(repository: Path, tmp_path: Path) -> None:
    found = code.read(repository)
    assert found.commit == git(repository, "rev-parse", "HEAD")
    assert found.commit == code.commit_name(found.text)
    assert code.tree_of_commit(found.text) == git(repository, "rev-parse", "HEAD^{tree}")
    target = tmp_path / "target"
    target.write_text("workflow/a.py")  # a link is archived as its target
    files = {name: (mode, repository / name) for name, mode in found.files.items()}
    files["link"] = (code.LINK, target)
    assert code.tree_name(files) == git(repository, "rev-parse", "HEAD^{tree}")
    assert found.files["run"] == code.EXECUTABLE
    assert found.changed == ()


def test_an_edit_an_addition_and_a_removal_are_seen(repository: Path) -> None:
    clean = code.state(repository)
    (repository / "Snakefile").write_text("changed\n")
    (repository / "config/new.yaml").write_text("new\n")
    (repository / "workflow/a.txt").unlink()
    found = code.read(repository)
    assert found.changed == ("Snakefile", "config/new.yaml", "workflow/a.txt")
    assert b"+changed" in found.diff
    assert "config/new.yaml" in found.files
    assert "workflow/a.txt" not in found.files
    assert clean == found.commit
    assert code.state(repository).startswith(f"{found.commit} changed ")


def test_a_folder_without_git(tmp_path: Path) -> None:
    (tmp_path / "workflow/__pycache__").mkdir(parents=True)
    for name in ("Snakefile", "workflow/a.py", "workflow/__pycache__/a.pyc", "other.txt"):
        (tmp_path / name).write_text("")
    found = code.read(tmp_path)
    assert (found.commit, list(found.files)) == (None, ["Snakefile", "workflow/a.py"])


def test_a_broken_repository_says_so(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    with pytest.raises(InputError, match="git"):
        code.read(tmp_path)


@pytest.mark.parametrize("script", ["train_ppo", "score_problems", "make_tables"])
def test_digests_are_those_of_the_workflow(script: str, root: Path) -> None:
    plugins = ["limr.train.engines.embedded", "limr.scores.selectors.lim"]
    assert code.rule_digest(root, script, plugins) == provenance.code_digest(script, plugins)


def test_code_that_cannot_be_parsed(tmp_path: Path) -> None:
    (tmp_path / "workflow/scripts").mkdir(parents=True)
    (tmp_path / "workflow/scripts/train_ppo.py").write_text("import limr.core\n" + "(" * 10_000)
    with pytest.raises(InputError, match="cannot be read"):
        code.rule_digest(tmp_path, "train_ppo")

"""`make lock` shows what differs, package by package; every lock is a lock, and of its .in file."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
ENVS = ROOT / "envs"
PAGE = ROOT / "docs/environments.md"
BEFORE = """\
alpha==1.0 \\
    --hash=sha256:aa
beta[extra]==2.0 ; sys_platform == "linux" \\
    --hash=sha256:bb \\
    --hash=sha256:bc
gone==3 \\
    --hash=sha256:cc
same==4 \\
    --hash=sha256:dd
"""
AFTER = """\
# a comment
alpha==1.1 \\
    --hash=sha256:ab
beta[extra]==2.0 ; sys_platform == "linux" \\
    --hash=sha256:bb
new==5 \\
    --hash=sha256:ee
same==4 \\
    --hash=sha256:dd
"""


def shown(before: Path, after: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ENVS / "differences.py"), str(before), str(after)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    found = tmp_path / "before", tmp_path / "after"
    for folder in found:
        folder.mkdir()
    return found


def test_each_package_that_differs_is_shown(folders):
    before, after = folders
    (before / "one.lock").write_text(BEFORE)
    (after / "one.lock").write_text(AFTER)
    for folder in folders:
        (folder / "two.lock").write_text(BEFORE)
    done = shown(before, after)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "one.lock (4 packages): 1 added, 1 removed, 1 at another version, 1 with other hashes only",
        "  + new 5",
        "  - gone 3",
        "    alpha 1.0 -> 1.1",
        "    other hashes: beta",
        "no difference: two.lock",
    ]


def test_a_new_lock_is_shown_as_added(folders):
    before, after = folders
    (after / "one.lock").write_text(BEFORE)
    assert shown(before, after).stdout.splitlines()[1:] == [
        "  + alpha 1.0",
        '  + beta 2.0 ; sys_platform == "linux"',
        "  + gone 3",
        "  + same 4",
    ]


def test_a_line_that_is_no_pin_is_named(folders):
    before, after = folders
    (before / "one.lock").write_text("alpha==1.0 \\\n    --hash=sha256:aa\nbeta>=2\n")
    done = shown(before, after)
    assert done.returncode == 1
    assert "one.lock:3: 'beta>=2' is neither NAME==VERSION nor a hash" in done.stderr


def test_lock_without_uv_says_how_to_get_it(tmp_path):
    for name in ("sh", "cp", "rm", "mkdir", "make", "python3"):
        found = subprocess.run(["which", name], capture_output=True, text=True, check=True).stdout
        (tmp_path / name).symlink_to(found.strip())
    done = subprocess.run(
        ["make", "lock", "PYTHON=python3"],
        cwd=ROOT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "make lock needs uv" in done.stderr
    assert "pip install uv" in done.stderr


def pins(lock: Path) -> dict[str, set[str]]:
    """Return the versions of a lock's packages; each has a hash."""
    found: dict[str, set[str]] = {}
    for entry in re.split(r"\n(?=\S)", lock.read_text().strip()):
        if not entry.startswith("#"):
            name, version = re.match(r"([\w.-]+)(?:\[[^\]]*\])?==([^\s;]+)", entry).groups()
            assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), f"{lock.name}: {name}"
            found.setdefault(normal(name), set()).add(version)
    return found


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def asked(path: Path) -> Iterator[Requirement]:
    """Return the requirements of an .in file and of those that it includes."""
    for line in path.read_text().splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            yield from asked(path.parent / text[3:])
        elif text:
            yield Requirement(text)


@pytest.mark.parametrize("path", sorted(ENVS.glob("*.in")), ids=lambda path: path.stem)
def test_a_lock_has_what_its_in_file_asks_for_with_hashes(path):
    locked = pins(path.with_suffix(".lock"))
    # Resolved with it, installed from torch-cpu.lock (see the Makefile).
    elsewhere = {"torch"} if path.stem == "openrlhf-cpu" else set()
    for requirement in asked(path):
        name = normal(requirement.name)
        if name not in elsewhere:
            versions = locked.get(name, set())
            assert any(requirement.specifier.contains(v, prereleases=True) for v in versions), (
                f"{path.name} asks for {requirement}, the lock has {versions or 'none'}: make lock"
            )


def test_the_page_of_environments_has_every_lock_and_its_size():
    rows = re.findall(r"^\| (`[^|]+) \|[^|]+\| (\d+) \|", PAGE.read_text(), re.MULTILINE)
    named = {tuple(re.findall(r"`([\w-]+)`", names)): int(count) for names, count in rows}
    assert {name for names in named for name in names} == {p.stem for p in ENVS.glob("*.lock")}
    for names, count in named.items():
        assert sum(len(pins(ENVS / f"{name}.lock")) for name in names) == count, names


def test_every_lock_has_its_in_file():
    locks = {path.stem for path in ENVS.glob("*.lock")}
    assert locks == {path.stem for path in ENVS.glob("*.in")}
    assert {"data", "embedded", "train", "evaluate"} <= locks

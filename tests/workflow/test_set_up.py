"""A set-up that is interrupted, anywhere and in any way, is whole after the next one."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from small_study import ROOT

pytestmark = pytest.mark.slow

# Stands in for Python, for its venv and for its pip, which takes a package for installed where its
# description is there already. Call number HANG stops in the middle of its work.
STUB = """#!/bin/sh
count=$(( $(cat "$STUB/count" 2>/dev/null || echo 0) + 1 ))
echo $count >"$STUB/count"
hang() { if [ $count = "${HANG:-0}" ]; then echo $$ >"$STUB/hung"; exec sleep 600; fi; }
install() {
    folder="$1/$2"
    if [ -e "$folder/METADATA" ] && [ -z "$again" ]; then return; fi
    mkdir -p "$folder"; echo "$2" >"$folder/METADATA"; hang; echo "$2" >"$folder/RECORD"
}
case "$*" in
-c*) hang ;;
*venv\\ --clear*)
    rm -rf "$4/site"; hang; rm -rf "$4"; mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
*install*)
    site="$(dirname "$(dirname "$0")")/site"; again=
    while [ $# -gt 0 ]; do
        case "$1" in
        --target) site="$2"; shift ;;
        --ignore-installed) again=yes ;;
        -r) install "$site" "$(basename "$2" .lock)"; shift ;;
        --editable) install "$site" limr; shift ;;
        esac
        shift
    done ;;
esac
"""
VENV = {f".venv/site/{name}" for name in ("dev", "torch-cpu", "limr")}
RLHF = {f".venv-openrlhf/site/{name}" for name in ("torch-cpu", "openrlhf-cpu", "openrlhf")}
# Target -> what is then installed, and how many calls of Python it takes.
TARGETS: dict[str, tuple[set[str], int]] = {
    "setup": (VENV, 5),
    ".venv/real-model": ({*VENV, ".venv/site/real-model"}, 6),
    "build/crate-validator": ({*VENV, "build/crate-validator/crate"}, 6),
    "build/deployment": ({*VENV, "build/deployment/deployment"}, 6),
    "build/docs-tools": ({*VENV, "build/docs-tools/docs"}, 6),
    "build/trl-tools": ({*VENV, "build/trl-tools/trl"}, 6),
    "build/verl-tools": ({*VENV, "build/verl-tools/verl"}, 6),
    "build/trackio-tools": ({*VENV, "build/trackio-tools/trackio"}, 6),
    "build/axe": ({*VENV, "build/axe/axe"}, 6),
    "openrlhf": (RLHF, 5),
}


@dataclass
class Clone:
    """A clone of which nothing is set up."""

    folder: Path
    python: str
    environment: dict[str, str]

    def make(self, target: str, hang: int = 0) -> subprocess.Popen[str]:
        """Start make."""
        return subprocess.Popen(
            ["make", target, f"PYTHON={self.python}"],
            cwd=self.folder,
            env={**self.environment, "HANG": str(hang)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def made(self, target: str) -> str:
        """Run make to its end, which must be good."""
        process = self.make(target)
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0, said
        return said

    def calls(self) -> int:
        """Return how often Python was called."""
        return int((self.folder / "stub/count").read_text())


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    folder = tmp_path / "clone"
    (folder / "stub").mkdir(parents=True)
    shutil.copytree(ROOT / "envs", folder / "envs", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy2(ROOT / name, folder / name)
    python = tmp_path / "python3.11"
    python.write_text(STUB)
    python.chmod(0o755)
    left_out = ("LIMR_MIRROR", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    kept = {key: value for key, value in os.environ.items() if key not in left_out}
    return Clone(folder, str(python), {**kept, "STUB": str(folder / "stub")})


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def ctrl_c(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGINT)
    process.wait(30)


def power_cut(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)


def installed(clone: Clone, target: str) -> set[str]:
    """Return the packages of a target's folders; each must be whole."""
    folders = {name.rpartition("/")[0] for name in TARGETS[target][0]}
    found = {path for name in folders for path in (clone.folder / name).iterdir()}
    assert all((path / "RECORD").exists() for path in found), found
    return {path.relative_to(clone.folder).as_posix() for path in found}


@pytest.mark.parametrize("end", [ctrl_c, power_cut])
@pytest.mark.parametrize("target", TARGETS)
def test_interrupted_anywhere_it_is_whole_after_the_next_time(
    target: str, end: Callable[[subprocess.Popen[str]], None], clone: Clone
) -> None:
    packages, calls = TARGETS[target]
    for number in range(1, calls + 1):
        for path in clone.folder.glob(".venv*"):
            shutil.rmtree(path)
        shutil.rmtree(clone.folder / "build", ignore_errors=True)
        for path in (clone.folder / "stub").iterdir():
            path.unlink()
        process = clone.make(target, hang=number)
        wait_for((clone.folder / "stub/hung").exists)
        end(process)
        clone.made(target)
        assert installed(clone, target) == packages
        before = clone.calls()
        clone.made(target)
        assert clone.calls() == before  # nothing is left to do


def test_after_a_newer_lock_it_is_made_again(clone: Clone) -> None:
    clone.made(".venv/real-model")
    later = time.time() + 5
    os.utime(clone.folder / "envs/dev.lock", (later, later))
    process = clone.make("setup", hang=clone.calls() + 2)  # in the removal of the old one
    wait_for((clone.folder / "stub/hung").exists)
    power_cut(process)
    assert not (clone.folder / ".venv/ready").exists()
    clone.made("setup")
    assert installed(clone, "setup") == VENV


def test_what_another_clone_set_up_is_not_cleared(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "other/site").mkdir(parents=True)
    (clone.folder / ".venv").symlink_to(tmp_path / "other")
    process = clone.make("setup")
    said, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert ".venv is a link; set it up where it is" in said
    assert (tmp_path / "other/site").is_dir()


@pytest.mark.skipif(shutil.which("flock") is None, reason="without flock nobody waits")
def test_what_a_killed_make_has_left_running_is_waited_for(clone: Clone) -> None:
    first = clone.make("build/docs-tools", hang=6)
    hung = clone.folder / "stub/hung"
    wait_for(lambda: hung.exists() and hung.read_text().strip())
    first.kill()  # make alone: its pip goes on
    first.wait(30)
    second = clone.make("build/docs-tools")
    assert second.stdout is not None
    assert second.stdout.readline() == "Another set-up works here; waiting for it\n"
    assert second.poll() is None
    os.kill(int(hung.read_text()), signal.SIGKILL)
    said, _ = second.communicate(timeout=60)
    assert second.returncode == 0, said
    assert installed(clone, "build/docs-tools") == {*TARGETS["build/docs-tools"][0]}


@pytest.mark.skipif(shutil.which("flock") is None, reason="without flock nobody waits")
def test_two_at_once_make_it_once(clone: Clone) -> None:
    both = [clone.make("build/docs-tools") for _ in range(2)]
    for process in both:
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 0, said
    assert installed(clone, "build/docs-tools") == TARGETS["build/docs-tools"][0]
    assert clone.calls() == TARGETS["build/docs-tools"][1]


# --- a real pip ----------------------------------------------------------------------------------

FILES = 1000


def wheel(folder: Path, name: str) -> str:
    """Write a wheel of many files; return its line of a lock."""
    info = f"{name}-1.0.dist-info"
    texts = {f"{name}/m{number}.py": f"x = {number}\n" for number in range(FILES)}
    texts[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    texts[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    lines = []
    for path, text in texts.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        lines.append(f"{path},sha256={digest.decode()},{len(text)}\n")
    texts[f"{info}/RECORD"] = "".join(lines) + f"{info}/RECORD,,\n"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as zipped:
        for inside, text in texts.items():
            zipped.writestr(inside, text)
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def test_a_real_pip_that_is_killed_leaves_nothing_half(clone: Clone, tmp_path: Path) -> None:
    wheels, temporary = tmp_path / "wheels", tmp_path / "temporary"
    for folder in (wheels, temporary):
        folder.mkdir()
    lock = "".join(wheel(wheels, name) for name in ("one_of_two", "two_of_two"))
    (clone.folder / "envs/deployment.lock").write_text(lock)
    (clone.folder / ".venv").symlink_to(sys.prefix)
    clone.environment |= {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "TMPDIR": str(temporary),
    }
    made = clone.folder / "build/deployment"
    words = ["make", "--assume-old=.venv/ready", "build/deployment"]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            words, cwd=clone.folder, env=clone.environment, start_new_session=True
        )

    process = start()
    wait_for(lambda: len(list(temporary.rglob("m*.py"))) > FILES // 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)
    assert not made.exists()
    # And in the middle of what that pip would have done last.
    part = made.with_name("deployment.part")
    shutil.copytree(next(temporary.rglob("m0.py")).parent, part / "one_of_two")
    assert start().wait(120) == 0
    for name in ("one_of_two", "two_of_two"):
        assert len(list((made / name).glob("*.py"))) == FILES
        assert (made / f"{name}-1.0.dist-info/RECORD").exists()
    assert not part.exists()

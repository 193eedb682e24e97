"""The screen in a real terminal emulator, over a stand-in for Snakemake; and without a terminal."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from small_study import ROOT

pytestmark = pytest.mark.slow
# Two jobs: one ends, the other says how far it is until it is interrupted.
STAND_IN = """
import json, os, signal, sys, time
events = open(os.environ["LIMR_EVENTS"], "w", buffering=1)
def say(event, **more):
    events.write(json.dumps({"event": event, "time": time.time(), **more}) + "\\n")
def start(number, rule, message, **more):
    words = {"rule": rule, "message": message, "log": [], "wildcards": {}, **more}
    say("start", id=number, **words)
def stopped(*_):
    print("Terminating processes on user request")
    say("failed", id=2)
    sys.exit(1)
signal.signal(signal.SIGINT, stopped)
say("plan", jobs={"make_base": 1, "train_ppo": 2})
start(1, "make_base", "Make the base policy")
say("done", id=1)
open("log", "w").write("full seed 1  step 12/48  reward 0.215  accuracy 0.490  36 s left\\n")
start(2, "train_ppo", "Train full by PPO", log=["log"], wildcards={"arm": "full", "seed": "1"})
time.sleep(60 if sys.argv[1:] else 0)
say("done", id=2)
"""
FOLLOW = """
import resource, sys, time
from pathlib import Path
from limr.core import files
from limr.live import process, screen
from limr.live.progress import Progress
from limr.study.load import load
study = load(files.read_yaml({demo!r}), "demo", Path({marks!r}), own_files=False)
progress, began, log = Progress(), time.time(), Path("run.log")
shown = screen.Plain(progress, began)
if sys.stderr.isatty():
    shown = screen.Screen(study, progress, began, log)
command = [sys.executable, "stand_in.py", *sys.argv[1:]]
code = process.follow(command, log, Path("events"), shown, progress)
print("ended", code)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "stand_in.py").write_text(STAND_IN)
    demo, marks = str(ROOT / "config/demo.yaml"), str(ROOT / "config/benchmarks")
    (tmp_path / "follow.py").write_text(FOLLOW.format(demo=demo, marks=marks))
    return tmp_path


@pytest.fixture
def tmux(folder: Path) -> Iterator[list[str]]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    command = ["tmux", "-S", str(folder / "tmux")]
    yield command
    subprocess.run([*command, "kill-server"], check=False, capture_output=True)


def shown(tmux: list[str], wanted: str) -> str:
    """What the terminal shows as soon as it shows a text."""
    for _ in range(200):
        done = subprocess.run(
            [*tmux, "capture-pane", "-p"], capture_output=True, text=True, check=True
        )
        if wanted in done.stdout:
            return done.stdout
        time.sleep(0.1)
    raise AssertionError(f"{wanted!r} never came: {done.stdout}")


def test_a_terminal_shows_jobs_arms_and_the_way_out(folder: Path, tmux: list[str]) -> None:
    library = ROOT / "workflow/scripts"
    command = f"env PYTHONPATH={library} {sys.executable} follow.py wait; sleep 60"
    subprocess.run(
        [*tmux, "new-session", "-d", "-x", "100", "-y", "24", "-c", str(folder), command],
        check=True,
    )
    screen = shown(tmux, "12/48  reward")
    assert "demo · 1 of 3 jobs" in screen
    assert "left" in screen.split("demo · ")[1].splitlines()[0]
    [job] = [line for line in screen.splitlines() if line.startswith("Train full by PPO")]
    assert job.endswith("step 12/48  reward 0.215  accuracy 0.490  36 s left")
    [arm] = [line for line in screen.splitlines() if line.startswith("full ")]
    assert arm.split() == ["full", "12/48", ".", "."]
    assert "log: run.log" in screen
    subprocess.run([*tmux, "send-keys", "C-c"], check=True)
    screen = shown(tmux, "ended")
    assert "ended (1, True)" in screen  # interrupted
    assert "FAILED" not in screen
    assert "Terminating" not in screen  # that is in the log
    assert "Terminating" in (folder / "run.log").read_text()


def test_without_a_terminal_each_job_is_a_line(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "follow.py"], cwd=folder, capture_output=True, text=True, check=True
    )
    lines = [line.split("  ", 1)[1] for line in done.stderr.splitlines()]
    assert lines == ["1/3  done: Make the base policy (0 s)", "2/3  done: Train full by PPO (0 s)"]
    assert "ended (0, False)" in done.stdout

"""Logs that the real TRL wrote (trl_runs.py), kept between sessions, and the truth about them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

import kept_studies
from small_study import ROOT

TOOLS = ROOT / "build/trl-tools"
SCRIPT = Path(__file__).with_name("trl_runs.py")
Visits = list[list[int]]


@dataclass(frozen=True)
class Draw:
    """A sample that TRL drew and had rewarded; see `Truth` in trl_runs.py."""

    attempt: int
    generation: int
    mode: str
    step: int
    prompt: str
    completion: str
    value: float | None


def folder() -> Path:
    """Return the folder with a folder for each run; the first one who asks makes it."""
    if not (TOOLS / "trl").is_dir():
        if os.environ.get("CI"):
            pytest.fail("there is no build/trl-tools: make build/trl-tools")
        pytest.skip("there is no build/trl-tools: make build/trl-tools")
    kept = kept_studies.KEPT
    kept.mkdir(parents=True, exist_ok=True)
    name = f"trl-{_digest()}"
    with FileLock(kept / f"{name}.lock"):
        if not (kept / name).exists():
            kept_studies._remove_old(kept)
            _make(kept / name)
        os.utime(kept / name)
    return kept / name


def _digest() -> str:
    found = hashlib.sha256()
    for path in (SCRIPT, ROOT / "envs/trl.lock"):
        found.update(path.read_bytes())
    found.update(json.dumps([kept_studies._versions(), kept_studies._processor()]).encode())
    return found.hexdigest()[:24]


def _make(place: Path) -> None:
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=place.parent))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(part)],
        env={**os.environ, "PYTHONPATH": str(TOOLS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    part.rename(place)


def draws(run: Path) -> list[Draw]:
    """Return all that was drawn for a run, in order, with what its first reward function said."""
    lines = [json.loads(line) for line in (run / "truth.jsonl").read_text().splitlines()]
    first = lines[0]["reward"]
    return [Draw(**{name: line[name] for name in Draw.__dataclass_fields__})
            for line in lines if line["reward"] == first]  # fmt: skip


def written(drawn: list[Draw], step: int) -> list[Draw]:
    """Return the rows of a step's file: the last ones drawn by then, as many as a generation has.

    TRL keeps a buffer of that size, never empties it, and writes all of it at each step. A file of
    an earlier attempt stays where the later one has no such step.
    """
    attempt = max(one.attempt for one in drawn if one.step <= step and one.mode == "train")
    mine = [one for one in drawn if one.attempt == attempt]
    size = sum((one.generation, one.mode) == (1, "train") for one in mine)
    return [one for one in mine if one.step <= step][-size:]


def files(run: Path) -> dict[int, Path]:
    """Return the files of a run's log by step; of two attempts in two folders, the later's."""
    found = sorted(run.glob("output*/completions/*.parquet"))  # output, then output-2
    return {int(path.stem.rpartition("_")[2]): path for path in found}


def truth(run: Path) -> dict[str, Visits]:
    """Return for each prompt its visits in training: those samples' rewards which the log can tell.

    A visit is a generation's samples of a prompt, without those that have no reward; what TRL never
    wrote, or wrote over, cannot be told.
    """
    drawn = draws(run)
    told = {id(one) for step in files(run) for one in written(drawn, step)}
    return _visits([one for one in drawn if id(one) in told and one.mode == "train"])


def all_drawn(run: Path) -> dict[str, Visits]:
    """Return for each prompt all of its visits in training, told by the log or not."""
    return _visits([one for one in draws(run) if one.mode == "train"])


def _visits(drawn: list[Draw]) -> dict[str, Visits]:
    found: dict[str, dict[tuple[int, int], list[int]]] = {}
    for one in drawn:
        visit = found.setdefault(one.prompt, {}).setdefault((one.attempt, one.generation), [])
        if one.value is not None:
            visit.append(int(one.value))
    return {prompt: list(visits.values()) for prompt, visits in found.items()}

"""Logs that the real TRL writes, with what was really drawn beside them.

Two things are tested: that TRL writes its files as limr takes it to (a new version that does not is
seen here), and that limr reads from them what happened.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import trl_logs

from limr.trajectories import reader
from limr.trajectories.reading import Imported
from small_study import ROOT

pytestmark = pytest.mark.slow

# Every generation can be read from the log.
WHOLE = ("plain", "accumulation", "chat", "two-rewards", "iterations", "steps-per-generation")
EVALUATED = ("eval", "eval-few", "eval-cut", "eval-many", "eval-iterations")
# What must be said of a log.
SAID = {
    "iterations": {"repeated-generations"},
    "steps-per-generation": {"repeated-generations"},
    **{name: {"evaluation-rows", "overwritten-steps"} for name in EVALUATED},
    "logging-steps": {"steps-missing"},
    "logging-steps-5": {"steps-missing"},
    "resumed-elsewhere": {"resumed"},
    "missing": {"missing-scores"},
    "missing-beside": {"missing-scores"},
}
RUNS = (*WHOLE, *EVALUATED, "logging-steps", "logging-steps-5", "resumed", "resumed-elsewhere",
        "resumed-steps-per-generation", "missing", "missing-beside")  # fmt: skip


@pytest.fixture(scope="session")
def logs() -> Path:
    return trl_logs.folder()


def test_the_lock_is_all_that_trl_needs_on_top_of_the_environment() -> None:
    names = re.findall(r"^([\w-]+)==", (ROOT / "envs/trl.lock").read_text(), re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-m", "pip", "check"],
        env={**os.environ, "PYTHONPATH": str(trl_logs.TOOLS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert names
    assert not [line for line in done.stdout.splitlines() if line.split()[0] in names], done.stdout


@pytest.mark.parametrize("name", RUNS)
def test_trl_writes_its_files_as_limr_takes_it_to(name: str, logs: Path) -> None:
    drawn = trl_logs.draws(logs / name)
    steps = {one.step for one in drawn if one.mode == "train"}
    for step, path in trl_logs.files(logs / name).items():
        frame = pd.read_parquet(path)
        rewards = [column for column in frame if column.endswith(("_reward", "_accuracy"))]
        assert list(frame) == ["step", "prompt", "completion", *rewards, "advantage"]
        assert set(frame["step"]) == {step}
        expected = trl_logs.written(drawn, step)
        assert [text_of(prompt) for prompt in frame["prompt"]] == [one.prompt for one in expected]
        assert [text_of(text) for text in frame["completion"]] == [
            one.completion for one in expected
        ]
        values = pq.read_table(path, columns=[rewards[0]])[rewards[0]].to_pylist()
        assert values == [one.value for one in expected]  # null where there is no reward
    assert max(trl_logs.files(logs / name)) >= max(steps)


def text_of(value: object) -> str:
    """Return a text, or that of messages."""
    return value if isinstance(value, str) else "".join(turn["content"] for turn in value)


@pytest.mark.parametrize("name", RUNS)
def test_a_log_is_read_as_it_happened(name: str, logs: Path) -> None:
    found = reader.read(outputs(logs / name))
    assert visits(found) == counted(trl_logs.truth(logs / name))
    codes = {one.code for one in found.findings}
    assert SAID.get(name, set()) <= codes
    if name in WHOLE:
        assert visits(found) == counted(trl_logs.all_drawn(logs / name))
        assert not [one for one in found.findings if one.kind == "warning"]


@pytest.mark.parametrize("name", EVALUATED)
def test_prompts_of_evaluations_are_never_scored(name: str, logs: Path) -> None:
    held_out = {one.prompt for one in trl_logs.draws(logs / name) if one.mode == "eval"}
    assert held_out
    assert not held_out & set(reader.read(outputs(logs / name)).prompts)


def test_lost_steps_are_counted(logs: Path) -> None:
    for name in ("logging-steps", "logging-steps-5"):
        lost = {one.step for one in trl_logs.draws(logs / name)} - set(trl_logs.files(logs / name))
        found = reader.read(outputs(logs / name)).findings
        assert [one.count for one in found if one.code == "steps-missing"] == [len(lost)]


def test_rows_without_a_reward_are_counted(logs: Path) -> None:
    for name in ("missing", "missing-beside"):
        lost = sum(one.value is None for one in trl_logs.draws(logs / name))
        found = reader.read(outputs(logs / name)).findings
        assert [one.count for one in found if one.code == "missing-scores"] == [lost]
        samples = reader.read(outputs(logs / name), options={"missing_scores": "wrong"}).samples
        assert samples.n.sum() == len(trl_logs.draws(logs / name))


def outputs(run: Path) -> list[Path]:
    """Return what a user names: TRL's output folders."""
    return sorted(run.glob("output*"))


def visits(found: Imported) -> dict[str, list[tuple[int, int]]]:
    """Return for each prompt samples and correct ones of its visits."""
    samples = found.samples
    rows = zip(found.prompts, samples.n.tolist(), samples.n_correct.tolist(), strict=True)
    return {prompt: [(n, right) for n, right in zip(all_, rights, strict=True) if n]
            for prompt, all_, rights in rows}  # fmt: skip


def counted(truth: dict[str, trl_logs.Visits]) -> dict[str, list[tuple[int, int]]]:
    """Return the same of the truth."""
    return {prompt: [(len(visit), sum(visit)) for visit in all_ if visit]
            for prompt, all_ in truth.items()}  # fmt: skip

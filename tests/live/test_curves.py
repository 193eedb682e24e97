"""Live curves: what is written when, and by the real packages; nothing of it reruns a job."""

from __future__ import annotations

import json
import math
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from limr.core import files
from limr.core.tables import METRICS
from limr.live import curves, trackers
from limr.train import runs, step_records
from small_study import ROOT, Project

RLHF = ROOT / ".venv-openrlhf/bin/python"
TOOLS = ROOT / "build/trackio-tools"
Curves = dict[str, dict[int, dict[str, float]]]


def row(step: int, kl: float, **more: Any) -> dict[str, Any]:
    return {"step": step, "epoch": 0, "kl": kl, "loss": None, **more}


class Run:
    """A run's files as an engine leaves them, and what is told of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state, self.metrics = folder, folder / "state", folder / "metrics.parquet"
        self.state.mkdir()

    def told(self) -> dict[str, Any]:
        paths = {"metrics": str(self.metrics), "state": str(self.state)}
        runs = [{"arm": "full", "seed": 1, **paths}]
        return {"study": "tiny", "runs": runs, "folder": str(self.folder / "curves")}

    def recorded(self, *rows: dict[str, Any]) -> None:
        step_records.write(self.state, rows)

    def attempt(self, number: int, after: int, *rows: dict[str, Any]) -> None:
        path = self.state / f"metrics/attempt-{number:03}-after-{after}.jsonl"
        files.write_jsonl(path, rows)

    def finished(self, *rows: dict[str, Any]) -> None:
        files.write_parquet(self.metrics, runs.metrics_table(rows))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Curves:
    """What a tracker in memory was given: curve -> step -> numbers, none of them twice."""
    found: Curves = {}

    class InMemory:
        def __init__(self, _folder: Path, _study: str, curve: str, _arm: str) -> None:
            self.rows = found.setdefault(curve, {})

        def log(self, step: int, values: Mapping[str, float]) -> None:
            there = self.rows.setdefault(step, {})
            assert not there.keys() & values.keys()
            there |= values

        def close(self) -> None:
            pass

    monkeypatch.setitem(trackers.KINDS, "wandb", InMemory)
    return found


def follower(run: Run) -> curves.Follower:
    told = run.told()
    return curves.Follower("tiny", "wandb", told["runs"], Path(told["folder"]))


def test_a_curve_grows_and_goes_on_after_a_restart(run: Run, drawn: Curves) -> None:
    first = follower(run)
    first.look()
    assert not drawn
    run.recorded(row(1, 0.1))
    first.look()
    assert drawn == {"full-seed1": {1: {"epoch": 0.0, "kl": 0.1}}}
    run.recorded(row(1, 0.1), row(2, math.inf, tokens=7))  # what is no number is left out
    follower(run).look()
    assert drawn["full-seed1"][2] == {"epoch": 0.0, "tokens": 7.0}


def test_steps_that_an_attempt_repeats_are_a_curve_of_their_own(run: Run, drawn: Curves) -> None:
    run.attempt(1, 0, {"step": 1, "kl": 0.1}, {"step": 2, "kl": 0.2, "critic_loss": 9.0})
    one = follower(run)
    one.look()
    run.attempt(2, 1, {"step": 2, "kl": 0.3})
    one.look()
    assert drawn["full-seed1"] == {1: {"kl": 0.1}, 2: {"kl": 0.2, "value_loss": 9.0}}
    assert drawn["full-seed1-2"] == {1: {"kl": 0.1}, 2: {"kl": 0.3}}
    run.finished(row(1, 0.1, accuracy=0.5), row(2, 0.3, accuracy=0.6))
    one.look()
    assert drawn["full-seed1-2"][2] == {"kl": 0.3, "epoch": 0.0, "accuracy": 0.6}
    assert len(drawn) == 2


def test_a_run_that_is_trained_anew_has_a_new_curve(run: Run, drawn: Curves) -> None:
    run.finished(row(1, 0.1), row(2, 0.2))
    follower(run).look()
    run.metrics.unlink()
    run.recorded(row(1, 0.7))
    follower(run).look()
    assert drawn["full-seed1-2"] == {1: {"epoch": 0.0, "kl": 0.7}}


def test_a_line_that_is_half_written_waits(run: Run, drawn: Curves) -> None:
    run.attempt(1, 0, {"step": 1, "kl": 0.1})
    path = next((run.state / "metrics").iterdir())
    path.write_text(path.read_text() + '{"step": 2, "k')
    follower(run).look()
    assert list(drawn["full-seed1"]) == [1]


READ_TENSORBOARD = """
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
found = EventAccumulator(sys.argv[1] + "/tensorboard/full-seed1")
found.Reload()
tags = found.Tags()["tensors"]
from tensorboard.util.tensor_util import make_ndarray
points = lambda tag: [[e.step, float(make_ndarray(e.tensor_proto))] for e in found.Tensors(tag)]
rows = {tag: points(tag) for tag in tags}
print(json.dumps(rows))
"""
# Its file is a header of 7 bytes, then records: checksum, length, kind, a message.
READ_WANDB = """
import glob, json, struct, sys
from wandb.proto import wandb_internal_pb2
[path] = glob.glob(sys.argv[1] + "/wandb/wandb/offline-run-*/*.wandb")
with open(path, "rb") as file:
    data, place, rows = file.read(), 7, {}
while place < len(data):
    _, length, kind = struct.unpack("<IHB", data[place : place + 7])
    assert kind == 1  # whole: the file is short
    record = wandb_internal_pb2.Record()
    record.ParseFromString(data[place + 7 : place + 7 + length])
    place += 7 + length
    items = {(i.key or i.nested_key[0]): json.loads(i.value_json) for i in record.history.item}
    for key in ("kl", "tokens"):
        if key in items:
            rows.setdefault(key, []).append([items["step"], items[key]])
print(json.dumps(rows))
"""


def read_trackio(folder: Path) -> dict[str, list[list[float]]]:
    with sqlite3.connect(folder / "trackio/tiny.db") as database:
        rows = database.execute("select run_name, step, metrics from metrics order by step")
        found: dict[str, list[list[float]]] = {}
        for name, step, metrics in rows:
            assert name == "full-seed1"
            for key, value in json.loads(metrics).items():
                found.setdefault(key, []).append([step, value])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("to", ["tensorboard", "wandb", "trackio"])
def test_the_real_packages_write_offline(to: str, run: Run) -> None:
    python = Path(sys.executable) if to == "trackio" else RLHF
    if not (TOOLS if to == "trackio" else RLHF).exists():
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("something is missing: make build/trackio-tools openrlhf")
    run.recorded(row(1, 0.5), row(2, 0.25, tokens=7))
    told = {**run.told(), "to": to}
    path = os.pathsep.join(map(str, (ROOT / "workflow/scripts", TOOLS)))
    environment = {**os.environ, "PYTHONPATH": path if to == "trackio" else path.split(":")[0]}

    def call(*words: str) -> str:
        done = subprocess.run(
            [str(python), *words], env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    call("-m", "limr.live.curves", json.dumps(told))
    folder = run.folder / "curves"
    if to == "trackio":
        found = read_trackio(folder)
    else:
        reader = READ_TENSORBOARD if to == "tensorboard" else READ_WANDB
        found = json.loads(call("-c", reader, str(folder)).splitlines()[-1])
    assert found["kl"] == [[1, 0.5], [2, 0.25]]
    assert found["tokens"] == [[2, 7.0]]


def test_every_tracker_of_the_schema_is_there() -> None:
    from limr.study.schema import LiveCurves

    assert LiveCurves(to=list(trackers.KINDS)).to == list(trackers.PACKAGES)
    assert METRICS.names[0] == "step"


def test_the_option_reruns_nothing_and_a_missing_package_is_said_first(
    finished: Project,
) -> None:
    study = yaml.safe_load((finished.folder / "study.yaml").read_text())
    finished.write({**study, "live_curves": {"to": ["tensorboard"]}})
    assert finished.planned() == []
    study["seeds"] = [1, 2, 3]
    finished.write({**study, "live_curves": {"to": ["tensorboard"]}})
    found = finished.run()
    assert found.returncode
    assert "the package 'tensorboard' is not installed" in found.output
    assert not (finished.folder / "results/tiny/runs/full/seed3").exists()

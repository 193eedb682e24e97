"""The GPU checks' scripts, on a CPU as far as they go there."""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import embedded_case as case
from limr.train.embedded import model as models

SCRIPTS = Path(__file__).parents[2] / "benchmarks/gpu"


def run(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPTS / script), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def load(name: str) -> Any:
    """Import a script as a module."""
    sys.path.insert(0, str(SCRIPTS))
    try:
        spec = importlib.util.spec_from_file_location(f"gpu_{name}", SCRIPTS / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(SCRIPTS))
    return module


@pytest.mark.slow
def test_the_embedded_check_compares_two_devices(tmp_path):
    words = ["--devices", "cpu,cpu", "--seeds", "2", "--steps", "2", "--warmup-steps", "2"]
    done = run("embedded.py", *words, "--output", str(tmp_path / "out.json"))
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["curves_agree"]  # a base that knows nothing is as bad with any seed
    assert [len(side["mean_curve"]) for side in found["sides"]] == [2, 2]
    assert all(side["tokens_a_second"] > 0 for side in found["sides"])


def test_curves_that_differ_do_not_agree():
    compared = load("embedded").compared

    def side(*accuracies: float) -> dict[str, Any]:
        return {"last_accuracy": list(accuracies), "tokens_a_second": 10}

    assert not compared(side(0.50, 0.51, 0.49), side(0.40, 0.41, 0.39))["curves_agree"]
    assert compared(side(0.50, 0.55, 0.45), side(0.48, 0.53, 0.43))["curves_agree"]


@pytest.mark.slow
def test_the_generation_check_measures(tmp_path):
    models.save_policy(case.policy(3, scale=1.5), case.WORDS, tmp_path / "model")
    words = ["--template", "none", "--batches", "2,5", "--tokens", "6", "--device", "cpu"]
    words += ["--model", str(tmp_path / "model"), "--output", str(tmp_path / "out.json")]
    done = run("generation.py", *words)
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "out.json").read_text())["batches"]
    assert [row["batch_size"] for row in rows] == [2, 5]
    assert all(0 < row["tokens"] <= 6 * row["batch_size"] for row in rows)


@pytest.mark.slow
def test_the_colocated_check_is_a_valid_plan(tmp_path):
    (tmp_path / "model").mkdir()
    words = ["--model", str(tmp_path / "model"), "--dry-run", "--output", str(tmp_path / "o.json")]
    done = run("colocated.py", *words)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "train_ppo                  1" in done.stdout + done.stderr


@pytest.mark.parametrize("trains", [True, False])
def test_one_call_names_every_check(tmp_path, trains):
    arguments = argparse.Namespace(
        model=tmp_path, output=tmp_path, train_python="python" if trains else None
    )
    commands = load("check").commands(arguments)
    assert list(commands) == ["tests", "embedded", "generation"] + ["colocated"] * trains
    page = (SCRIPTS.parents[1] / "docs/gpu-checks.md").read_text()
    for name, command in commands.items():
        assert f"| {name} |" in page
        assert all(Path(word).is_file() for word in command if word.startswith(str(SCRIPTS)))

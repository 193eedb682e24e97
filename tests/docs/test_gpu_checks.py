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
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
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


def options(folder: Path, **changes: Any) -> argparse.Namespace:
    given = {"model": folder, "train_python": None, "rehearse": False, **changes}
    return argparse.Namespace(**given)


@pytest.mark.parametrize("trains", [True, False])
@pytest.mark.parametrize("rehearsed", [True, False])
def test_one_call_names_every_check(tmp_path, trains, rehearsed):
    asked = options(tmp_path, train_python="python" if trains else None, rehearse=rehearsed)
    found = load("check").checks(asked, tmp_path)
    names = ["machine", "tests", "embedded", "generation"] + ["colocated"] * (trains or rehearsed)
    assert list(found) == names
    assert sum(check.minutes for check in found.values()) <= 47  # limits; half an hour is a guess
    page = (SCRIPTS.parents[1] / "docs/gpu-checks.md").read_text()
    for name, check in found.items():
        assert f"| {name} |" in page
        assert all(Path(word).is_file() for word in check.command if word.endswith(".py"))
        assert check.mend
        assert check.not_rehearsed


def test_it_stops_at_a_failure_and_goes_on_there(tmp_path):
    module, lines = load("check"), []
    broken = [sys.executable, "-c", "import sys; print('CUDA out of memory'); sys.exit(3)"]
    noted = tmp_path / "noted"
    note = f"open({str(noted)!r}, 'a').write('x'); print('1 passed')"
    first = module.Check([sys.executable, "-c", note], 1, "nothing", "nothing")
    wanted = {"first": first, "second": module.Check(broken, 1, "free some memory", "memory")}
    identity = {"commit": "c" * 40, "model": "small", "rehearsal": True}
    assert module.run(wanted, identity, tmp_path, say=lines.append) == 1
    told = "\n".join(lines)
    for part in ("CUDA out of memory", "exit code 3", "free some memory", str(tmp_path), "-c"):
        assert part in told
    assert not list(tmp_path.glob("rehearsal-*"))
    wanted["second"] = first
    assert module.run(wanted, identity, tmp_path, say=lines.append) == 0
    assert noted.read_text() == "xx"  # the first was not run again
    [at] = tmp_path.glob("rehearsal-*.json")
    kept = json.loads(at.read_text())
    assert list(kept["checks"]) == ["first", "second"]
    assert kept["commit"] == "c" * 40
    page = at.with_suffix(".md").read_text()
    assert "| first |" in page
    assert "What a CPU could not show" in page


def test_another_commit_begins_anew_and_a_slow_check_fails(tmp_path):
    module, lines = load("check"), []
    good = module.Check([sys.executable, "-c", "print(1)"], 1, "nothing", "nothing")
    slow = [sys.executable, "-c", "import time; time.sleep(30)"]
    wanted = {"good": good, "slow": module.Check(slow, 0.005, "wait", "nothing")}
    identity = {"commit": "a", "model": "small", "rehearsal": False}
    assert module.run(wanted, identity, tmp_path, say=lines.append) == 1
    assert "did not end within 0.005 minutes" in "\n".join(lines)
    lines.clear()
    assert module.run(wanted, {**identity, "commit": "b"}, tmp_path, say=lines.append) == 1
    assert not any("passed before" in line for line in lines)


@pytest.mark.long
def test_the_rehearsal_runs_to_its_last_line(tmp_path):
    done = run("check.py", "--rehearse", "--output", str(tmp_path))
    assert done.returncode == 0, done.stdout[-3000:]
    assert len(list(tmp_path.glob("rehearsal-*"))) == 2


@pytest.mark.slow
def test_without_a_gpu_the_first_check_says_so(tmp_path):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    module, lines = load("check"), []
    wanted = {"machine": module.checks(options(tmp_path), tmp_path)["machine"]}
    assert module.run(wanted, {"rehearsal": False}, tmp_path, say=lines.append) == 1
    assert "sees no CUDA device" in lines[-1]
    assert "envs/torch-cuda.lock" in lines[-1]


@pytest.fixture(scope="module")
def environment() -> Any:
    sys.path[:0] = [str(SCRIPTS.parents[1] / "tests/workflow")]
    return load("environment")


def test_packages_that_are_not_the_locks_are_named(environment, tmp_path, monkeypatch):
    lock = tmp_path / "x.lock"
    lock.write_text("numpy==1.0 \\\n    --hash=sha256:0\nopenrlhf[vllm]==0.11.2 \\\nsix==1\n")
    listed = [{"name": "NumPy", "version": "2.0"}, {"name": "openrlhf", "version": "0.11.2"}]
    second = "openrlhf 0.11.2 requires flash-attn, which is not installed.\n"
    other = "vllm 0.29.0 has requirement torch==1, but you have torch 2."
    told = {"list": json.dumps(listed), "check": second + other}
    monkeypatch.setattr(environment, "said", lambda _python, *words, **_options: told[words[2]])
    found = environment.packages(Path("python"), lock)
    assert found["locked"] == 3
    assert found["problems"] == [
        "numpy 1.0 is locked, 2.0 is installed",
        "six 1 is locked, None is installed",
        other,
    ]


def test_a_full_disk_is_refused_with_the_figure(environment, tmp_path, monkeypatch):
    monkeypatch.setattr(environment.shutil, "disk_usage", lambda _: argparse.Namespace(free=9e9))
    with pytest.raises(SystemExit, match="9 GB are free, 25 needed"):
        environment.installed(tmp_path / "x.lock", tmp_path / "e/train/bin/python", "python3")


def test_the_results_on_the_page_are_of_the_locks_and_without_a_problem(environment):
    root = SCRIPTS.parents[1]
    folder = root / "docs/gpu-environment-2026-11-28"
    page = (root / "docs/environments.md").read_text()
    for name in ("train", "evaluate"):
        found = json.loads((folder / f"{name}.json").read_text())
        assert found["problems"] == []
        assert found["imports"]["unsatisfied"] == {}
        gigabytes = found["installation"]["bytes"] / 1e9
        assert f"| `{name}` | {found['packages']['locked']} | {gigabytes:.1f} GB |" in page
        assert not any(found["kernels"].values())

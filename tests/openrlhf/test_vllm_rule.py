"""Real vLLM on a CPU, through the rules: a tiny Qwen2 is evaluated, killed half-way, resumed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest
import vllm_study as case

from limr.core import files, validation
from limr.core.random_streams import stream_seed
from limr.core.tables import EVALUATIONS, read_problems
from limr.models.interface import Decoding
from limr.models.vllm import shards
from limr.train.engines import huggingface

pytestmark = pytest.mark.slow
FOLDER = f"results/{case.STUDY}"
EVALUATION = f"{FOLDER}/evals/base/seed1/step0/few.parquet"
STATE = f"{FOLDER}/state/evaluate/base-seed1"
LOG = f"{FOLDER}/logs/evaluate/base-seed1.log"


@pytest.fixture(scope="module")
def model(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return case.tiny_model(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def done(model: Path, tmp_path_factory: pytest.TempPathFactory) -> case.VllmProject:
    """A copy in which the evaluation has run; tests must not change it."""
    folder = tmp_path_factory.mktemp("vllm") / "project"
    found = case.project(folder, case.study(model), [case.GREEDY, case.SAMPLED])
    result = found.evaluate()
    assert result.returncode == 0, result.output[-6000:]
    return found


@pytest.fixture(scope="module")
def frame(done: case.VllmProject) -> pd.DataFrame:
    return files.read_parquet(done.folder / EVALUATION, EVALUATIONS).to_pandas()


def test_a_node_without_a_gpu_is_refused_in_seconds(model, tmp_path):
    """As a user would meet it: without what lets these tests do without a GPU."""
    project = case.project(tmp_path / "project", case.study(model), [case.GREEDY])
    project.on_cpu = False
    result = project.run(f"{FOLDER}/preflight/generate.json")
    assert result.returncode != 0
    said = (project.folder / FOLDER / "logs/preflight/generate.log").read_text()
    assert "cannot run this study" in said
    assert "built without CUDA" in said or "does not work here" in said


def test_a_node_is_looked_at_before_its_jobs(model, tmp_path):
    project = case.project(tmp_path / "project", case.study(model), [case.GREEDY])
    assert f"{FOLDER}/preflight/generate.json" in project.run("--dry-run").output
    result = project.run(f"{FOLDER}/preflight/generate.json")
    assert result.returncode == 0, result.output[-3000:]
    found = json.loads((project.folder / FOLDER / "preflight/generate.json").read_text())
    assert set(found["packages"]) == {"torch", "vllm"}
    assert found["packages"]["vllm"].startswith("0.29")


def test_every_response_is_there_once(done, frame):
    assert len(frame) == case.ALL
    assert not frame.duplicated(["problem_id", "decoding", "sample"]).any()
    summary = json.loads((done.folder / EVALUATION).with_suffix(".json").read_text())
    assert summary["sha256"] == files.sha256(done.folder / EVALUATION)
    assert {name: summary[name]["n_responses"] for name in ("greedy", "sampled")} == {
        "greedy": case.PROBLEMS,
        "sampled": case.ALL - case.PROBLEMS,
    }
    assert not list((done.folder / FOLDER / "state").rglob("*.parquet"))  # nothing is left behind


def test_greedy_responses_are_those_of_transformers(done, frame):
    """Both compute in float32 on this CPU: no near-tie of this model flips between them."""
    options = validation.complete({"device": "cpu"}, huggingface.Options, "options")
    policy = huggingface.open_policy(done.folder / FOLDER / "base", options)
    problems = read_problems(done.folder / FOLDER / "problems/few.jsonl")
    seed = stream_seed(1, "evaluate", "few", "greedy")
    wanted = policy.generate([p.prompt for p in problems], Decoding(**case.GREEDY), seed)
    greedy = frame[frame.decoding == "greedy"].set_index("problem_id")
    for problem, (response,) in zip(problems, wanted, strict=True):
        row = greedy.loc[problem.problem_id]
        found = (row.response, row.response_tokens, row.truncated)
        assert found == (response.text, response.tokens, response.truncated)


def test_samples_differ_and_some_end(frame):
    sampled = frame[frame.decoding == "sampled"]
    assert sampled.response.nunique() > len(sampled) * 0.9
    assert set(sampled.truncated) == {True, False}
    cut = sampled[sampled.truncated]
    assert set(cut.response_tokens) == {case.SAMPLED["max_tokens"]}
    assert not frame.response.str.contains("<|", regex=False).any()  # no markup in a text


def _killed(project) -> dict[str, dict[int, object]]:
    """Kill an evaluation when two of its shards are there; return each decoding's responses."""
    process = subprocess.Popen(
        project.command("--nolock", *project.targets()),
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    state = project.folder / STATE
    while process.poll() is None and len(list(state.rglob("0*.json"))) < 2:
        time.sleep(0.005)
    assert process.poll() is None, "the run ended before it could be killed"
    workers = _workers(project.folder)
    assert workers
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    psutil.wait_procs(workers, timeout=60)
    assert not _workers(project.folder)  # no model outlives the job
    found = [path for path in state.rglob("*.parquet") if path.stem.isdigit()]
    kept = {path.parent.name: path.parent for path in found}
    return {name: dict(shards.Shards(folder, case.ALL).found) for name, folder in kept.items()}


@pytest.mark.long  # models/test_vllm_engine.py has it with a stand-in
def test_a_killed_job_goes_on_from_its_shards(model, done, tmp_path):
    study = case.study(model, shard=5, max_sequences=2)  # slow enough to be killed half-way
    project = case.project(tmp_path / "project", study, [case.GREEDY, case.SAMPLED])
    for _ in range(4):  # on a busy machine it may end before it is seen half-way
        before = _killed(project)
        n_kept = sum(map(len, before.values()))
        if n_kept < case.ALL:
            break
        shutil.rmtree(project.folder / STATE)
    assert 0 < n_kept < case.ALL
    result = project.evaluate()
    assert result.returncode == 0, result.output[-6000:]
    said = [line for line in (project.folder / LOG).read_text().splitlines() if "are kept" in line]
    assert sum(int(line.split()[0]) for line in said) == n_kept
    # Other shards, other batches, a kill: the same responses.
    assert files.sha256(project.folder / EVALUATION) == files.sha256(done.folder / EVALUATION)
    assert not (project.folder / STATE).exists()


def _workers(folder: Path) -> list[psutil.Process]:
    """The processes of vLLM that work on this copy's policy."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "limr.models.vllm.worker" in words and any(str(folder) in word for word in words):
            found.append(process)
    return found


def _evaluated_again(done, tmp_path, study, decodings):
    """Evaluate in another way a policy that is there, and return what was said."""
    project = case.project(tmp_path / "project", study, decodings)
    shutil.copytree(done.folder / FOLDER / "base", project.folder / FOLDER / "base")
    result = project.evaluate()
    assert result.returncode != 0
    return project, result.output


@pytest.mark.long  # models/test_vllm_engine.py has it with a stand-in
def test_a_prompt_without_room_stops_the_job_before_it_generates(model, done, tmp_path):
    long = {**case.SAMPLED, "name": "long", "max_tokens": 440}  # 512 positions
    project, _ = _evaluated_again(done, tmp_path, case.study(model), [case.GREEDY, long])
    text = (project.folder / LOG).read_text()
    assert "benchmark 'few'" in text
    assert "prompts leave no room for a response of 440 tokens in the model's 512" in text
    assert "Their ids: arithmetic-" in text
    assert "vLLM has loaded" not in text


@pytest.mark.long  # models/test_vllm_engine.py has the refusal alone
def test_more_gpus_than_there_are_is_refused_before_loading(model, done, tmp_path):
    study = case.study(model, tensor_parallel=2)
    _, said = _evaluated_again(done, tmp_path, study, [case.GREEDY])
    assert "tensor_parallel = 2, but this is vLLM's build for CPUs" in said


@pytest.mark.long  # half a minute of imports; models/test_vllm_engine.py has it with a stand-in
def test_a_vllm_that_cannot_start_says_why(model, tmp_path):
    project = case.project(tmp_path / "project", case.study(model), [case.GREEDY])
    assert project.run(f"{FOLDER}/base").returncode == 0
    weights = project.folder / FOLDER / "base/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    result = project.run(*project.targets(), "--rerun-triggers", "mtime")
    assert result.returncode != 0
    text = (project.folder / LOG).read_text()
    assert "vLLM did not start (exit code 1)" in text
    assert "vllm.log:" in text

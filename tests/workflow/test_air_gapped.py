"""A study with the network cut off: data, a model and packages from a mirror made before.

The real data (from LIMR_MIRROR, which stands in for their public addresses), the real packages of
the environment `data` (from pip's own index), and a stand-in for the hub with a tiny random model.
The cut is a network namespace of its own, in which there is only loopback.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch

import documents
from limr.core import files as io
from limr.sources import mirror as contents
from small_study import ROOT, Project, make_project

sys.path.insert(0, str(ROOT / "tests"))
import byte_tokenizer
import local_hub

pytestmark = [pytest.mark.data, pytest.mark.slow]

NAME, COMMIT = "org/tiny-llama", "89abcdef0123456789abcdef0123456789abcdef"
STUDY: dict[str, Any] = {
    "study": "gapped",
    "seeds": [1],
    "datasets": {
        "math-full": {"source": "math-full", "file": "limr_math_full", "empty_answers": "keep"}
    },
    "dataset": "math-full",
    "engine": {"train": "huggingface", "generate": "huggingface"},
    "engines": {"huggingface": {"device": "cpu", "threads": 1, "batch_size": 30}},
    "base": {"model": NAME, "revision": COMMIT, "template": "none"},
    "trajectories": {"published": {"format": "scores-json", "file": "limr_published_lim_scores"}},
    "scores": {"lim": {"selector": "lim", "trajectories": "published"}},
    "arms": {
        "base": {"train": "none"},
        "limr": {"train": "none", "score": "lim", "threshold": 0.6},
    },
    "evaluate": {
        "benchmarks": {
            "aime24": {
                "decodings": [{"name": "greedy", "samples": 1, "temperature": 0, "max_tokens": 4}]
            }
        }
    },
    "tables": {"results": {}, "subsets": {}},
    "figures": {"scores": {}},
}
LOOK = "import socket; socket.create_connection(('{}', {}), 5)"


@pytest.fixture(scope="session")
def cut() -> list[str]:
    """The words before a command that cut it off; CI must be able to, elsewhere it says so."""
    for words in (["unshare", "--net"], ["unshare", "--map-root-user", "--net"]):
        try:
            done = subprocess.run([*words, "true"], capture_output=True, check=False)
        except FileNotFoundError:
            break
        if done.returncode == 0:
            return words
    reason = "no network namespace can be made here (unshare --net)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def carried(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Path]:
    """A project and the mirror that `limr fetch` has made for its study."""
    from transformers import LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("gapped")
    hub_folder = folder / "hub"
    tokenizer = byte_tokenizer.make("<|end|>", end="<|end|>")
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=4096,
        eos_token_id=tokenizer.eos_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(hub_folder)
    tokenizer.save_pretrained(hub_folder)
    project = make_project(folder / "project")
    project.write(STUDY)
    made = folder / "mirror"
    with local_hub.serving(hub_folder, NAME, COMMIT) as hub:
        environment = {
            **project.environment,
            "LIMR_MIRROR": str(mirror),
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(folder / "home"),
            "NO_PROXY": "127.0.0.1",
        }
        words = [sys.executable, "-m", "limr", "fetch", str(made), "study.yaml"]
        done = subprocess.run(
            [*words, "--environment", "data"],
            cwd=project.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return project, made


def run(
    cut: Sequence[str], project: Project, made: Path, *words: str
) -> subprocess.CompletedProcess[str]:
    """Run a command cut off from the network, with the variables of docs/air-gapped.md."""
    environment = {
        **project.environment,
        "LIMR_MIRROR": str(made),
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(project.folder / "empty"),
    }
    return subprocess.run(
        [*cut, *words],
        cwd=project.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_cut_is_a_cut(cut, carried):
    project, made = carried
    with local_hub.serving(made, NAME, COMMIT) as hub:
        look = LOOK.format("127.0.0.1", hub.server_port)
        assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
        assert run(cut, project, made, sys.executable, "-c", look).returncode != 0
    done = run(cut, project, made, sys.executable, "-c", LOOK.format("192.0.2.1", 443))
    assert "Network is unreachable" in done.stderr


def test_the_mirror_is_whole(cut, carried):
    project, made = carried
    check = run(cut, project, made, sys.executable, "-m", "limr", "fetch", "--check", str(made))
    assert check.returncode == 0, check.stderr
    listed = contents.read(made)
    files = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
    assert files - {"SHA256SUMS", ".fetch.lock"} == set(listed)
    kinds = {path.split("/")[0] for path in listed}
    assert kinds == {"limr", "models", "packages"}


def test_a_second_fetch_needs_no_network_and_changes_nothing(cut, carried):
    project, made = carried
    before = {path: path.stat().st_mtime_ns for path in made.rglob("*") if path.name[0] != "."}
    words = ["-m", "limr", "fetch", str(made), "study.yaml", "--environment", "data"]
    done = run(cut, project, made, sys.executable, *words)
    assert (done.returncode, done.stderr) == (0, "Nothing to do.\n")
    after = {path: path.stat().st_mtime_ns for path in made.rglob("*") if path.name[0] != "."}
    assert after == before


@pytest.mark.parametrize(
    "page", ["air-gapped.md", pytest.param("environments.md", marks=pytest.mark.long)]
)
def test_an_environment_is_made_and_used(cut, carried, tmp_path, page):
    """By the page's own lines; what is then imported is the environment's own."""
    project, made = carried
    envs = tmp_path / "envs"
    envs.symlink_to(project.folder / "envs")

    def call(words, folder, environment):
        return subprocess.run(
            [*cut, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )

    environment = {
        **{key: value for key, value in project.environment.items() if key[:4] != "PIP_"},
        "LIMR_MIRROR": str(made),
    }
    if (
        page == "environments.md"
    ):  # which has a network, where it is read: here the mirror stands in
        environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(made / "packages")}
    blocks = documents.blocks(ROOT / "docs" / page)
    [block] = [block for block in blocks if "data-environment/bin/python -m pip" in block.text]
    bare = documents.Terminal(
        tmp_path, environment | {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}, call
    )
    lines = [line for line in block.text.splitlines(keepends=True) if "export" not in line]
    assert bare.run("".join(lines)).returncode != 0  # packages come from nowhere else
    documents.run(block, documents.Terminal(tmp_path, environment, call))
    python = str(tmp_path / "data-environment/bin/python")
    rows = [{"gold": "1/2", "response": f"So it is \\boxed{{{x}}}."} for x in ("\\frac{3}{6}", "2")]
    io.write_jsonl(tmp_path / "responses.jsonl", rows)
    words = ["grade", str(tmp_path / "responses.jsonl"), "--output", str(tmp_path / "graded.jsonl")]
    done = run(cut, project, made, python, "-m", "limr", *words)
    assert done.returncode == 0, done.stderr
    verdicts = [row["verdict"] for row in io.read_jsonl(tmp_path / "graded.jsonl")]
    assert verdicts == ["correct", "incorrect"]
    look = "import math_verify, pandas, sys; print(math_verify.__file__, pandas.__file__)"
    found = run(cut, project, made, python, "-c", look).stdout.split()
    assert len(found) == 2
    assert all(Path(path).is_relative_to(tmp_path / "data-environment") for path in found)


def test_a_study_runs_on_the_real_data(cut, carried):
    project, made = carried
    without = run(cut, project, project.folder, *project.command())
    assert without.returncode != 0
    assert "the mirror lacks" in without.stdout + without.stderr
    done = run(cut, project, made, *project.command())
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    results = project.folder / "results/gapped"
    assert len(io.read_jsonl(results / "problems/math-full.jsonl")) == 8523
    assert len(io.read_jsonl(results / "subsets/limr.jsonl")) == 1389
    assert io.read_json(results / "base/limr.json")["revision"] == COMMIT
    rows = pd.read_parquet(results / "collected/evaluations.parquet")
    assert len(rows[rows["benchmark"] == "aime24"]) == 30
    assert (results / "report.html").stat().st_size > 100_000

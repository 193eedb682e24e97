"""The paper's two fine-tuned arms, end to end on small files of LIMO's and s1K's shapes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from limr.core import files
from limr.problems import arithmetic
from limr.sources import pinned
from small_study import Project, little


def stand_ins(mirror: Path, prompts: list[str]) -> None:
    """Write worked solutions in each of the two formats."""
    solved = [(prompt, arithmetic.solution(prompt)) for prompt in prompts]
    limo = [{"instruction": q, "input": "", "output": text} for q, text in solved]
    s1k = [
        {"question": q, "thinking_trajectories": [text], "attempt": text, "cot_type": "math"}
        for q, text in solved
    ]
    (mirror / "limo").mkdir(parents=True)
    (mirror / "s1k").mkdir()
    (mirror / "limo/limo.json").write_text(json.dumps(limo))
    pq.write_table(pa.Table.from_pylist(s1k), mirror / "s1k/train-00000-of-00001.parquet")


def pin(project: Path, mirror: Path) -> None:
    """Make the stand-in for LIMO the pinned blob."""
    path = project / "config/sources.yaml"
    sources = yaml.safe_load(path.read_text())
    sources["limo"]["git_blob"] = pinned.git_blob(mirror / "limo/limo.json")
    path.write_text(yaml.safe_dump(sources))


def with_arms(study: dict[str, Any], solution: str | list[str]) -> dict[str, Any]:
    """Return a small study with the paper's data sets, scores and arms of fine-tuning.

    `solution`: which columns of s1K's stand-in are its solutions.
    """
    papers = yaml.safe_load((Path(__file__).parents[2] / "config/config.yaml").read_text())
    few: dict[str, Any] = {"sft": {"steps": 2, "batch_size": 8}, "evaluate_steps": [2]}
    for section, names in (
        ("datasets", ("limo", "s1k")),
        ("scores", ("all-limo", "all-s1k")),
        ("arms", ("limo-sft", "s1-sft")),
    ):
        for name in names:
            changes = few if section == "arms" else {}
            study[section] = {**study[section], name: {**papers[section][name], **changes}}
    study["datasets"]["s1k"]["solution"] = solution
    return study


@pytest.mark.slow
def test_limo_and_s1_are_fetched_locked_and_trained_on(
    finished_little: Project, tmp_path: Path
) -> None:
    folder, mirror = tmp_path / "project", tmp_path / "mirror"
    shutil.copytree(finished_little.folder, folder, symlinks=True, copy_function=shutil.copy2)
    project = Project(folder)
    rows = files.read_jsonl(folder / "results/tiny/problems/arithmetic.jsonl")
    prompts = [row["prompt"] for row in rows[:16]]
    stand_ins(mirror, prompts)
    pin(project.folder, mirror)
    # The embedded model knows no line break, by which two columns are joined.
    project.write(with_arms(little(), solution="thinking_trajectories"))
    policies = [f"results/tiny/runs/{arm}-sft/seed1/policy/step2" for arm in ("limo", "s1")]
    done = project.run(*policies, mirror=mirror)
    assert done.returncode == 0, done.output[-3000:]
    assert all((folder / path / "model.safetensors").is_file() for path in policies)
    locked = yaml.safe_load((folder / "config/sources.lock.yaml").read_text())
    assert sorted(locked) == ["limo", "s1k"]
    log = (folder / "results/tiny/logs/fetch_source/s1k.log").read_text()
    assert "s1k: first use" in log
    first = json.loads((folder / "results/tiny/solutions/s1k.jsonl").read_text().splitlines()[0])
    text = arithmetic.solution(prompts[0])
    assert first == {"problem_id": "s1k-1", "solution": text}
    assert project.planned(*policies) == []  # that there is a lock now reruns nothing

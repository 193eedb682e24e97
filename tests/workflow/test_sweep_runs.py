"""A sweep through Snakemake: killed, it goes on; a cell has the bytes of its arm run alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from small_study import Project, little

pytestmark = pytest.mark.slow
CELL = "hard0_25"
POOL = {"source": "arithmetic", "problems": 24, "seed": 5, "levels": [1]}


def study() -> dict[str, Any]:
    """Two runs of two steps, `limr` scored from `full`; the base is the kept one."""
    found = little()
    short = {"ppo": {"steps": 2}, "evaluate_steps": [2]}
    found["arms"] = {
        "full": {"train": "ppo", "score": "everything", **short},
        "limr": {"train": "ppo", "score": "lim", "size": 12, **short},
    }
    found["tables"], found["figures"] = {"results": {}}, {}
    return found


def swept(*values: float) -> dict[str, Any]:
    axis = {"set": "datasets.arithmetic.ungradable", "to": list(values)}
    return {**study(), "sweep": {"hard": axis}}


def by_hand() -> dict[str, Any]:
    """One cell of it, spelled out."""
    found = study()
    found["dataset"] = f"arithmetic-{CELL}"
    found["datasets"] = {found["dataset"]: {**POOL, "ungradable": 0.25}}
    full, limr = found["arms"]["full"], found["arms"]["limr"]
    curves = {**found["trajectories"]["full"], "arm": f"full-{CELL}"}
    found["trajectories"] = {f"full-{CELL}": curves}
    lim = {**found["scores"]["lim"], "trajectories": f"full-{CELL}"}
    found["scores"] = {f"lim-{CELL}": lim, f"everything-{CELL}": found["scores"]["everything"]}
    found["arms"] = {
        f"full-{CELL}": {**full, "score": f"everything-{CELL}"},
        f"limr-{CELL}": {**limr, "score": f"lim-{CELL}"},
    }
    return found


def copied(project: Project, folder: Path) -> Project:
    shutil.copytree(project.folder, folder, symlinks=True, copy_function=shutil.copy2)
    return Project(folder)


def test_a_killed_sweep_goes_on_and_a_cell_is_its_arm_run_alone(
    finished_little: Project, tmp_path: Path
) -> None:
    project = copied(finished_little, tmp_path / "sweep")
    base = project.digests()["base/model.safetensors"]
    project.write(swept(0, 0.25))
    project.finish(f"results/tiny/subsets/full-{CELL}.jsonl")
    project.kill_when(f"tiny/state/full-{CELL}-seed1/*")
    assert not (project.folder / f"results/tiny/runs/full-{CELL}/seed1/run.json").exists()
    project.finish("--nolock")
    assert project.planned() == []

    alone = copied(finished_little, tmp_path / "alone")
    alone.write(by_hand())
    places = (f"{arm}-{CELL}/seed1/step2/arithmetic-easy.json" for arm in ("full", "limr"))
    alone.finish(*(f"results/tiny/evals/{place}" for place in places))
    cells = {path: digest for path, digest in project.digests().items() if CELL in path}
    theirs = {path: digest for path, digest in alone.digests().items() if CELL in path}
    assert len(cells) > 20
    assert cells == theirs
    assert project.digests()["base/model.safetensors"] == base

    project.write(swept(0, 0.5, 0.25))  # one more value: its cells, and what shows all of them
    planned = project.planned()
    new = {job for job in planned if "0_5" in job}
    assert set(planned) - new == {
        *("Collect the evaluations", "Collect the training metrics"),
        *("Make the report", "Make the tables"),
    }
    assert {"Train full-hard0_5 by PPO, seed 1", "Evaluate limr-hard0_5, seed 1"} < new

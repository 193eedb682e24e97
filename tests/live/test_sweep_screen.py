"""A sweep on the screen: every run is counted once, in as many rows as there is room for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from limr.live import grid, screen
from limr.live.progress import Progress
from limr.study.load import load
from limr.study.study import Study


@pytest.fixture
def study(tiny: dict[str, Any], root: Path, tmp_path: Path, monkeypatch: Any) -> Study:
    """Three axes; `base` has none of them, `full` has two, random draws are one cell."""
    monkeypatch.chdir(tmp_path)
    tiny["arms"] = {name: tiny["arms"][name] for name in ("base", "full", "limr", "rand")}
    tiny["sweep"] = {
        "hard": {"set": "datasets.arithmetic.ungradable", "to": [0, 0.25, 0.5]},
        "samples": {"set": "arms.*.ppo.samples_per_prompt", "to": [2, 4]},
        "size": {"set": "arms.rand.size", "to": [4, 8, 12]},
    }
    return load(tiny, "study.yaml", root / "config/benchmarks")


@pytest.mark.parametrize(("room", "rows"), [(100, 3 * (2 + 2 + 2) + 1), (15, 10), (9, 4), (1, 4)])
def test_every_run_is_counted_once_whatever_the_room(study: Study, room: int, rows: int) -> None:
    states = {(name, str(seed)): "." for name in study.arms for seed in study.seeds}
    done = [key for place, key in enumerate(states) if place % 3 == 0]
    states |= dict.fromkeys(done, "done")
    found = grid.grid(study, states, room)
    assert len(found.rows) == rows
    counts = [count for _, row in found.rows for count in row]
    assert sum(count.runs for count in counts) == len(states)
    assert sum(count.done for count in counts) == len(done)
    for label, row in found.rows:
        arm, *cell = label.split("  ")
        wanted = [
            study.arms[name].cell.get("size")
            for name, _ in states
            if (study.arms[name].of or name) == arm
            and all(f"{axis} {study.arms[name].cell[axis]}" == one
                    for axis, one in zip(study.axes, cell, strict=False))
        ]  # fmt: skip
        heads = {"": None, "size 4": 4, "size 8": 8, "size 12": 12}
        assert [count.runs for count in row] == [wanted.count(heads[head]) for head in found.head]


def test_what_a_cell_says(study: Study) -> None:
    arms = [name for name, arm in study.arms.items() if arm.cell == {"hard": 0, "samples": 2}]
    assert arms == ["full-hard0-samples2", "limr-hard0-samples2"]
    states = {(name, str(seed)): "." for name in study.arms for seed in study.seeds}
    states["full-hard0-samples2", "1"] = "done"
    states["full-hard0-samples2", "2"] = "3/6"
    states["rand-hard0-samples2-size8-2", "2"] = "failed"
    rows = dict(grid.grid(study, states, 100).rows)
    own = rows["full  hard 0  samples 2"][0]
    assert (own.text, own.style) == ("1/2 •", "")
    failed = rows["rand  hard 0  samples 2"][2]
    assert (failed.text, failed.style) == ("0/4 1 failed", "bold red")
    assert [count.text for count in rows["base"]] == ["0/2", "", "", ""]


def test_files_of_finished_runs_are_looked_at_once(study: Study, tmp_path: Path) -> None:
    name, done = "full-hard0-samples2", set[tuple[str, str]]()
    files = [study.paths.run_record(name, 1)]
    files += [study.paths.evaluation_record(name, 1, at, b) for at, b in study.places([3, 6])]
    for path in map(Path, files):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert screen.cells(study, Progress(), done)[name, "1"] == "done"
    assert done == {(name, "1")}
    Path(files[0]).unlink()
    assert screen.cells(study, Progress(), done)[name, "1"] == "done"
    assert screen.cells(study, Progress())[name, "1"] == "."
    again = Progress()
    again.take({"event": "start", "id": 1, "time": 0.0, "rule": "train_ppo", "message": "",
                "log": [], "wildcards": {"arm": name, "seed": "1"}})  # fmt: skip
    assert screen.cells(study, again, done)[name, "1"] == "trains"
    assert done == set()

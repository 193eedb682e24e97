"""The plan of a sweep: what its grid costs, and which arms of a cell can be told apart."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from limr import __main__ as command_line
from limr.plan import detectable, grid, grid_text
from limr.plan.counts import Counts
from limr.statistics import power
from limr.study.load import load
from limr.study.study import Study

SEEDS = [1, 2, 3]


@pytest.fixture
def study(tiny: dict[str, Any], root: Path) -> Study:
    """`full` has no size; `rand` has two draws."""
    tiny["seeds"] = SEEDS
    tiny["arms"] = {name: tiny["arms"][name] for name in ("base", "full", "limr", "rand")}
    tiny["arms"]["limr"] = {"train": "ppo", "score": "lim", "size": 5}
    tiny["sweep"] = {
        "pool": {"set": "datasets.arithmetic.problems", "to": [12, 24]},
        "size": {"set": ["arms.limr.size", "arms.rand.size"], "to": [4, 12]},
    }
    return load(tiny, "study.yaml", root / "config/benchmarks")


def planned(study: Study, folder: Path) -> dict[str, Any]:
    found = grid.plan(study, Counts(study, folder, {}, {}), [], None)
    assert found is not None
    return found


def row(found: dict[str, Any], what: str) -> dict[str, Any]:
    [own] = [row for row in found["rows"] if row["what"] == what]
    return dict(own)


def test_runs_and_rollouts_by_arm_and_by_value(study: Study, tmp_path: Path) -> None:
    found = planned(study, tmp_path)
    assert found["cells"] == 4
    step = {4: 4 * 4, 12: 8 * 4}  # a subset smaller than a batch of 8 is one batch; 4 samples
    sizes = 6 * (step[4] + step[12]) * len(SEEDS)  # 6 steps
    assert row(found, "full") == {"what": "full", "arms": 2, "runs": 6, "to_do": 6,
                                  "rollouts": 2 * 6 * 32 * 3, "hours": None}  # fmt: skip
    assert row(found, "limr")["rollouts"] == 2 * sizes
    assert row(found, "rand")["rollouts"] == 2 * 2 * sizes
    assert row(found, "size = 4")["arms"] == 2 * (1 + 2)
    assert row(found, "pool = 12")["runs"] == 3 * (1 + 2 + 2 * 2)
    every = row(found, "all")
    assert every["rollouts"] == sum(
        row(found, name)["rollouts"] for name in ("full", "limr", "rand")
    )
    assert every["rollouts"] == sum(row(found, f"pool = {n}")["rollouts"] for n in (12, 24))


def test_hours_are_those_of_finished_runs(study: Study, tmp_path: Path) -> None:
    """So many seconds of a core for a rollout, and only for what is left."""
    for rule, seconds in (("train_ppo", 30.0), ("evaluate", 8.4)):
        path = tmp_path / f"benchmarks/{rule}/full-pool12-seed1.tsv"
        path.parent.mkdir(parents=True)
        path.write_text(f"s\th:m:s\n{seconds}\t0:00:01\n")
    record = tmp_path / "runs/full-pool12/seed1/run.json"
    record.parent.mkdir(parents=True)
    record.touch()
    found = planned(study, tmp_path)
    assert row(found, "full")["to_do"] == 5
    assert row(found, "full")["hours"] == pytest.approx(5 * 38.4 / 3600, rel=0.01)
    assert row(found, "all")["hours"] == pytest.approx(
        (row(found, "all")["rollouts"] - 192) * 0.2 / 3600, rel=0.01
    )


def test_what_a_cell_can_show_is_the_designs(study: Study, tmp_path: Path) -> None:
    pairs = {tuple(pair["pair"]): pair for pair in planned(study, tmp_path)["pairs"]}
    marks = {"arithmetic-easy": power.Benchmark(120, 4, 0.5),
             "arithmetic-hard": power.Benchmark(90, 4, 0.5)}  # fmt: skip
    design = power.design(marks, len(SEEDS), (1, 2))
    found = pairs["limr", "rand"]
    assert found["points"] == pytest.approx(100 * power.detectable(design), abs=0.01)
    corrected = 100 * power.detectable(design, 1 - 0.05 / 4)
    assert found["every_cell"] == pytest.approx(corrected, abs=0.01)
    assert found["points"] < found["two_cells"] < 2 * found["points"]
    assert pairs["full", "limr"]["axes"] == ["pool", "size"]


def test_a_difference_between_two_cells_needs_the_variance_of_both(
    study: Study, tmp_path: Path
) -> None:
    """Checked against draws: two differences of equal variance, their sum's spread."""
    design = detectable.of(study, Counts(study, tmp_path, {}, {}), None)
    assert design is not None
    single = power.design(design.benchmarks, 3, (1, 1), design.assumed)
    spread = np.sqrt(single.question_variance + sum(one.raw - one.noise for one in single.runs))
    draws = np.random.default_rng(0).normal(0, spread, (2, 200_000))
    assert (draws[0] - draws[1]).std() == pytest.approx(np.sqrt(2) * spread, rel=0.01)
    many = design.points(400, cells=2) / design.points(400)  # where widths are known
    assert many == pytest.approx(np.sqrt(2), rel=0.02)


def test_the_problems_that_one_arm_has_and_the_other_lacks(study: Study, tmp_path: Path) -> None:
    """Against subsets that are drawn: of equal size at random, and of the whole pool."""
    pairs = {tuple(pair["pair"]): pair for pair in planned(study, tmp_path)["pairs"]}
    rng = np.random.default_rng(1)
    for names in (("limr", "rand"), ("full", "rand"), ("full", "limr")):
        for one in pairs[names]["cells"]:
            pool, size = one["cell"]["pool"], one["cell"]["size"]
            first = set(range(pool if names[0] == "full" else size))
            lacking = [
                len(first - set(rng.permutation(pool)[:size].tolist())) / len(first)
                for _ in range(2000)
            ]
            assert one["lacking"] == pytest.approx(np.mean(lacking), abs=0.02)
    text = "\n".join(grid_text.lines(planned(study, tmp_path)))
    assert "1 of 4 cells cannot be told apart: both arms have the same problems" in text
    [head, small, large] = text.split("to lack:\n")[1].splitlines()[:3]
    assert (head.split(), small.split(), large.split()) == (
        ["pool", "size", "4", "size", "12"],
        ["12", "67%", "0%"],
        ["24", "83%", "50%"],
    )


def test_the_spread_of_finished_runs_is_taken(study: Study, tmp_path: Path) -> None:
    """Accuracies with a known spread between runs, and the luck that each has besides."""
    counts = Counts(study, tmp_path, {}, {})
    assert not detectable.of(study, counts, None).run_measured  # type: ignore[union-attr]
    rng, spread, found = np.random.default_rng(2), 0.04, []
    for _repeat in range(8):
        for arm, seed in study.runs:
            mean = rng.normal(0.6, spread)
            for name, n in (("arithmetic-easy", 120), ("arithmetic-hard", 90)):
                luck = 0.05**2 + 0.5 * 0.6 * 0.4 / 4  # of a question: a habit, four responses
                record = {"sampled": {"accuracy": rng.normal(mean, np.sqrt(luck / n))}}
                path = tmp_path / f"evals/{arm}/seed{seed}/step6/{name}.json"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps(record))
        design = detectable.of(study, counts, None)
        assert design is not None
        assert design.run_measured
        found.append(design.assumed)
    assert np.mean([one.accuracy for one in found]) == pytest.approx(0.6, abs=0.01)
    assert np.mean([one.run**2 for one in found]) == pytest.approx(spread**2, rel=0.3)


def test_the_shipped_map_costs_what_its_header_says_in_few_lines(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(root)
    path = "config/map-single-node.yaml"
    assert command_line.main(["plan", path]) == 0
    text = capsys.readouterr().out
    low, central, high = re.findall(r"^GPU hours: (\S+) / (\S+) / (\S+);", text, re.M)[0]
    assert f"{central} GPU hours of an H100 ({low} to {high})" in Path(path).read_text()
    assert len(text.splitlines()) < 120  # of 61 arms with 65 runs
    assert "limr - rand" in text
    assert re.search(r"^size = 4096 +3 +15 +15 ", text, re.M)
    assert "limr-size512-samples8 and 3 more" in text

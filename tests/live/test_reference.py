"""The studies that limr brings: kernels of the processor, and whether results are the reference."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from limr.core import files
from limr.live import reference
from limr.study.load import load as load_study
from limr.study.study import Study
from limr.train.embedded import portable

DEMO = "config/demo.yaml"


@pytest.fixture
def demo(root: Path) -> Study:
    return load_study(files.read_yaml(root / DEMO), DEMO, root / "config/benchmarks")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = []
    for name in ("base", "score"):
        path = tmp_path / "results/little" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        rows.append(f"{hashlib.sha256(name.encode()).hexdigest()}  results/little/{name}\n")
    listed = tmp_path / "docs/little-2026-11-28/results.sha256"
    listed.parent.mkdir(parents=True)
    listed.write_text("".join(rows))
    return tmp_path


def test_the_reference_is_recognised(here: Path) -> None:
    said = reference.compared("little", here / "docs")
    assert said == [
        "Your little is the reference, to the byte: all 2 files of "
        "docs/little-2026-11-28/results.sha256."
    ]


def test_the_first_file_that_differs_is_named(here: Path) -> None:
    (here / "results/little/score").write_text("another")
    [said] = reference.compared("little", here / "docs")
    assert "not the reference" in said
    assert "results/little/score is the first of 1 files that differ" in said


@pytest.mark.parametrize("study", ["little", "unknown"])
def test_nothing_is_said_of_what_cannot_be_compared(here: Path, study: str) -> None:
    (here / "results/little/score").unlink()
    assert reference.compared(study, here / "docs") == []


def test_the_demo_has_a_reference(root: Path) -> None:
    [listed] = (root / "docs").glob("demo-*/results.sha256")
    assert all(" results/demo/" in row for row in listed.read_text().splitlines())


def test_a_processor_without_avx2_runs_the_demo_with_its_own_kernels(
    demo: Study, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: object
) -> None:
    paths = [root / DEMO]
    assert reference.kernels(demo, paths) == [] or portable.lacking()
    monkeypatch.setattr(portable, "_features", dict)
    option, text = reference.kernels(demo, paths)
    assert option == "--config"
    assert "no AVX2 and no FMA3: the study runs with" in capsys.readouterr().err  # type: ignore[attr-defined]
    key, value = text.split("=", 1)
    config = files.read_yaml(root / DEMO)
    update_config(config, {key: yaml.safe_load(value)})  # as Snakemake reads it
    again = load_study(config, DEMO, root / "config/benchmarks")
    changed = demo.engine_options("train") | {"determinism": "machine"}
    assert again.engine_options("train") == changed
    mine = tmp_path / "study.yaml"
    assert reference.kernels(demo, [mine]) == []  # one's own study is refused by its jobs

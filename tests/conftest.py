"""What all tests share: the real data, where a mirror is configured, and small studies."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder of real data files; CI must have it, elsewhere its tests are skipped aloud."""
    configured = os.environ.get("LIMR_MIRROR")
    if configured and Path(configured).is_dir():
        return Path(configured)
    if os.environ.get("CI"):
        pytest.fail("LIMR_MIRROR must name the folder of real data files in CI")
    pytest.skip("LIMR_MIRROR is not set: the tests on the real data do not run")

"""Plug-ins: large packages are imported without the garbage collector, which is on again then."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from limr.core.plugins import heavy_imports


def test_the_collector_is_off_meanwhile_and_spared_what_was_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "heavy_for_a_test.py").write_text("import gc\nOFF = not gc.isenabled()\n")
    monkeypatch.syspath_prepend(tmp_path)
    before = gc.get_freeze_count()
    try:
        with heavy_imports():
            import heavy_for_a_test  # type: ignore[import-not-found]
        assert heavy_for_a_test.OFF
        assert gc.isenabled()
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
        sys.modules.pop("heavy_for_a_test", None)


def test_a_second_time_it_freezes_nothing() -> None:
    """Garbage of a long process would never be looked at again."""
    before = gc.get_freeze_count()
    with heavy_imports():
        import json  # noqa: F401
    assert gc.get_freeze_count() == before
    assert gc.isenabled()


def test_after_a_failure_and_where_it_was_off() -> None:
    with pytest.raises(ModuleNotFoundError), heavy_imports():
        import no_such_package_at_all  # type: ignore[import-not-found]  # noqa: F401
    assert gc.isenabled()
    gc.disable()
    try:
        with heavy_imports():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_job_looks_for_no_garbage_among_its_imports(tmp_path: Path) -> None:
    script = (
        "import gc\nfrom limr.core.job_log import logged\n"
        "for _ in range(2):\n    with logged('log'):\n        print(gc.get_freeze_count())\n"
        "    made = [[] for _ in range(5000)]\n"
    )
    words = [sys.executable, "-c", script]
    first, second = map(int, subprocess.check_output(words, cwd=tmp_path, text=True).split())
    assert first > 1000
    assert second <= first  # once: garbage of a long process would never be looked at again

"""Locks that a killed build has left behind do not hang a later run."""

from __future__ import annotations

import os
import time
from pathlib import Path

from limr.train.openrlhf import builds


def lock(folder: Path, age: float) -> Path:
    folder.mkdir(parents=True)
    path = folder / "lock"
    path.touch()
    os.utime(path, (time.time() - age, time.time() - age))
    return path


def test_old_locks_go_and_young_ones_stay(tmp_path):
    old = lock(tmp_path / "py311_cpu/fused_adam", builds.OLD + 60)
    flat = lock(tmp_path / "cpu_adam", builds.OLD + 60)
    young = lock(tmp_path / "py311_cpu/comm", 60)
    other = old.with_name("fused_adam.so")
    other.touch()
    assert sorted(builds.remove_old_locks(tmp_path, time.time())) == sorted([old, flat])
    assert young.exists()
    assert other.exists()
    assert builds.remove_old_locks(tmp_path / "none", time.time()) == []


def test_they_are_looked_for_where_pytorch_builds(tmp_path, monkeypatch):
    from torch.utils import cpp_extension

    monkeypatch.delenv("TORCH_EXTENSIONS_DIR", raising=False)
    for cache in (None, str(tmp_path)):
        if cache:
            monkeypatch.setenv("XDG_CACHE_HOME", cache)
        assert str(builds.root(os.environ)) == cpp_extension.get_default_build_root()
    assert builds.root({"TORCH_EXTENSIONS_DIR": "/x"}) == Path("/x")


def test_watching_starts_with_a_look(tmp_path, capsys):
    old = lock(tmp_path / "fused_adam", builds.OLD + 60)
    builds.watch({"TORCH_EXTENSIONS_DIR": str(tmp_path)})
    assert not old.exists()
    assert "left behind by a build that was killed" in capsys.readouterr().err

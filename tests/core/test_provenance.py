"""Digests of code: exactly the modules that a script uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from limr.core import provenance


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """A library of four modules: script -> a -> b; c is loaded by name, d is unused."""
    library = tmp_path / "limr"
    library.mkdir()
    (library / "__init__.py").write_text("")
    (tmp_path / "work.py").write_text("from limr import a\n")
    (library / "a.py").write_text("def f():\n    from limr.b import g\n")
    for name in "bcd":
        (library / f"{name}.py").write_text(f"{name} = 1\n")
    return tmp_path


def digest(scripts: Path) -> str:
    provenance._imports.cache_clear()
    provenance._file_digest.cache_clear()
    return provenance.code_digest("work", ["limr.c"], scripts)


@pytest.mark.parametrize(
    ("module", "changes"), [("a", True), ("b", True), ("c", True), ("d", False)]
)
def test_an_edit_changes_the_digest_of_those_who_use_it(
    module: str, changes: bool, scripts: Path
) -> None:
    before = digest(scripts)
    (scripts / "limr" / f"{module}.py").write_text("edited = 2\n")
    assert (digest(scripts) != before) == changes


def test_touching_and_copying_change_nothing(scripts: Path) -> None:
    before = digest(scripts)
    path = scripts / "limr" / "a.py"
    path.write_bytes(path.read_bytes())
    assert digest(scripts) == before


def test_a_digest_of_settings_ignores_the_order_of_keys() -> None:
    assert provenance.digest({"a": 1, "b": 2}) == provenance.digest({"b": 2, "a": 1})
    assert provenance.digest({"a": 1}) != provenance.digest({"a": 2})

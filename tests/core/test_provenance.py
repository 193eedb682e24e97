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


def test_imports_that_are_read_line_by_line_are_those_that_python_finds() -> None:
    for path in sorted(provenance.SCRIPTS.rglob("*.py")):
        expected = provenance._parsed_imports(path.read_text(encoding="utf-8"))
        assert provenance._imports(path) == expected, path


@pytest.mark.parametrize(
    "text",
    [
        "from limr.a import (\n    b,\n    c as d,\n)\n",
        "from limr.a import (  # a ) in a comment\n    b,\n)\nfrom limr import c\n",
        "if True: from limr.a import b\n",
        "import os, limr.a\nimport limr.b as c\n",
        "from limr.a import b; from limr import c\n",
        "from limr.a \\\n    import b\n",
        '"""Says: from limr.x import y"""\nfrom limr.a import b\n',
        "from os import path\nfrom limrs import a\n",
        "",
    ],
)
def test_imports_however_they_are_written(text: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(text)
    assert provenance._imports(path) == provenance._parsed_imports(text)

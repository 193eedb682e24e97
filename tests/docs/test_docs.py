"""Pages that are made from the code are current, and the repository speaks of itself alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from limr.core import plugins
from limr.study import reference


def test_the_configuration_page_is_current(root: Path) -> None:
    assert (root / "config/README.md").read_text() == reference.page()


def test_every_plugin_is_on_the_configuration_page(root: Path) -> None:
    page = (root / "config/README.md").read_text()
    for kind in plugins.PACKAGES:
        for name in plugins.names(kind):
            assert f"**`{name}`**" in page, f"{kind}/{name}"


@pytest.mark.slow
def test_the_rule_graph_in_the_design_is_current(root: Path) -> None:
    command = [sys.executable, "-m", "snakemake", "--configfile", "config/demo.yaml"]
    done = subprocess.run(
        [*command, "--forceall", "--rulegraph", "mermaid-js"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert edges(done.stdout)
    assert edges(done.stdout) == edges((root / "docs/rule-graph.md").read_text())


def edges(mermaid: str) -> set[tuple[str, str]]:
    """Return the graph's edges by rule names; ids and order differ from run to run."""
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", mermaid))
    return {(names[a], names[b]) for a, b in re.findall(r"(id\d+) --> (id\d+)", mermaid)}


def test_the_rooms_in_the_pages_are_the_folders(root: Path) -> None:
    """Both pictures name every room once; the design says what each does."""
    rooms = {path.parent.name for path in (root / "workflow/scripts/limr").glob("*/__init__.py")}
    for page in ("README.md", "docs/design.md"):
        text = (root / page).read_text()
        picture = next(part for part in text.split("```") if part.startswith("text\ncli"))
        drawn = [re.findall(r"[a-z]+", line[:50]) for line in picture.splitlines()[1:]]
        assert sorted(name for line in drawn for name in line) == sorted(rooms), page
    said = (root / "docs/design.md").read_text()
    assert set(re.findall(r"^\| `([a-z]+)` \|", said, re.MULTILINE)) == rooms


def test_the_readme_is_short(root: Path) -> None:
    assert len((root / "README.md").read_text().splitlines()) < 100


def test_every_file_that_a_page_names_is_there(root: Path) -> None:
    """Python files in backquotes, from the repository's root, the library's, or its parent."""
    places = (root, root / "workflow/scripts", root / "workflow/scripts/limr")
    wrong = []
    for page in [root / "README.md", *(root / "docs").glob("*.md")]:
        for name in re.findall(r"`((?:[\w-]+/)+\w+\.py)`", page.read_text()):
            if not any((place / name).exists() for place in places):
                wrong.append((page.name, name))
    assert not wrong


def test_every_rule_has_its_script_and_its_directives(root: Path) -> None:
    scripts = {path.stem for path in (root / "workflow/scripts").glob("*.py")}
    for path in (root / "workflow/rules").glob("*.smk"):
        for name, body in re.findall(r"^rule (\w+):\n((?:    .*\n|\n)+)", path.read_text(), re.M):
            assert name in scripts
            for directive in ("output", "log", "benchmark", "conda", "params", "message", "script"):
                assert f"    {directive}:" in body, f"{name} lacks {directive}"
            assert "code=" in body, f"{name} lacks the digest of its code"
            assert f'"../scripts/{name}.py"' in body


def test_scripts_are_flat_and_short(root: Path) -> None:
    for path in (root / "workflow/scripts").glob("*.py"):
        text = path.read_text()
        assert len(text.splitlines()) <= 40, path
        assert "snakemake.config" not in text, path
        assert not re.search(r"^\s*(def|class) ", text, re.M), path


def test_environment_files_are_current(root: Path) -> None:
    check = [sys.executable, "envs/generate.py", "--check"]
    assert subprocess.run(check, cwd=root, check=False).returncode == 0

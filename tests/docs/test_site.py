"""The documentation as a site: it builds without a warning, offline, with a page a selector."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from limr.core import plugins, validation

SITE = Path(__file__).parents[2] / "docs/site"
NUMBER = re.compile(r"-?\d+\.?\d*(?:e-?\d+)?")


def tools(root: Path) -> Path:
    """Where Sphinx is; CI must have it, elsewhere these tests are skipped aloud."""
    folder = Path(os.environ.get("LIMR_DOCS_TOOLS", root / "build/docs-tools"))
    if not folder.is_dir():
        if os.environ.get("CI"):
            pytest.fail("Sphinx is not there: `make build/docs-tools`")
        pytest.skip("Sphinx is not there: `make build/docs-tools`")
    return folder


def build(output: Path, root: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(root / "workflow/scripts"), **more}
    command = [sys.executable, str(SITE / "build.py"), str(output)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def site(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("site")
    few = {"LIMR_SITE_FIGURES": "accuracy"}  # to draw all takes a quarter of a minute
    done = build(output, root, LIMR_DOCS_TOOLS=str(tools(root)), **few)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    return output


@pytest.mark.slow
def test_every_page_and_selector_is_there(site: Path, root: Path) -> None:
    html = site / "html"
    assert (html / "index.html").is_file()
    for page in ("README", "config/README", *(f"docs/{p.stem}" for p in root.glob("docs/*.md"))):
        assert (html / f"{page}.html").is_file(), page
    for name in plugins.names("selectors"):
        page = (html / f"docs/selectors/{name}.html").read_text()
        module = plugins.load("selectors", name)
        assert module.TITLE.split("(")[0].strip() in page
        assert 'src="../../_images/' in page, name  # what it picks
        for key in validation.options(module).model_fields:
            assert f">{key}<" in page, (name, key)


@pytest.mark.slow
def test_figures_formulas_and_the_library_are_there(site: Path) -> None:
    docs = site / "html/docs"
    figures = (docs / "figures.html").read_text()
    assert re.search(r'src="\.\./_images/accuracy\d*\.png"', figures)
    assert '<span class="math">r_i^k</span>' in (docs / "concepts.html").read_text()
    assert (site / "html/_static/katex.min.js").is_file()
    library = (docs / "library.html").read_text()
    for name in ("limr.look.notebook.read", "limr.scores.scoring.from_curves", "PpoJob"):
        assert f'id="{name}"' in library or f".{name}" in library, name


def test_no_page_loads_anything_from_a_network(site: Path) -> None:
    loads = re.compile(r"<(?:script|img|iframe|link)\b[^>]*?(?:src|href)=\"(?:https?:)?//", re.I)
    for page in (site / "html").rglob("*.html"):
        assert not loads.search(page.read_text()), page
    for style in (site / "html").rglob("*.css"):
        assert not re.search(
            r"url\([\"']?(?:https?:)?//|@import [\"'](?:https?:)?//", style.read_text()
        )


@pytest.mark.slow
def test_a_broken_link_stops_the_build(site: Path, root: Path, tmp_path: Path) -> None:
    """The same call of Sphinx on a copy with one bad page."""
    source = tmp_path / "source"
    (source / "docs").mkdir(parents=True)
    (source / "docs/index.md").write_text("# Title\n\nSee [nothing](nowhere.md).\n")
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    command += ["--conf-dir", str(SITE), str(source), str(tmp_path / "html")]
    environment = {**os.environ, "PYTHONPATH": str(tools(root))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "nowhere.md" in done.stderr


@pytest.mark.slow
def test_the_kept_pictures_are_what_is_drawn(root: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(root / "workflow/scripts")}
    command = [sys.executable, str(SITE / "draw.py"), str(tmp_path)]
    subprocess.run(command, env=environment, check=True)
    for kept in sorted((root / "docs/pictures").iterdir()):
        old, new = (path.read_text() for path in (kept, tmp_path / kept.name))
        assert NUMBER.sub("#", old) == NUMBER.sub("#", new), f"{kept.name}: run `make docs`"
        numbers = [[float(x) for x in NUMBER.findall(text)] for text in (old, new)]
        assert numbers[0] == pytest.approx(numbers[1], abs=0.02), kept.name

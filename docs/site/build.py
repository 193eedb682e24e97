"""Build the documentation as a site: `build.py OUTPUT` writes OUTPUT/html; a warning is an error.

The pages are staged in OUTPUT/source as they stand in the repository, so that their links hold;
the pages of selectors, figures and the library are made there, from their code. Sphinx is taken
from build/docs-tools (or the folder LIMR_DOCS_TOOLS). Nothing is fetched, by the build or a page.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import figure_pages
import selector_pages

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PAGES = ("README.md", "CHANGELOG.md", "config/README.md", "docs/*.md", "benchmarks/**/*.md")
_LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
HOME = '<!doctype html><meta charset="utf-8"><title>limr</title>\n'
HOME += '<meta http-equiv="refresh" content="0; url=docs/index.html">'
HOME += '<a href="docs/index.html">limr</a>\n'


def stage(source: Path) -> None:
    """Copy the pages, and the files of this repository that they link to or show."""
    for pattern in PAGES:
        for page in sorted(ROOT.glob(pattern)):
            _copy(page, source)
            for target in _LINK.findall(page.read_text(encoding="utf-8")):
                linked = (page.parent / target).resolve()
                if linked.is_file() and linked.is_relative_to(ROOT) and linked.suffix != ".md":
                    _copy(linked, source)
    selector_pages.write(source / "docs")
    figure_pages.write(source / "docs")
    shutil.copy2(HERE / "library.md", source / "docs/library.md")


def _copy(file: Path, source: Path) -> None:
    target = source / file.relative_to(ROOT)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(file, target)


def build(output: Path) -> int:
    """Stage the pages and let Sphinx make the site; return its exit code."""
    source, html = output / "source", output / "html"
    for folder in (source, html):
        shutil.rmtree(folder, ignore_errors=True)
    stage(source)
    tools = os.environ.get("LIMR_DOCS_TOOLS", str(ROOT / "build/docs-tools"))
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    command += ["--conf-dir", str(HERE), "--doctree-dir", str(output / "doctrees")]
    path = os.pathsep.join((str(ROOT / "workflow/scripts"), tools))
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run([*command, str(source), str(html)], env=environment, check=False)
    if done.returncode == 0:
        (html / "index.html").write_text(HOME, encoding="utf-8")
    return done.returncode


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: build.py OUTPUT")
    sys.exit(build(Path(sys.argv[1])))

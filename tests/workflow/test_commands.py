"""The commands of the documents, run as they stand in one project whose studies are small ones.

Every page is read in a terminal of its own, from top to bottom; the README comes first, and in a
terminal that knows nothing of limr yet. What a page finds there is what the README has left.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import documents
from reading import Reader
from small_study import ROOT, Project, make_project

pytestmark = pytest.mark.slow
# Followed elsewhere: guides in folders of their own, and what reads the real data.
ELSEWHERE = tuple(
    f"docs/{name}.md" for name in ("bring-your-own", "contributing", "extending", "module")
)
REAL_DATA = ("docs/published-data.md", "docs/selection.md")
PAGES = [str(page.relative_to(ROOT)) for page in documents.pages(ROOT)]
PAGES = [
    name
    for name in PAGES
    if name not in ELSEWHERE and any(block.is_run for block in documents.blocks(ROOT / name))
]


@pytest.fixture(scope="module")
def at_work(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """A reader who follows the pages in one clone."""
    return Reader(tmp_path_factory.mktemp("commands"))


@pytest.mark.parametrize("name", [name for name in PAGES if name not in REAL_DATA])
def test_every_command_runs_as_it_stands(name: str, at_work: Reader) -> None:
    at_work.read(name)


def test_the_pages_leave_what_they_promise(at_work: Reader) -> None:
    clone = at_work.project.folder
    assert "Report: results/demo/report.html" in at_work.read("README.md")  # `make demo`
    assert (clone / "example/rollouts.limr/report.html").exists()
    assert (clone / "example/best.parquet").exists()
    at_work.read("docs/report.md")
    assert (clone / "results/demo/report-so-far.html").exists()
    assert (clone / "page.html").exists()
    said = at_work.read("docs/archive.md")
    assert "demo.zip: nothing failed" in said
    assert (clone / "../restored/results/demo/report.html").exists()
    # The page's own commands are those that the programs advise.
    assert "then `snakemake --configfile results/demo/study.yaml` there" in said


@pytest.mark.data
def test_the_commands_on_published_data_run_as_they_stand(published_data: Project) -> None:
    said = (published_data.folder.parent / "said").read_text()
    assert said.count("steps (100%) done") == 3


@pytest.mark.data
def test_the_measurements_of_the_selection_page_run_as_they_stand(
    at_work: Reader, mirror: Path
) -> None:
    terminal = at_work.terminal()
    terminal.environment["LIMR_MIRROR"] = str(mirror)
    said = documents.follow(at_work.project.folder / "docs/selection.md", terminal)
    assert "| lim, 21 epochs | `backfill-one` |" in said


@pytest.mark.parametrize(
    "wrong",
    [
        "limr score nowhere.parquet --format rollouts --output x.parquet",
        "make demmo",
        "limr plna x",
    ],
)
def test_a_wrong_command_in_a_page_makes_it_fail(at_work: Reader, wrong: str) -> None:
    """The check of a page is one: a copy of a good page with one bad line does not pass."""
    page = at_work.project.folder / "docs/wrong.md"
    page.write_text(f"{(ROOT / 'docs/air-gapped.md').read_text()}\n```sh\n{wrong}\n```\n")
    with pytest.raises(AssertionError, match=r"wrong.md, line \d+"):
        at_work.read("docs/wrong.md")


def test_a_study_that_has_not_run_names_the_command_that_runs_it(tmp_path: Path) -> None:
    project = make_project(tmp_path / "clone")
    terminal = documents.Terminal(project.folder, documents.reader(project.environment))
    done = terminal.run("limr report config/demo.yaml")
    assert done.returncode == 2
    block = next(b for b in documents.blocks(ROOT / "docs/report.md") if b.is_run)
    advised = done.stderr.split("`")[1]
    assert advised in [line.partition("#")[0].strip() for line in block.text.splitlines()]

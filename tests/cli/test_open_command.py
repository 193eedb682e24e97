"""`limr open`: which page, and what is said where there is none, or no browser."""

from __future__ import annotations

import os
import webbrowser
from pathlib import Path

import pytest

from limr.__main__ import main


class Browser:
    """A browser that remembers what it opened."""

    opened: list[str]

    def __init__(self) -> None:
        self.opened = []

    def open(self, address: str) -> bool:
        self.opened.append(address)
        return True


@pytest.fixture(autouse=True)
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, age in (("old", 100), ("new", 1)):
        page = tmp_path / f"results/{name}/report.html"
        page.parent.mkdir(parents=True)
        page.touch()
        os.utime(page, (1e9 - age, 1e9 - age))
    (tmp_path / "mine.yaml").write_text("study: old\n")


@pytest.mark.parametrize(
    ("named", "page"),
    [
        ([], "new"),
        (["old"], "old"),
        (["mine.yaml"], "old"),
        (["results/old"], "old"),
        (["results/old/report.html"], "old"),
    ],
)
def test_a_page_is_opened_and_named(
    named: list[str],
    page: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    browser = Browser()
    monkeypatch.setattr(webbrowser, "get", lambda: browser)
    assert main(["open", *named]) == 0
    path = Path(f"results/{page}/report.html")
    assert browser.opened == [path.resolve().as_uri()]
    assert capsys.readouterr().out == f"{path}\n"


def test_without_a_browser_the_path_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none() -> None:
        raise webbrowser.Error

    monkeypatch.setattr(webbrowser, "get", none)
    assert main(["open"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "results/new/report.html\n"
    assert "There is no browser here" in shown.err


def test_a_study_without_a_page_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["open", "nwe"]) == 2
    assert "nwe: there is no page of this study yet" in (shown := capsys.readouterr().err)
    assert "Did you mean 'new'?" in shown

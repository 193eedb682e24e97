"""`limr open`: the page of a study, in a browser."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from limr.core.errors import InputError, nearest

HELP = "open a study's page in a browser; print its path where there is none"
RESULTS = Path("results")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's argument."""
    parser.add_argument(
        "study", nargs="?", metavar="STUDY",
        help="a study's name or file, a folder with a page, or a page (the newest in results/)",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Open the page, and print where it is; return 0.

    Raises:
        InputError: there is no page; the message says how to make it.
    """
    import webbrowser

    page = _page(options.study)
    sys.stdout.write(f"{page}\n")
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        sys.stderr.write("There is no browser here; open the file above in one.\n")
        return 0
    if isinstance(browser, webbrowser.GenericBrowser) and browser.name in _IN_TERMINALS:
        sys.stderr.write("There is no browser with windows here; open the file above in one.\n")
        return 0
    browser.open(page.resolve().as_uri())
    return 0


_IN_TERMINALS = ("www-browser", "links", "elinks", "lynx", "w3m")


def _page(named: str | None) -> Path:
    """Return the page that a word names, the newest of this folder without one."""
    if named is None:
        pages = sorted(RESULTS.glob("*/report.html"), key=lambda path: path.stat().st_mtime)
        if not pages:
            raise InputError("there is no page in results/. `limr run STUDY.yaml` makes one.")
        return pages[-1]
    given = Path(named)
    if given.suffix in (".yaml", ".yml"):
        given = RESULTS / _name(given)
    for path in (given, given / "report.html", RESULTS / named / "report.html"):
        if path.is_file():
            return path
    there = [path.parent.name for path in RESULTS.glob("*/report.html")]
    raise InputError(
        f"{named}: there is no page of this study yet; `limr run` makes it, and `limr report` one "
        f"of what is there so far.{nearest(named, there)}"
    )


def _name(path: Path) -> str:
    """Return the name of a study."""
    from limr.core import files

    config = files.read_yaml(path)
    if not isinstance(config, dict) or not isinstance(config.get("study"), str):
        raise InputError(f"{path}: expected the keys of a study, with `study`, its name.")
    return str(config["study"])

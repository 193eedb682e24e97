"""Measure what a person waits for: a page, its search, a help, and what the live view costs.

.venv/bin/python benchmarks/report/waits.py results/demo/report.html results/published/report.html

Medians: of `ROUNDS` openings and searches in Chromium, by the page's own clock; of as many calls of
`limr look --help`. The live view is that of the demo, which runs for `SECONDS` in a terminal.
"""

from __future__ import annotations

import json
import os
import pty
import resource
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from measure import ARGUMENTS, QUERIES
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

ROUNDS = 9
SECONDS = 60
LIMR = Path(sys.executable).with_name("limr")
WATCH = """
new MutationObserver(() => { window.readyAt ??= performance.now(); })
  .observe(document, {attributes: true, subtree: true, attributeFilter: ["data-ready"]});
"""
SEARCH = """
const s = document.getElementById("search");
s.value = arguments[0];
s.dispatchEvent(new Event("input"));
return Number(document.getElementById("problem-count").dataset.milliseconds);
"""


def page(path: Path) -> dict[str, Any]:
    """Return a page's size, and the medians of when it can be used and of its searches."""
    options = webdriver.ChromeOptions()
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.binary_location = str(shutil.which("chromium"))
    browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    ready, searches = [], []
    try:
        browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        for _ in range(ROUNDS):
            browser.get(path.resolve().as_uri())
            at = WebDriverWait(browser, 60).until(
                lambda b: b.execute_script("return window.readyAt")
            )
            ready.append(float(at))
            searches += [float(browser.execute_script(SEARCH, query)) for query in QUERIES]
    finally:
        browser.quit()
    return {
        "page": path.parent.name,
        "MB": round(path.stat().st_size / 1e6, 2),
        "usable after, ms": round(statistics.median(ready)),
        "search, ms": round(statistics.median(searches), 1),
        "slowest search, ms": round(max(searches), 1),
    }


def look_help() -> dict[str, Any]:
    """Return the medians of `limr look --help`, in seconds of the clock and of a processor."""
    clock, cpu = [], []
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        began = time.perf_counter()
        subprocess.run([LIMR, "look", "--help"], check=True, stdout=subprocess.DEVNULL)
        clock.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return {
        "limr look --help, s": round(statistics.median(clock), 2),
        "its CPU-seconds": round(statistics.median(cpu), 2),
    }


def live() -> dict[str, Any]:
    """Return the share of a processor that the live view takes while a demo runs."""
    with tempfile.TemporaryDirectory() as folder:
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(folder)
            os.execve(LIMR, [LIMR, "run", "demo"], {**os.environ, "TERM": "xterm-256color"})  # noqa: S606
        threading.Thread(target=_drain, args=(terminal,), daemon=True).start()
        time.sleep(SECONDS / 3)  # it has started
        before, began = _cpu(child), time.monotonic()
        time.sleep(SECONDS)
        share = (_cpu(child) - before) / (time.monotonic() - began)
        os.kill(child, signal.SIGINT)
        os.waitpid(child, 0)
    return {"live view, % of a processor": round(100 * share, 2)}


def _drain(terminal: int) -> None:
    while select.select([terminal], [], []):
        try:
            os.read(terminal, 65536)
        except OSError:  # its process ended
            return


def _cpu(pid: int) -> float:
    """Return the CPU-seconds of a process, without those of its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure and print."""
    found = [page(Path(path)) for path in sys.argv[1:]]
    print(json.dumps([*found, look_help(), live()], indent=2))
    print("load:", os.getloadavg())


if __name__ == "__main__":
    main()

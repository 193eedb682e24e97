"""Measure the report at the paper's size: building, the page's size, and search in Chromium.

.venv/bin/python benchmarks/report/measure.py [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import resource
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import paper_size
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from limr.report import make
from limr.report import page as report

HERE = Path(__file__).parent
TABLES = ("results", "differences", "subsets", "thresholds")
FIGURES = ("accuracy", "benchmarks", "final-accuracy", "learning-curves", "scores")
QUERIES = ("e", "ta", "math-full-77", "$\\frac{12}", "zzzz nothing", "s t a i n r x")
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--force-prefers-reduced-motion", "--window-size=1280,900")  # fmt: skip
ROUNDS = 5


def build(folder: Path) -> dict[str, Any]:
    """Make the study and its page; return what that took."""
    inputs = paper_size.inputs(folder)
    tables, figures = [], []
    for name in TABLES:
        kinds = {"tsv": "tsv", "markdown": "md", "latex": "tex"}
        paths = {kind: folder / f"tables/{name}.{suffix}" for kind, suffix in kinds.items()}
        make.make_table(name, inputs, {}, paths)
        tables.append(paths["tsv"])
    for name in FIGURES:
        kinds = {"pdf": "pdf", "png": "png", "svg": "svg", "tsv": "tsv", "caption": "txt"}
        paths = {kind: folder / f"figures/{name}.{suffix}" for kind, suffix in kinds.items()}
        make.draw_figure(name, inputs, {}, paths)
        figures.append(paths["png"])
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    parts = report.Parts(
        config={"study": "paper-size"},
        tables=tables,
        figures=figures,
        rollouts={"full": folder / "rollouts.parquet"},
    )
    report.build_report(inputs, parts, folder / "report.html")
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "rollouts, MB on disk": round((folder / "rollouts.parquet").stat().st_size / 1e6),
        "page, MB": round((folder / "report.html").stat().st_size / 1e6, 2),
        "building, seconds": round(time.perf_counter() - began, 1),
        "building, CPU-seconds": round(after.ru_utime - before.ru_utime, 1),
        "peak memory of making everything, MB": round(after.ru_maxrss / 1024),
    }


def browse(page: Path) -> dict[str, Any]:
    """Open the page and time it: the page's own clock, around search, sort and drawing."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in ARGUMENTS:
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        began = time.perf_counter()
        browser.get(page.as_uri())
        ready = "return document.documentElement.dataset.ready"
        WebDriverWait(browser, 60).until(lambda b: b.execute_script(ready) == "yes")
        opened = time.perf_counter() - began
        count = browser.find_element(By.ID, "problem-count")
        search = (
            "const s = document.getElementById('search'); s.value = arguments[0];"
            "s.dispatchEvent(new Event('input'));"
        )
        took: dict[str, list[float]] = {"search": [], "sort": [], "filter": []}
        for _ in range(ROUNDS):
            for query in (*QUERIES, ""):
                browser.execute_script(search, query)
                took["search"].append(float(count.get_attribute("data-milliseconds") or 0))
            for head in browser.find_elements(By.CSS_SELECTOR, "[data-sort]"):
                head.click()
                took["sort"].append(float(count.get_attribute("data-milliseconds") or 0))
            for value in ("never", ""):
                Select(browser.find_element(By.ID, "by-solved")).select_by_value(value)
                took["filter"].append(float(count.get_attribute("data-milliseconds") or 0))
        began = time.perf_counter()
        browser.execute_script("document.querySelector('.row').click()")
        shown = "return document.querySelectorAll('#problem .response').length > 0"
        WebDriverWait(browser, 20, 0.02).until(lambda b: b.execute_script(shown))
        return {
            "opening until usable, seconds": round(opened, 2),
            **{f"{kind}, worst of {len(ms)}, ms": max(ms) for kind, ms in took.items()},
            "opening a problem with its responses, ms": round(1000 * (time.perf_counter() - began)),
            "messages in the console": len(browser.get_log("browser")),
            "browser": browser.capabilities["browserVersion"],
        }
    finally:
        browser.quit()


def main() -> None:
    """Measure, print, and keep the result with its date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="folder to keep the study and the page in")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = {
            "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "study": "8,523 problems, 21 epochs, 6 arms, 3 seeds, 1,431,864 rollouts with texts",
            **build(folder),
            **browse(folder / "report.html"),
        }
    text = json.dumps(found, indent=2)
    print(text)
    (HERE / "results.json").write_text(text + "\n")


if __name__ == "__main__":
    main()

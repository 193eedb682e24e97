"""A real headless Chromium for the tests of the report's page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
             "--force-prefers-reduced-motion")  # fmt: skip


def _missing(what: str, how: str = "Debian: apt-get install chromium chromium-driver") -> None:
    """CI must have a browser; elsewhere its tests are skipped aloud."""
    text = f"{what} is not installed ({how})"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


def opened(browser: Any, page: Path) -> Any:
    """Open a report's page and wait until its script has run."""
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get(page.as_uri())
    ready = "return document.documentElement.dataset.ready"
    WebDriverWait(browser, 30).until(lambda b: b.execute_script(ready) == "yes")
    return browser


def count(browser: Any) -> str:
    """Return what the page says of the number of problems that it lists."""
    from selenium.webdriver.common.by import By

    return str(browser.find_element(By.ID, "problem-count").text)


def inaccessible(browser: Any) -> list[str]:
    """Return what axe-core finds wrong with the page as it is shown now."""
    file = ROOT / "build/axe/axe_playwright_python/axe.min.js"
    if not file.exists():
        _missing("axe-core", "`make build/axe`")
    browser.execute_script(file.read_text(encoding="utf-8"))
    found = browser.execute_async_script(
        "const done = arguments[0]; axe.run(document).then(done, (e) => done({error: String(e)}))"
    )
    assert "error" not in found, found
    assert len(found["passes"]) > 20  # it did look
    return [f"{rule['id']}: {node['html']}" for rule in found["violations"]
            for node in rule["nodes"]]  # fmt: skip


def dark(browser: Any) -> None:
    """Have pages think that the screen is dark."""
    wanted = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", wanted)


@contextmanager
def driver(width: int, height: int, phone: bool = False) -> Iterator[Any]:
    """Yield a browser with a window, or a phone's screen, of a size in CSS pixels."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    service = shutil.which("chromedriver")
    if found is None or service is None:
        _missing("chromium" if found is None else "chromedriver")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = found
    for argument in (*ARGUMENTS, f"--window-size={width},{height}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(service))
    try:
        if phone:
            screen = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        yield browser
    finally:
        browser.quit()

"""A real headless Chromium for the tests of the report's page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--hide-scrollbars", "--no-first-run", "--disable-background-networking",
             "--force-prefers-reduced-motion")  # fmt: skip


def _missing(what: str) -> None:
    """CI must have a browser; elsewhere its tests are skipped aloud."""
    text = f"{what} is not installed (Debian: apt-get install chromium chromium-driver)"
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

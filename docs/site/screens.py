"""Take the screenshots of two pages in Chromium: `screens.py LOOK.html DEMO.html`."""

import io
import shutil
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

FOLDER = Path(__file__).parents[1] / "screens"
COLOURS = 96  # few, and so few bytes
OPEN_FIRST = "document.querySelector('.row').click();"
LOOK = {
    "look-first": ("", 800),
    "look-curves": ("#curves", 1000),
    "look-prompts": ("#browse", 1000),
}
DEMO = {
    "demo-first": ("", 1110),
    "demo-changes": ("#changes", 1000),
    "demo-browse": ("#browse", 1000),
}


def take(browser: Any, page: Path, screens: dict[str, tuple[str, int]]) -> None:
    """Write a picture of each place of a page; in a list, the first row is open."""
    browser.get(page.resolve().as_uri())
    ready = "return document.documentElement.dataset.ready === 'yes'"
    WebDriverWait(browser, 30).until(lambda b: b.execute_script(ready))
    for name, (place, height) in screens.items():
        browser.set_window_size(1200, height)
        if place == "#browse":
            browser.execute_script(OPEN_FIRST)
        if place:
            browser.execute_script("document.querySelector(arguments[0]).scrollIntoView()", place)
        shot = Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")
        small = shot.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        small.save(FOLDER / f"{name}.png", optimize=True)


def main() -> None:
    """Take them of the two pages that are named."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in ("--headless=new", "--no-sandbox", "--hide-scrollbars",
                     "--force-prefers-reduced-motion"):  # fmt: skip
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        FOLDER.mkdir(exist_ok=True)
        for page, screens in zip(map(Path, sys.argv[1:]), (LOOK, DEMO), strict=True):
            take(browser, page, screens)
    finally:
        browser.quit()


if __name__ == "__main__":
    main()

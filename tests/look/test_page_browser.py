"""The page of a look in a real Chromium: silent, inert, quick, for keys, phones and the dark."""

import re

import pytest
import verl_log
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

import chromium
from chromium import count, opened
from limr.look import look, page

pytestmark = pytest.mark.slow

WIDE = "return [document.documentElement.scrollWidth, innerWidth]"
SHOWN = "return document.querySelectorAll('#problem .response').length"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("look")
    looked = look.look([verl_log.write(folder / "rollouts", verl_log.prompts(40))])
    page.write(looked, folder / "report.html")
    return folder / "report.html"


@pytest.fixture(scope="module")
def desk():
    with chromium.driver(1280, 900) as browser:
        yield browser


def test_it_loads_in_silence_and_asks_for_nothing(desk, path):
    opened(desk, path)
    assert desk.get_log("browser") == []
    assert desk.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert re.fullmatch(r"What look\d+/rollouts shows", desk.title)
    assert count(desk) == "40 of 40 prompts"
    assert desk.execute_script(WIDE)[0] <= 1280
    for plot in desk.find_elements(By.CSS_SELECTOR, ".plot > svg"):
        assert plot.get_attribute("aria-label")
        assert plot.size["height"] > 50


def test_search_class_and_order(desk, path):
    opened(desk, path)
    desk.find_element(By.ID, "search").send_keys("many 12 13?")
    assert count(desk) == "1 of 40 prompts"
    desk.find_element(By.ID, "search").send_keys(Keys.ESCAPE)
    Select(desk.find_element(By.ID, "by-class")).select_by_visible_text("learning")
    learning = desk.find_element(By.CSS_SELECTOR, ".meaning tr:nth-child(3) .n").text
    assert count(desk) == f"{learning} of 40 prompts"
    Select(desk.find_element(By.ID, "by-class")).select_by_value("")
    desk.find_element(By.CSS_SELECTOR, "[data-sort=last]").click()
    rows = desk.find_elements(By.CSS_SELECTOR, "#problem-list .row")
    rows = sorted(rows, key=lambda row: int(row.get_attribute("data-at")))
    last = [float(row.find_elements(By.CSS_SELECTOR, ".ends")[1].text) for row in rows]
    assert last == sorted(last, reverse=True)
    assert last[0] == 1


@pytest.mark.parametrize(
    ("search", "sign"), [("onerror", verl_log.MARKUP), ("gnp.exe", "⟨U+202E⟩gnp.exe⟨U+2066⟩ ␀")]
)
def test_hostile_texts_are_shown_and_do_nothing(desk, path, search, sign):
    opened(desk, path)
    desk.find_element(By.ID, "search").send_keys(search, Keys.ENTER, Keys.ENTER)
    WebDriverWait(desk, 20).until(lambda b: b.execute_script(SHOWN) > 0)
    text = desk.execute_script("return document.getElementById('problem').textContent")
    assert sign in text
    assert verl_log.HEAD in text
    assert "⟨U+D800⟩" in text  # of a response
    assert "visit 4, reward 1" in text or "visit 4, reward 0" in text
    assert not any(c in text for c in "\x00\x1b\u202e\u2066\u2028")
    inside = "#problem script, #problem img, #problem b b, main img, main iframe"
    assert desk.find_elements(By.CSS_SELECTOR, inside) == []
    assert re.fullmatch(r"What look\d+/rollouts shows", desk.title)
    assert desk.get_log("browser") == []
    wide = desk.execute_script(WIDE)
    assert wide[0] <= wide[1]


def test_keys_alone_will_do(desk, path):
    opened(desk, path)
    desk.find_element(By.TAG_NAME, "body").send_keys("/")
    desk.switch_to.active_element.send_keys("how", Keys.ENTER)
    desk.switch_to.active_element.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    assert desk.execute_script("return document.activeElement.tagName") == "H3"
    desk.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not desk.find_element(By.ID, "problem").is_displayed()


def test_only_the_rows_in_sight_of_thousands_exist(desk, tmp_path):
    texts = [f"{k} " + "how many are there? " * 8 for k in range(8523)]
    looked = look.look([verl_log.write(tmp_path / "log", texts, visits=2, samples=2)])
    page.write(looked, tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 8_500_000
    opened(desk, tmp_path / "report.html")
    assert count(desk) == "8,523 of 8,523 prompts"
    assert len(desk.find_elements(By.CSS_SELECTOR, "#problem-list .row")) < 60
    desk.find_element(By.ID, "problem-list").send_keys(Keys.END)
    last = "return document.querySelector('#problem-list .row[data-at=\"8522\"]') !== null"
    WebDriverWait(desk, 5).until(lambda b: b.execute_script(last))


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_needs_no_sideways_scrolling(width, path):
    with chromium.driver(width, 800, phone=True) as browser:
        opened(browser, path)
        scroll, inner = browser.execute_script(WIDE)
        assert scroll <= inner == width
        Select(browser.find_element(By.ID, "sorted")).select_by_value("score:up")
        browser.execute_script("document.querySelector('.row').click()")
        WebDriverWait(browser, 20).until(lambda b: b.execute_script(SHOWN) > 0)
        assert browser.execute_script(WIDE)[0] <= width
        assert browser.get_log("browser") == []


def test_dark_and_light_differ(desk, path):
    opened(desk, path)
    colour = "return getComputedStyle(document.querySelector('.curve.all')).stroke"
    found = set()
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        desk.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        found.add(desk.execute_script(colour))
    desk.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert len(found) == 2


def test_axe_finds_nothing_in_light_and_dark(path):
    with chromium.driver(390, 844, True) as browser:
        for scheme in (lambda _: None, chromium.dark):
            scheme(browser)
            opened(browser, path)
            assert chromium.inaccessible(browser) == []

"""The report in a real Chromium: it loads in silence, answers keys, and shows texts inert."""

import dataclasses

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

import chromium
import synthetic_rollouts
import synthetic_study
from chromium import count, opened
from limr.core.tables import Problem
from limr.report import make
from limr.report import page as report
from synthetic_rollouts import MARKUP


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    inputs = synthetic_study.inputs()
    problems = [
        Problem("arithmetic-0000", MARKUP, "<b>4</b>", "arithmetic", 1),
        Problem("arithmetic-0001", "\u202eabc\x00", "1", "arithmetic", 2),
        *synthetic_study.problems()[2:],
    ]
    arms = [{**arm, "title": f"{arm['title']}<i>"} for arm in inputs.study["arms"]]
    inputs = dataclasses.replace(
        inputs,
        study={**inputs.study, "arms": arms},
        problems={**inputs.problems, "arithmetic": problems},
    )
    kinds = {"tsv": ".tsv", "markdown": ".md", "latex": ".tex"}
    tables = [folder / "tables/results", folder / "tables/agreement"]
    for table in tables:
        paths = {kind: table.with_suffix(suffix) for kind, suffix in kinds.items()}
        make.make_table(table.name, inputs, {}, paths)
    kinds = {"pdf": ".pdf", "png": ".png", "svg": ".svg", "tsv": ".tsv", "caption": ".txt"}
    figures = [folder / "figures/accuracy", folder / "figures/agreement"]  # a table's name, too
    for figure in figures:
        paths = {kind: figure.with_suffix(suffix) for kind, suffix in kinds.items()}
        make.draw_figure(figure.name, inputs, {}, paths)
    synthetic_rollouts.write(inputs.trajectories["full"], folder / "rollouts.parquet")
    parts = report.Parts(
        config={"study": "made-up"},
        tables=[table.with_suffix(".tsv") for table in tables],
        figures=[figure.with_suffix(".png") for figure in figures],
        rollouts={"full": folder / "rollouts.parquet"},
    )
    report.build_report(inputs, parts, folder / "report.html")
    return folder / "report.html"


@pytest.fixture(scope="module")
def desk():
    with chromium.driver(1280, 900) as browser:
        yield browser


def rows(browser):
    """Return the rows in sight as lists of their parts' texts, from the top."""
    found = browser.find_elements(By.CSS_SELECTOR, "#problem-list .row")
    return [
        [part.text for part in row.find_elements(By.CSS_SELECTOR, ".id, .value")]
        for row in sorted(found, key=lambda row: int(row.get_attribute("data-at")))
    ]


def problem(browser):
    return browser.find_element(By.ID, "problem")


def shown(browser, problem_id):
    """Open a problem by searching its id, wait for its responses, and return all of its text."""
    search = browser.find_element(By.ID, "search")
    search.clear()
    search.send_keys(problem_id, Keys.ENTER, Keys.ENTER)
    there = "return document.querySelectorAll('#problem .response').length"
    WebDriverWait(browser, 20).until(lambda b: b.execute_script(there) > 0)
    return browser.execute_script("return document.getElementById('problem').textContent")


def test_it_loads_in_silence_and_asks_for_nothing(desk, page):
    opened(desk, page)
    assert desk.get_log("browser") == []
    asked = "return performance.getEntriesByType('resource').map((entry) => entry.name)"
    assert [name for name in desk.execute_script(asked) if not name.startswith("data:")] == []
    assert desk.execute_script("return document.querySelector('.drawn svg').clientWidth") > 500
    assert count(desk) == "384 of 384 problems"
    assert desk.title == "made-up: what was found"


def test_only_the_rows_in_sight_exist(desk, page):
    opened(desk, page)
    assert 5 < len(rows(desk)) < 60
    desk.find_element(By.ID, "problem-list").send_keys(Keys.END)
    last = "return document.querySelector('#problem-list .row[data-at=\"383\"]') !== null"
    WebDriverWait(desk, 5).until(lambda b: b.execute_script(last))
    assert len(rows(desk)) < 60


def test_search_finds_all_words_in_ids_and_texts(desk, page):
    opened(desk, page)
    search = desk.find_element(By.ID, "search")
    search.send_keys("0123 123")
    assert count(desk) == "1 of 384 problems"
    assert rows(desk)[0][0] == "arithmetic-0123"
    search.send_keys(" nothing-has-this")
    assert count(desk) == "0 of 384 problems"
    desk.find_element(By.ID, "problem-list").send_keys(Keys.ENTER, Keys.ARROW_DOWN)
    search.send_keys(Keys.ESCAPE)
    assert count(desk) == "384 of 384 problems"
    assert desk.get_log("browser") == []


def test_headers_sort_both_ways(desk, page):
    opened(desk, page)
    head = desk.find_element(By.CSS_SELECTOR, "[data-sort=score]")
    best = [float(row[1].replace("−", "-")) for row in rows(desk)]
    assert best == sorted(best, reverse=True)
    head.click()
    worst = [float(row[1].replace("−", "-")) for row in rows(desk)]
    assert worst == sorted(worst)
    assert worst[0] < best[0]
    assert head.get_attribute("aria-pressed") == "true"
    desk.find_element(By.CSS_SELECTOR, "[data-sort=accuracy]").click()
    solved = [int(row[2].rstrip(" %")) for row in rows(desk)]
    assert solved == sorted(solved, reverse=True)
    desk.find_element(By.CSS_SELECTOR, "[data-sort=order]").click()
    assert rows(desk)[0][0] == "arithmetic-0000"


def test_filters_agree_with_the_subset(desk, page):
    opened(desk, page)
    kept = synthetic_study.inputs().subsets["limr"]["n_selected"]
    Select(desk.find_element(By.ID, "by-subset")).select_by_value("in:0")
    assert count(desk) == f"{kept} of 384 problems"
    Select(desk.find_element(By.ID, "by-subset")).select_by_value("out:0")
    assert count(desk) == f"{384 - kept} of 384 problems"
    Select(desk.find_element(By.ID, "by-solved")).select_by_value("never")
    never = int(count(desk).split()[0])
    assert 0 < never < 384 - kept
    Select(desk.find_element(By.ID, "by-subset")).select_by_value("")
    assert int(count(desk).split()[0]) >= never


def test_keys_alone_will_do(desk, page):
    opened(desk, page)
    body, active = desk.find_element(By.TAG_NAME, "body"), "return document.activeElement.id"
    body.send_keys("/")
    assert desk.execute_script(active) == "search"
    desk.switch_to.active_element.send_keys("arithmetic-00", Keys.ENTER)
    assert desk.execute_script(active) == "problem-list"
    assert count(desk) == "100 of 384 problems"
    problem_list = desk.switch_to.active_element
    problem_list.send_keys(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_UP)
    second = rows(desk)[1][0]
    problem_list.send_keys(Keys.ENTER)
    assert problem(desk).is_displayed()
    assert problem(desk).find_element(By.TAG_NAME, "h3").text == second
    assert desk.execute_script("return document.activeElement.tagName") == "H3"
    selected = desk.find_elements(By.CSS_SELECTOR, '.row[aria-selected="true"]')
    assert len(selected) == 1
    desk.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not problem(desk).is_displayed()
    assert desk.execute_script(active) == "problem-list"


def test_a_problem_shows_its_curve_history_and_responses(desk, page):
    opened(desk, page)
    text = shown(desk, "arithmetic-0100")
    for words in ("score ‘lim’", "Verdicts by epoch", "thinking of sample", "100 + 1 = ?"):
        assert words in text
    label = problem(desk).find_element(By.CSS_SELECTOR, "svg.history").get_attribute("aria-label")
    curves = synthetic_study.trajectories().to_pandas()
    own = curves[curves["problem_id"] == "arithmetic-0100"]
    assert f"{own['n_correct'].sum()} correct" in label
    # The last of eight samples is malformed where it is not correct.
    assert f"{(own['n_correct'] < 8).sum()} malformed" in label


@pytest.mark.parametrize(
    ("number", "signs"),
    [
        (0, [MARKUP, "<b>4</b>"]),
        (1, ["␛[31mred␛[0m", "␀ null", "⟨U+202E⟩abc␀"]),
        (2, ["begin ⟨U+202E⟩gnp.exe⟨U+2066⟩ end"]),
        (3, ["characters left out …]"]),
        (4, ["␍", "⟨U+2028⟩", "⟨U+200B⟩", "⟨U+FEFF⟩"]),
    ],
)  # fmt: skip
def test_hostile_texts_are_shown_and_do_nothing(desk, page, number, signs):
    opened(desk, page)
    text = shown(desk, f"arithmetic-{number:04d}")
    for sign in signs:
        assert sign in text
    assert len(text) < 10_000
    assert not any(c in text for c in "\x00\x1b\u202e\u2066\u2028")
    inside = problem(desk).find_elements(By.CSS_SELECTOR, "script, img, a, iframe")
    assert inside == []
    assert desk.title == "made-up: what was found"
    assert desk.get_log("browser") == []
    assert desk.execute_script("return document.documentElement.scrollWidth <= innerWidth")


def test_the_policy_stops_what_would_write_markup(desk, page):
    opened(desk, page)
    trial = "try { document.body.innerHTML += '<b>x</b>'; return ''; } catch (e) { return e.name; }"
    assert desk.execute_script(trial) == "TypeError"
    added = "const s = document.createElement('img'); s.src = 'http://127.0.0.1:9/x.png';"
    desk.execute_script(f"{added} document.body.append(s);")
    WebDriverWait(desk, 5).until(lambda b: b.execute_script("return document.images.length") > 0)
    messages = []
    WebDriverWait(desk, 5).until(lambda b: messages.extend(b.get_log("browser")) or messages)
    assert "Content Security Policy" in messages[-1]["message"]


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_needs_no_sideways_scrolling(width, page):
    with chromium.driver(width, 800, phone=True) as browser:
        opened(browser, page)
        wide = "return [document.documentElement.scrollWidth, innerWidth]"
        scroll, inner = browser.execute_script(wide)
        assert scroll <= inner == width
        Select(browser.find_element(By.ID, "sorted")).select_by_value("score:up")
        browser.execute_script("document.querySelector('.row').click()")
        assert problem(browser).is_displayed()
        assert browser.execute_script(wide)[0] <= width
        assert browser.get_log("browser") == []


def test_paper_gets_the_tables_and_not_the_list(desk, page):
    opened(desk, page)
    desk.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert not desk.find_element(By.ID, "browser").is_displayed()
        assert desk.find_element(By.CSS_SELECTOR, "#tables table").is_displayed()
        assert not desk.find_element(By.TAG_NAME, "nav").is_displayed()
    finally:
        desk.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    printed = desk.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    assert len(printed["data"]) > 50_000


def test_dark_and_light_differ(desk, page):
    opened(desk, page)
    colour = "return getComputedStyle(document.body).backgroundColor"
    found = []
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        desk.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        found.append(desk.execute_script(colour))
    desk.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert found[0] != found[1]


def test_arms_of_the_chart_over_steps_are_switched_and_their_dots_speak(desk, page):
    opened(desk, page)
    desk.execute_script("document.getElementById('steps').scrollIntoView()")
    hidden = (
        "return document.querySelector('.over-steps g[data-arm=linear]').classList.contains('off')"
    )
    button = desk.find_element(By.CSS_SELECTOR, ".toggles [data-arm=linear]")
    assert desk.execute_script(hidden)
    button.send_keys(Keys.ENTER)
    assert button.get_attribute("aria-pressed") == "true"
    assert not desk.execute_script(hidden)
    dots = desk.find_elements(By.CSS_SELECTOR, ".over-steps g[data-arm=full] circle")
    ActionChains(desk).move_to_element(dots[-1]).perform()
    said = desk.find_element(By.CSS_SELECTOR, ".tip").text
    assert said.startswith("FULL<i>, step 48: ")
    assert said.endswith("2 runs, 330 questions")


def test_questions_are_filtered_and_an_empty_result_says_so(desk, page):
    opened(desk, page)
    count_of = desk.find_element(By.ID, "question-count")
    WebDriverWait(desk, 5).until(lambda b: " of 330 questions" in count_of.text)
    lost = int(count_of.text.split()[0])
    flip = Select(desk.find_element(By.ID, "question-flip"))
    numbers = {}
    for value in ("won", "right", "wrong", "any"):
        flip.select_by_value(value)
        numbers[value] = 0 if count_of.text.startswith("No") else int(count_of.text.split()[0])
    assert numbers["any"] == 330
    assert lost + numbers["won"] + numbers["right"] + numbers["wrong"] <= 330
    desk.find_element(By.ID, "question-search").send_keys("nothing-has-this")
    assert count_of.text.startswith("No question is like this.")
    desk.find_element(By.ID, "question-search").clear()
    Select(desk.find_element(By.ID, "question-benchmark")).select_by_visible_text(
        "Arithmetic, hard"
    )
    desk.find_element(By.ID, "question-search").send_keys("hard-11")
    assert count_of.text == "1 of 330 questions"


CONTRAST = """
const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
const linear = (v) => v / 255 <= .03928 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4;
const light = (c) => .2126 * linear(c[0]) + .7152 * linear(c[1]) + .0722 * linear(c[2]);
const cell = (text) => {  // of a figure, the last one that is filled and has the text in it
    const at = text.getBoundingClientRect(), x = at.x + at.width / 2, y = at.y + at.height / 2;
    return [...text.ownerSVGElement.querySelectorAll('path')].filter((one) => {
      const box = one.getBoundingClientRect(), style = getComputedStyle(one);
      return style.fill.startsWith('rgb(') && style.fillOpacity === '1'
        && box.x < x && x < box.right && box.y < y && y < box.bottom;
    }).at(-1);
};
const behind = (node) => {
  const drawn = node.ownerSVGElement && cell(node);
  if (drawn) return numbers(getComputedStyle(drawn).fill);
  for (; node; node = node.parentElement) {
    const c = numbers(getComputedStyle(node).backgroundColor);
    if (c.length < 4 || c[3] === 1) return c;
  }
  return numbers(getComputedStyle(document.body).backgroundColor);
};
const found = [];
for (const node of document.querySelectorAll('body *')) {
  if (![...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())) continue;
  if (node.closest('script, style, noscript') || !node.getClientRects().length) continue;
  const style = getComputedStyle(node), size = parseFloat(style.fontSize);
  const a = light(numbers(node.ownerSVGElement ? style.fill : style.color));
  const b = light(behind(node));
  const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  if (ratio < (large ? 3 : 4.5)) found.push(`${node.outerHTML.slice(0, 90)}: ${ratio.toFixed(2)}`);
}
return [...new Set(found)];
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_the_contrast_of_wcag_aa(scheme, desk, page):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    desk.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        opened(desk, page)
        desk.execute_script(
            "for (const one of document.querySelectorAll('details')) one.open = true"
        )
        assert desk.execute_script(CONTRAST) == []
    finally:
        desk.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@pytest.mark.slow
def test_axe_finds_nothing_on_a_desk_on_a_phone_and_in_the_dark(page):
    for width, height, phone in ((1280, 900, False), (390, 844, True)):
        with chromium.driver(width, height, phone) as browser:
            for scheme in (lambda _: None, chromium.dark):
                scheme(browser)
                shown(opened(browser, page), "arithmetic-0002")  # with a problem open
                assert chromium.inaccessible(browser) == []


def test_the_address_of_an_open_problem_opens_it(desk, page):
    opened(desk, page)
    shown(desk, "arithmetic-0007")
    assert desk.current_url.endswith("#problem=arithmetic-0007")
    address = desk.current_url
    desk.get("about:blank")
    desk.get(address)
    there = "return document.querySelector('#problem h3')?.textContent"
    WebDriverWait(desk, 20).until(lambda b: b.execute_script(there) == "arithmetic-0007")
    problem(desk).send_keys(Keys.ESCAPE)
    assert "#" not in desk.current_url
    desk.execute_script("location.hash = '#problem=nowhere'")
    WebDriverWait(desk, 5).until(lambda b: count(b) == "There is no problem 'nowhere' here.")
    assert desk.get_log("browser") == []


def test_the_section_that_is_read_is_marked(desk, page):
    opened(desk, page)
    marked = "return [...document.querySelectorAll('nav [aria-current]')].map((a) => a.hash)"

    def is_marked(section):
        return WebDriverWait(desk, 5).until(lambda b: b.execute_script(marked) == [f"#{section}"])

    for section in ("found", "browse"):
        desk.execute_script(f"document.getElementById('{section}').scrollIntoView()")
        assert is_marked(section)


TEX = (
    r"Is $\frac{1}{2}$ or $5 more? $\href{javascript:alert(1)}{x}$ $\text{<b>b</b>}$ $\nope$ \(y\)"
)


@pytest.mark.slow
def test_formulas_are_drawn_as_elements_and_nothing_else_of_a_text_is(desk, tmp_path):
    inputs = synthetic_study.inputs()
    first, *others = synthetic_study.problems()
    asked = [dataclasses.replace(first, prompt=TEX), *others]
    inputs = dataclasses.replace(inputs, problems={**inputs.problems, "arithmetic": asked})
    synthetic_rollouts.write(inputs.trajectories["full"], tmp_path / "rollouts.parquet")
    rollouts = {"full": tmp_path / "rollouts.parquet"}
    parts = report.Parts(config={"study": "made-up"}, rollouts=rollouts)
    report.build_report(inputs, parts, tmp_path / "report.html")
    shown(opened(desk, tmp_path / "report.html"), first.problem_id)
    made = "return [...document.querySelectorAll('#problem pre')[0].querySelectorAll('%s')].length"
    assert desk.execute_script(made % "math") == 4
    assert desk.execute_script(made % "a, b, img, script") == 0
    [text] = desk.execute_script("return [document.querySelector('#problem pre').innerText]")
    assert "or $5 more?" in text
    assert r"$\nope$" in text
    desk.find_element(By.CSS_SELECTOR, "#problem .written").click()
    assert desk.execute_script("return document.querySelector('#problem pre').innerText") == TEX
    assert desk.get_log("browser") == []
    epochs = desk.find_elements(By.CSS_SELECTOR, "#problem details summary")
    assert [one.text.split(":")[0] for one in epochs] == [f"epoch {n}" for n in range(1, 7)]

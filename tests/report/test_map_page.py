"""The map in tables, in figures and on the page, the page in a real Chromium."""

import dataclasses

import pandas as pd
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

import chromium
import synthetic_sweep
from limr.analysis import answers, findings
from limr.analysis import map as mapping
from limr.core import plugins, validation
from limr.core.errors import InputError
from limr.report import make, map_section
from limr.report import page as report


@pytest.fixture(scope="module")
def inputs():
    whole = synthetic_sweep.inputs(synthetic_sweep.helps)
    e = whole.evaluations
    return dataclasses.replace(whole, evaluations=e[e["group"] != "rand-useless0-size128"])


def build(name, inputs, folder, **options):
    suffixes = {"tsv": "tsv", "markdown": "md", "latex": "tex"}
    outputs = {kind: folder / f"{name}.{suffix}" for kind, suffix in suffixes.items()}
    make.make_table(name, inputs, options, outputs)
    return pd.read_csv(outputs["tsv"], sep="\t"), outputs["markdown"].read_text()


def test_the_table_has_every_cell_and_names_what_is_missing(inputs, tmp_path):
    frame, text = build("map", inputs, tmp_path, smooth=False)
    assert len(frame) == 81
    missing = frame[frame["shows"] == "not evaluated"]
    assert len(missing) == 6  # three steps, in limr - rand and in rand - full
    assert missing["difference"].isna().all()
    assert "6 of 81 are not evaluated (yet)" in text
    assert "| LIMR | RAND | 0.25 | 64 | 24 |" in text  # 0.25 is no number to be rounded
    row = frame[(frame["useless"] == 0.5) & (frame["size"] == 64) & (frame["step"] == 48)].iloc[0]
    assert (row["shows"], row["after Holm"], row["as good"]) == ("better", "better", "yes")
    assert row["low"] < 12 < row["high"]
    called = frame["after Holm"] == "better"
    assert (frame[called]["shows"] == "better").all()
    regions, _ = build("map-regions", inputs, tmp_path, axes=["useless"], pairs=[["limr", "rand"]])
    assert regions["region"].tolist() == ["all cells", "useless 0", "useless 0.25", "useless 0.5"]
    assert regions[["cells", "of"]].to_numpy().tolist() == [[8, 9], [2, 3], [3, 3], [3, 3]]
    with pytest.raises(InputError, match="there is no axis 'siz'"):
        build("map-regions", inputs, tmp_path, axes=["siz"])
    with pytest.raises(InputError, match="there is no decoding 'greedy'"):
        build("map-regions", inputs, tmp_path, decodings=["greedy"])


def test_equal_what_says_what_was_not_evaluated(inputs, tmp_path):
    frame, text = build("equal-what", inputs, tmp_path, pairs=[["limr", "full"]])
    row = frame[(frame["useless"] == 0.5) & (frame["size"] == 64)].iloc[0]
    assert row["passes: at"] == "step 12 and 48"
    assert pd.isna(row["compute: points"])
    assert "times at step 12" in row["compute: at"]
    assert "nothing is interpolated" in text


@pytest.mark.slow
def test_the_figures_data_are_the_tables(inputs, tmp_path):
    module = plugins.load("figures", "map")
    options = validation.complete({"steps": [24, 48]}, module.Options, "figure 'map'")
    frame = module.data(inputs, options)
    assert len(frame) == 54
    assert set(frame["x_axis"]) == {"size"}
    assert set(frame["y_axis"]) == {"useless"}
    assert frame["difference"].isna().sum() == 4
    assert not frame.loc[~frame["of_full"], "comparison"].str.contains("FULL").any()
    drawn = {kind: tmp_path / f"m.{kind}" for kind in ("pdf", "png", "tsv", "caption")}
    make.draw_figure("map", inputs, {"steps": [48]}, drawn)
    assert "Hatched: not evaluated (yet), 2 of 27" in drawn["caption"].read_text()
    for wrong, message in (({"x": "siz"}, "there is no axis 'siz'"), ({"steps": [7]}, "step 7")):
        given = validation.complete(wrong, module.Options, "figure 'map'")
        with pytest.raises(InputError, match=message):
            module.data(inputs, given)


def test_the_answer_says_only_what_holds_after_holm(inputs):
    found = mapping.last(mapping.differences(inputs, ("limr", "rand")))
    better = [one for one in found if one.holm < 0.05]
    text = answers.answer(inputs)
    assert text.startswith(f"At step 48, LIMR is better than RAND in {len(better)} of 8 cells (")
    assert "worse in none" in text
    assert "(1 more are not evaluated)" in text
    lines = findings.sentences(inputs)
    assert (
        lines[0] == "The study declared no comparison before it ran: all of the map is exploratory."
    )
    declared = {"arm": "limr-useless0_5-size64", "against": "rand-useless0_5-size64"}
    said = findings.sentences(
        dataclasses.replace(inputs, study={**inputs.study, "declared": declared})
    )
    assert said[0].startswith("Primary comparison (declared before the run): LIMR, useless 0.5")
    assert "All other cells are exploratory." in said[1]
    assert len(answers.verdicts(inputs)) == 3


def test_a_study_without_a_sweep_has_no_map(inputs):
    assert map_section.section(dataclasses.replace(inputs, evaluations=None)) is None
    plain = dataclasses.replace(inputs, study={**inputs.study, "sweep": {}})
    assert map_section.section(plain) is None


@pytest.fixture(scope="module")
def page(inputs, tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "report.html"
    report.build_report(inputs, report.Parts(config={"study": "swept"}), path)
    return path


def says(browser):
    return browser.find_element(By.ID, "map-says").text


@pytest.mark.slow
def test_the_map_is_used_by_pointer_and_keys_and_is_accessible(page):
    with chromium.driver(1280, 1000) as browser:
        browser.get(page.as_uri())
        assert browser.get_log("browser") == []
        seen = browser.find_elements(By.CSS_SELECTOR, ".sheet:not([hidden])")
        assert len(seen) == 1
        cells = seen[0].find_elements(By.CSS_SELECTOR, "tbody td")
        assert [cell.get_attribute("tabindex") for cell in cells] == ["0"] + ["-1"] * 8
        browser.execute_script("arguments[0].focus()", cells[0])
        assert "useless 0.5, size 32, step 48: +" in says(browser)
        cells[0].send_keys(Keys.ARROW_RIGHT)
        assert "useless 0.5, size 64, step 48" in says(browser)
        assert "after Holm" in says(browser)
        browser.switch_to.active_element.send_keys(Keys.END)
        browser.switch_to.active_element.send_keys(
            Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN
        )
        assert "useless 0, size 128, step 48: not evaluated (3 and 0 seeds" in says(browser)
        Select(browser.find_element(By.ID, "map-step")).select_by_value("12")
        Select(browser.find_element(By.ID, "map-pair")).select_by_visible_text("LIMR − FULL")
        [sheet] = browser.find_elements(By.CSS_SELECTOR, ".sheet:not([hidden])")
        assert (sheet.get_attribute("data-pair"), sheet.get_attribute("data-step")) == ("1", "12")
        assert chromium.inaccessible(browser) == []
        chromium.dark(browser)
        assert chromium.inaccessible(browser) == []


@pytest.mark.slow
def test_the_map_fits_on_a_phone(page):
    with chromium.driver(390, 800, phone=True) as browser:
        browser.get(page.as_uri())
        assert browser.execute_script("return document.documentElement.scrollWidth") == 390

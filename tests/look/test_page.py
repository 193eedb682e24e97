"""The page of a look: what it says, that texts stay texts, its size, the same bytes each time."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import zlib
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import verl_log
from hypothesis import given
from hypothesis import strategies as st

from limr.look import drawings, look, page, prompt_browser
from limr.trajectories.findings import Finding


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log") / "rollouts"
    return look.look([verl_log.write(folder, verl_log.prompts(10))])


class Seen(HTMLParser):
    """Elements of a page with their attributes, its texts, and its packed data by id."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.data: dict[str, str] = {}
        self.inside: str | None = None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

        self.inside = attrs and tag == "script" and dict(attrs).get("id")

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside:
            self.data[self.inside] = data
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def seen(looked, path, **options):
    page.write(looked, path, **options)
    return Seen(path.read_text("utf-8"))


def unpacked(text):
    return json.loads(zlib.decompress(base64.b64decode(text)))


def index(found):
    return unpacked(found.data["problem-data"])


def responses(found):
    chunks = range(len(found.data) - 1)
    return [rows for k in chunks for rows in unpacked(found.data[f"responses-{k}"])]


def warned(looked):
    findings = (
        Finding("filtered-groups", "groups are missing.", "warning", 39, "1.jsonl:1"),
        Finding("joined-by-id", f"rows are joined {verl_log.MARKUP}", "info", 1234),
    )
    return dataclasses.replace(looked, findings=findings)


def test_it_says_what_was_read(looked, tmp_path):
    found = seen(looked, tmp_path / "report.html").text
    counts = looked.counts
    assert f"Of 10 prompts, {counts['learning']} are learning, {counts['dead']} dead" in found
    for words in ("160 samples", "4 visits at most", "verl-jsonl", "Scored by lim", "reach 0.6"):
        assert words in found
    for value, rows, taken in looked.imported.values:
        assert re.search(rf"{value}\s+{rows}\s+[\d.]+\s%\s+{taken}", found)


def test_warnings_come_first_and_every_finding_is_shown(looked, tmp_path):
    found = seen(warned(looked), tmp_path / "report.html").text
    assert found.index("groups are missing.") < found.index("rows are joined")
    for words in ("39 in all; the first: 1.jsonl:1 .", "1,234", "joined-by-id", verl_log.MARKUP):
        assert words in found


def test_codes_link_to_what_explains_them(monkeypatch, looked, tmp_path):
    assert page.link("some-code", tmp_path / "report.html") == ""
    monkeypatch.setattr(page.provenance, "ROOT", tmp_path)
    found = seen(warned(looked), tmp_path / "log.limr/report.html")
    links = [made["href"] for tag, made in found.elements if tag == "a"]
    assert "../docs/logs.md#filtered-groups" in links
    assert all(link.startswith(("#", "../docs/logs.md#")) for link in links)


def test_the_list_has_every_prompt_with_its_numbers(looked, tmp_path):
    data = index(seen(looked, tmp_path / "report.html"))
    table = looked.prompts
    assert data["ids"] == list(table["problem_id"])
    assert [data["class_names"][k] for k in data["classes"]] == list(table["class"])
    assert data["values"]["lim"] == pytest.approx(table["score"].tolist(), abs=1e-4)
    n = np.array(data["n"]).reshape(10, 4)
    assert n.sum(axis=1).tolist() == table["n"].tolist()
    k = np.array(data["correct"]).reshape(10, 4)
    assert k.sum(axis=1).tolist() == table["n_correct"].tolist()
    assert "low" not in data  # no visit is missing
    assert data["begin"] == verl_log.HEAD
    assert data["end"] == verl_log.TAIL
    assert "How many are 3 and 4?" in data["prompts"]


def test_scores_that_depend_on_missing_visits_have_bounds(looked, tmp_path):
    table = looked.prompts.assign(low=looked.prompts["score"] - 0.5)
    table.loc[0, ["score", "low", "high"]] = np.nan
    found = seen(dataclasses.replace(looked, prompts=table), tmp_path / "report.html")
    data = index(found)
    assert (data["low"][0], data["values"]["lim"][0]) == (None, None)
    assert data["low"][1:] == pytest.approx(table["low"][1:].tolist(), abs=1e-4)
    assert "9 scores depend on visits that are not in the log" in found.text


def test_responses_are_the_first_of_either_kind_at_both_ends(looked, tmp_path):
    found = seen(looked, tmp_path / "report.html")
    rows = responses(found)
    rollouts = looked.imported.rollouts
    for place, shown in zip(looked.place, rows, strict=True):
        mine = rollouts.problem == place
        pairs = zip(rollouts.visit[mine], rollouts.correct[mine], strict=True)
        ends = {(int(visit), bool(correct)) for visit, correct in pairs if visit in (0, 3)}
        assert {(r[0], r[2] == "correct") for r in shown} == ends
        assert len(shown) == len(ends) <= 4
        assert all(r[6] == float(r[2] == "correct") for r in shown)
    assert sorted(index(found)["answers"]) == sorted(f"<b>{i}</b>" for i in range(10))


def test_hostile_texts_are_no_markup(looked, tmp_path):
    hostile = verl_log.MARKUP + verl_log.BIDI + "\ud800"
    hostile_look = dataclasses.replace(
        looked,
        log=hostile,
        findings=(Finding("x", hostile, "warning", 1, hostile), Finding("y", hostile)),
        evidence={hostile: pd.DataFrame({hostile[:-1]: [hostile[:-1]]})},
        imported=dataclasses.replace(
            looked.imported, values=((hostile, 160, "correct"),), column=hostile,
            taken={"prompt": hostile, "response": "output", "gold": "gts"},
        ),
    )  # fmt: skip
    found = seen(hostile_look, tmp_path / "report.html")
    assert not {tag for tag, _ in found.elements} & {"img", "iframe", "object", "embed"}
    scripts = [made for tag, made in found.elements if tag == "script"]
    assert [made for made in scripts if "type" not in made] == [{}]  # the page's own
    assert not any(name.startswith("on") for _, made in found.elements for name in made)
    raw = (tmp_path / "report.html").read_text("utf-8")
    assert not set(raw) & set("\x00\x1b\u202e\u2066\u2028\u200b")
    assert "⟨U+202E⟩gnp.exe" in found.text
    texts = json.dumps([index(found), responses(found)], ensure_ascii=False)
    assert verl_log.MARKUP in index(found)["prompts"]
    assert "⟨U+D800⟩" in texts
    assert not set(texts) & set("\x00\x1b\u202e\u2066\u2028\u200b")


def test_long_texts_are_cut_and_say_so(looked, tmp_path):
    data = index(seen(looked, tmp_path / "report.html"))
    long = next(text for text in data["prompts"] if text.startswith("BBB"))
    assert len(long) < 2_100
    assert "[… 998,000 characters left out …]" in long


def test_the_same_look_gives_the_same_bytes(looked, tmp_path):
    page.write(looked, tmp_path / "a.html")
    page.write(looked, tmp_path / "b.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def packed_bytes(found):
    return sum(map(len, found.data.values()))


def test_where_it_grows_too_large_fewer_prompts_have_responses(tmp_path):
    texts = [f"{k}: " + "how many? " * 30 for k in range(300)]
    looked = look.look([verl_log.write(tmp_path / "log", texts, visits=2, samples=2, long=400)])
    whole = seen(looked, tmp_path / "whole.html")
    assert len(responses(whole)) == 300
    size = packed_bytes(whole)
    found = seen(looked, tmp_path / "less.html", most_bytes=size - 1)
    assert packed_bytes(found) < size
    assert 0 < len(responses(found)) < 300
    assert f"Of the first {len(responses(found))} (this page would grow too large" in found.text
    tiny = seen(looked, tmp_path / "tiny.html", most_bytes=3_000)
    assert packed_bytes(tiny) <= 3_000
    listed = len(index(tiny)["ids"])
    assert 0 < listed < 300
    assert index(tiny)["ids"] == looked.prompts["problem_id"].tolist()[:listed]
    assert f"The best {listed} prompts; prompts.parquet has the others" in tiny.text


def test_evidence_of_any_shape_is_a_table_of_fifty_rows_at_most(looked, tmp_path):
    frames = {
        "gold-contradicted": pd.DataFrame({"n": range(70), "share": [0.25] * 69 + [np.nan]}),
        "nothing": pd.DataFrame({"a": []}),
        "lists": pd.DataFrame({"a": [[1, 2], None, {"b": verl_log.MARKUP}]}),
    }
    found = seen(dataclasses.replace(looked, evidence=frames), tmp_path / "report.html").text
    for words in ("The first 50 of 70 rows; 20 are not shown.", "0.250", "No rows.", "[1, 2]"):
        assert words in found


def test_one_visit_has_no_curves(tmp_path):
    looked = look.look([verl_log.write(tmp_path / "log", verl_log.prompts(5), visits=1)])
    found = seen(looked, tmp_path / "report.html").text
    assert "Every prompt was visited once, so there are no curves" in found
    assert "That takes two visits of the same prompts" in found


def test_no_score_and_no_responses(looked, tmp_path):
    nothing = looked.prompts.assign(score=np.nan, low=np.nan, high=np.nan)
    bare = dataclasses.replace(
        looked, prompts=nothing, imported=dataclasses.replace(looked.imported, rollouts=None,
                                                              values=())
    )  # fmt: skip
    found = seen(bare, tmp_path / "report.html")
    for words in ("No prompt could be scored.", "no responses", "the log's own"):
        assert words in found.text
    assert index(found)["values"]["lim"] == [None] * 10
    assert responses(found) == []


@given(st.lists(st.text(alphabet="ab \n", max_size=12), min_size=1, max_size=6))
def test_what_prompts_share_is_taken_off_and_can_be_put_back(texts):
    begin, end = prompt_browser.shared(texts)
    assert all(text.startswith(begin) and text.endswith(end) for text in texts)
    inside = prompt_browser.inside(texts, begin, end)
    for text, own in zip(texts, inside, strict=True):
        assert begin + own + end == text or own == text


@given(st.lists(st.lists(st.sampled_from([0.0, 0.25, 1.0, np.nan]), min_size=3, max_size=3),
                min_size=1, max_size=6))  # fmt: skip
def test_the_mean_curve_is_over_the_prompts_that_have_the_visit(rows):
    curves = np.array(rows)
    mean, low, high = drawings.mean_interval(curves)
    for visit, column in enumerate(curves.T):
        known = column[~np.isnan(column)]
        if not len(known):
            assert np.isnan(mean[visit])
            continue
        assert mean[visit] == pytest.approx(known.mean())
        if len(known) > 1:
            sure = pd.Series(known).sem()
            assert low[visit] <= mean[visit] <= high[visit]
            assert high[visit] == pytest.approx(
                min(1, known.mean() + sure * T[len(known)]), abs=2e-3
            )


T = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571}  # Student's t, 95 %, from a table


def test_a_gap_in_a_curve_is_a_gap_in_its_path():
    found = drawings.path(np.array([0.0, np.nan, 1.0, 0.5]))
    assert found == "M0.0 100.0L0.0 100.0M66.67 0.0L66.67 0.0L100.0 50.0"
    assert drawings.path(np.array([np.nan])) == ""


def test_bars_hold_every_score_once():
    known = [*np.random.default_rng(1).uniform(-1, 1, 199), 1.0, -50.0]
    found = drawings.distribution(np.array([*known, np.nan]), (0.6, "threshold 0.6"))
    low = sorted(known)[2]  # a hundredth of the scores may lie below
    counts = [0] * 40
    for score in known:
        counts[min(39, int((max(score, low) - low) / (1 - low) * 40))] += 1
    assert [bar["height"] for bar in found["bars"]] == pytest.approx(
        [100 * n / max(counts) for n in counts], abs=1e-3
    )
    assert found["below"] == 2
    assert [bar["x"] + 1.25 >= found["rule"]["at"] for bar in found["bars"]] == [
        bar["kept"] for bar in found["bars"]
    ]
    assert drawings.distribution(np.array([np.nan]), None) is None
    assert len(drawings.distribution(np.array([0.5, 0.5]), None)["bars"]) == 1

"""What the report computes: inert texts, what is shown of a run, what would change the answer."""

import base64
import dataclasses
import json
import zlib

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import synthetic_rollouts
import synthetic_study
from limr.analysis import answers, contrasts, number_text, sensitivity
from limr.analysis.contrasts import Choice
from limr.core import safe_text
from limr.core.errors import InputError
from limr.report import example_responses as shown
from limr.report import interval_charts, problem_browser, table_text, template
from limr.statistics.intervals import Interval


@pytest.fixture(scope="module")
def inputs():
    return synthetic_study.inputs()


@pytest.fixture(scope="module")
def path(inputs, tmp_path_factory):
    path = tmp_path_factory.mktemp("rollouts") / "rollouts.parquet"
    synthetic_rollouts.write(inputs.trajectories["full"], path)
    return path


def unpacked(text):
    return json.loads(zlib.decompress(base64.b64decode(text)))


@pytest.mark.slow
@given(st.text())
def test_a_visible_text_has_nothing_that_acts(text):
    found = safe_text.visible(text)
    assert all(c.isprintable() or c in "\n\t\u200c\u200d" or c.isspace() for c in found)
    assert not set(found) & set("\x00\x07\x1b\x7f\x9b\u202e\u2066\u2028\ufeff")
    if text.isprintable():
        assert found == text


@given(st.text(alphabet="ab\x1b\n", max_size=400), st.integers(10, 200))
def test_a_bounded_text_keeps_its_start_and_end(text, limit):
    found = safe_text.bounded(text, limit)
    if len(text) <= limit:
        assert found == safe_text.visible(text)
    else:
        left = len(text) - limit
        assert f"[… {left:,} characters left out …]" in found
        assert found.startswith(safe_text.visible(text[: int(0.4 * limit)]))
        assert found.endswith(safe_text.visible(text[-(limit - int(0.4 * limit)) :]))
    assert len(found) <= limit + 60


def test_verdicts_are_counted_by_epoch(inputs, path):
    found = shown.read(path, 200)
    curves = inputs.trajectories["full"].to_pandas().set_index(["problem_id", "epoch"])
    counts = found.counts.set_index(["problem_id", "epoch"]).loc[curves.index]
    assert (counts["correct"] == curves["n_correct"]).all()
    assert (counts.sum(axis=1) == curves["n"]).all()
    assert (counts["malformed"] == (curves["n_correct"] < 8)).all()


def test_all_responses_are_shown_where_they_are_few_and_short(path, monkeypatch):
    found = shown.read(path, 200)
    assert found.all
    assert {len(responses) for responses in found.shown.values()} == {48}
    monkeypatch.setattr(shown, "ALL_CHARACTERS", 1_000)
    assert not shown.read(path, 200).all


def test_few_responses_of_the_start_and_the_end_are_shown(path, monkeypatch):
    monkeypatch.setattr(shown, "ALL_ROWS", 1_000)
    found = shown.read(path, 200).shown
    assert len(found) == 384
    for key, responses in found.items():
        assert 1 <= len(responses) <= 3
        assert (responses[0]["epoch"], responses[0]["sample"]) == (0, 0), key
        last = responses[1:]
        assert {response["epoch"] for response in last} == {5}
        right = [response["verdict"] == "correct" for response in last]
        assert sorted(right) == sorted(set(right))
        assert all(len(response["text"]) <= 260 for response in responses)


def test_texts_come_from_their_own_rows_across_batches(path, monkeypatch):
    whole = shown.read(path, 500)
    monkeypatch.setattr(shown, "BATCH", 7)
    assert shown.read(path, 500).shown == whole.shown


def test_long_texts_come_few_at_a_time(path, monkeypatch):
    monkeypatch.setattr(shown, "ALL_ROWS", 1_000)
    whole = shown.read(path, 500)
    monkeypatch.setattr(shown, "ROOM", 2_000)
    sizes = [len(texts) for texts in shown._batches(path)]
    assert 1 <= max(sizes) < 4096
    assert sum(sizes) == 384 * 6 * 8
    assert shown.read(path, 500).shown == whole.shown


def test_rollouts_that_are_none_are_refused(tmp_path):
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(InputError, match=r"x\.parquet: not a readable parquet table"):
        shown.read(tmp_path / "x.parquet", 100)


def test_the_browser_holds_every_problem_once(inputs, path):
    found = problem_browser.build(inputs, {"full": path}, texts=True)
    index = unpacked(found.index)
    assert found.n == len(index["ids"]) == len(index["prompts"]) == 384
    assert index["scores"][0] == found.scored_by == "lim"
    limr = next(arm for arm in index["arms"] if arm["name"] == "limr")
    kept = {key for key, flag in zip(index["ids"], limr["kept"], strict=True) if flag == "1"}
    assert kept == set(inputs.subsets["limr"]["problem_ids"])
    assert "full" not in {arm["name"] for arm in index["arms"]}
    assert len(index["correct"]) == len(index["malformed"]) == 384 * index["epochs"]
    curves = inputs.trajectories["full"].to_pandas()
    assert sum(index["correct"]) == curves["n_correct"].sum()
    chunks = [unpacked(text) for text in found.responses]
    assert [len(chunk) for chunk in chunks] == [128, 128, 128]
    scores = inputs.scores["lim"].set_index("problem_id")["score"]
    for key, value in zip(index["ids"], index["values"]["lim"], strict=True):
        assert value == pytest.approx(scores[key], abs=1e-4)


def test_texts_stay_out_where_the_study_says_so(inputs, path):
    found = problem_browser.build(inputs, {"full": path}, texts=False)
    index = unpacked(found.index)
    assert found.responses == ()
    assert "prompts" not in index
    assert "answers" not in index
    assert "thinking" not in json.dumps(index)


def test_a_study_without_curves_or_scores(inputs):
    bare = dataclasses.replace(inputs, trajectories={}, problems={})
    found = problem_browser.build(bare, {}, texts=True)
    assert (found.curves, found.responses) == (False, ())
    index = unpacked(found.index)
    assert index["epochs"] == 0
    assert set(index["prompts"]) == {""}
    assert problem_browser.build(dataclasses.replace(inputs, scores={}), {}, texts=True) is None


def test_responses_of_many_problems_are_shorter():
    assert problem_browser.response_limit(10) == 1500
    assert 160 < problem_browser.response_limit(8523) < 1500
    assert 3 * 8523 * problem_browser.response_limit(8523) <= problem_browser.RESPONSES
    assert problem_browser.response_limit(10**7) == 160


def test_marks_tell_arms_apart(inputs):
    marks = problem_browser.marks(inputs)
    assert marks == {"limr": "LIM", "rand": "R", "linear": "LIN", "sft": "S"}


def test_marks_tell_titles_apart_that_begin_alike(inputs):
    titles = ["limr", "limr-strict", "limr-loose"]
    arms = [arm for arm in problem_browser.chosen(inputs) if arm["group"] != "rand"][:3]
    arms = [{**arm, "title": title} for arm, title in zip(arms, titles, strict=True)]
    changed = dataclasses.replace(inputs, study={**inputs.study, "arms": arms})
    assert len(set(problem_browser.marks(changed).values())) == 3


def test_a_column_that_says_one_thing_is_said_once():
    frame = pd.DataFrame({"arm": list("abc"), "n": ["3", "2", "1"], "level": ["95.0"] * 3})
    cells = template.cells(frame.assign(none="–"))
    assert cells["columns"] == ["arm", "n"]
    assert cells["rows"] == [["a", "3"], ["b", "2"], ["c", "1"]]
    assert cells["everywhere"] == [("level", "95")]
    for shown_cells in (template.cells(frame, whole=False), template.cells(frame[:2])):
        assert shown_cells["columns"] == ["arm", "n", "level"]


def test_a_text_between_back_quotes_is_code_and_stays_inert():
    assert template.code("a `b: <i>` `c") == "a <code>b: &lt;i&gt;</code> `c"


def test_zero_has_no_sign():
    assert [table_text.rounded(x, 2) for x in (-0.004, -0.006, 0.0)] == ["0.00", "−0.01", "0.00"]


def test_a_choice_is_what_it_says(inputs):
    alone = Choice(seed=1, benchmarks=("hard",), decoding="greedy", step=24)
    found = contrasts.group_difference(inputs, "limr", "full", alone)
    e = inputs.evaluations
    e = e[(e["seed"] == 1) & (e["benchmark"] == "hard") & (e["decoding"] == "greedy")]
    e = e[e["step"] == 24].assign(accuracy=lambda f: f["n_correct"] / f["n"])
    means = e.groupby("group")["accuracy"].mean()
    assert found.mean == pytest.approx(means["limr"] - means["full"])
    assert found.n_runs == 1
    assert contrasts.group_difference(inputs, "limr", "full", Choice()) == (
        contrasts.group_difference(inputs, "limr", "full")
    )


@pytest.mark.slow
def test_the_answer_is_tried_on_every_other_choice(inputs):
    answers = sensitivity.answers(inputs)
    assert [(a.first.name, a.second.name) for a in answers] == [("limr", "full"), ("limr", "rand")]
    names = [variant.name for variant in answers[0].variants]
    assert names == [
        "step 12", "step 24", "step 36", "each arm's best step (optimistic)",
        "seed 1 alone", "seed 2 alone", "Arithmetic, easy alone",
        "Arithmetic, medium alone", "Arithmetic, hard alone", "decoding 'greedy'",
    ]  # fmt: skip
    for answer in answers:
        for variant in answer.variants:
            same = variant.interval.verdict == answer.interval.verdict
            assert variant.same == same
        assert answer.detectable > 2.8 * answer.interval.standard_error  # few runs
    lines = sensitivity.sentences(answers)
    others = len(answers[0].others)
    assert f"LIMR − FULL: {10 - others} of 10 other choices say the same" in lines[0]
    assert sensitivity.answers(dataclasses.replace(inputs, evaluations=None)) == []


@pytest.mark.slow
def test_a_change_of_the_answer_is_named(inputs):
    first, second = inputs.groups[2], inputs.groups[1]

    def interval(low, high):
        return Interval((low + high) / 2, low, high, 0.01, 2, 330)

    reported = interval(0.02, 0.06)
    variants = (
        sensitivity.Variant("step", "step 12", interval(-0.06, -0.02), same=False),
        sensitivity.Variant("seed", "seed 1 alone", interval(-0.01, 0.03), same=False),
        sensitivity.Variant("seed", "seed 2 alone", interval(0.01, 0.03), same=True),
    )
    estimate = sensitivity.answers(inputs)[0].estimate
    answer = sensitivity.Answer(first, second, reported, estimate, 0.95, variants)
    lines = sensitivity.sentences([answer])
    assert "1 of 3 other choices say the same" in lines[0]
    assert "1 cannot tell the two apart (seed 1 alone)" in lines[0]
    assert "1 puts LIMR below (step 12)" in lines[0]
    assert f"about {100 * answer.detectable:.0f} points" in lines[1]


@pytest.mark.slow
def test_the_answer_is_one_sentence_and_its_verdicts_have_the_numbers(inputs):
    text = answers.answer(inputs)
    assert text.startswith("Training on LIMR’s 176 problems raised held-out accuracy above the ")
    assert "; it ended below FULL on all 384 and beat RAND on a random 96" in text
    assert text.endswith("(2 seeds, 330 questions, 95 % intervals).")
    shown = answers.verdicts(inputs)
    assert [one.what.split()[1] for one in shown] == ["the", "FULL", "RAND"]
    assert [one.word for one in shown] == ["above", "below", "above"]
    for one, other in zip(shown, ("base", "full", "rand"), strict=True):
        assert one.gap == number_text.points(contrasts.group_difference(inputs, "limr", other))
    bare = dataclasses.replace(inputs, evaluations=None)
    assert answers.answer(bare).startswith("LIMR chooses 176 of 384 problems by ‘lim’; ")


def test_a_study_that_only_evaluates_asks_another_question(inputs):
    e = inputs.evaluations
    base = [arm for arm in inputs.study["arms"] if arm["group"] == "base"]
    bare = dataclasses.replace(
        inputs, study={**inputs.study, "arms": base}, evaluations=e[e["group"] == "base"],
        subsets={}, scores={},
    )  # fmt: skip
    assert answers.question(bare) == "How many of the questions are solved?"
    interval = contrasts.group_interval(bare, "base")
    assert answers.answer(bare).startswith(f"Base solves {number_text.percent(interval)} of")
    assert answers.headline(bare) == [answers.answer(bare)]
    arms = [arm for arm in inputs.study["arms"] if arm["group"] in ("base", "full", "sft")]
    some = dataclasses.replace(
        inputs, study={**inputs.study, "arms": arms},
        evaluations=e[e["group"].isin(["base", "full", "sft"])],
    )  # fmt: skip
    assert answers.question(some) == "How do the arms compare?"
    assert answers.answer(some).startswith("FULL (384 problems) ends highest")


@pytest.mark.slow
def test_charts_stay_within_their_track(inputs):
    found = sensitivity.answers(inputs)
    charts = (interval_charts.forest, interval_charts.differences)
    for chart in (*(make(inputs) for make in charts), interval_charts.answers(inputs, found)):
        assert chart["rows"]
        for row in chart["rows"]:
            assert 0 < row["low"] <= row["mean"] <= row["high"] < 100
        places = [place for place, _ in chart["grid"]]
        assert places == sorted(places)
        assert 3 <= len(places) <= 9
    chart = interval_charts.answers(inputs, found)
    assert dict(chart["grid"])[chart["zero"]] == "0"

"""Overlap of benchmarks with training problems: by hand, on the real data, and results without."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
import pytest

import synthetic_study
from limr.analysis import contamination, contrasts, number_text
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.problems import normalised_text, overlap
from limr.problems.datasets import math_full, question_answer
from limr.report import caveats, make, page
from limr.report.tables import clean_results
from limr.report.tables import contamination as counts
from limr.report.tables import contamination_examples as examples
from limr.sources import pinned

ROOT = Path(__file__).parents[2]


def problems(*texts: str, name: str = "t") -> list[Problem]:
    return [Problem(f"{name}{i}", text, "1", "x") for i, text in enumerate(texts)]


def measured(questions, training, words=(2,), scopes=None, longest=1000):
    scopes = scopes or [overlap.Scope("problem set", "mine", "mine")]
    table, cut = overlap.measure(questions, {"mine": training}, scopes, words, longest)
    frame = table.to_pandas().assign(benchmark="b")
    ids = ["nearest", "match_id"]
    frame[ids] = frame[ids].astype(object).where(frame[ids].notna(), None)
    return frame, cut


def test_words_are_runs_of_letters_and_digits():
    text = "Let $x_1\\le\\frac{3}{4}$,  ＡＢ of the CAFÉ\u0301; n^2-1"
    assert normalised_text.words(text)[:6] == ["let", "x", "1", "le", "frac", "3"]
    assert normalised_text.words("ＡＢ Straße CAFÉ") == ["ab", "strasse", "café"]
    assert normalised_text.words("$$ + - \\ {} _") == []


def test_shares_are_those_counted_by_hand():
    """a b c d a b has the pairs ab, bc, cd, da: four different ones."""
    question = problems("A b, c\n$d$ (a) b", name="q")
    training = problems("b c d", "x a b", "d a! a b c", "nothing here")
    frame, cut = measured(question, training)
    row = frame.iloc[0]
    assert cut == 0
    assert row["n_grams"] == 4
    assert row["covered"] == 4  # ab, bc, cd, da: every pair stands somewhere
    assert row["shared"] == 3  # da, ab, bc
    assert row["nearest"] == "t2"
    assert row["n_problems"] == 4
    assert (row["match"], row["match_id"]) == ("", None)
    assert contamination.shares(frame, "shared").iloc[0] == 0.75


def test_n_grams_do_not_run_over_the_end_of_a_text():
    frame, _ = measured(problems("a b", name="q"), problems("x a", "b y"))
    assert frame["covered"].tolist() == [0]
    assert frame["nearest"].tolist() == [None]


def test_a_question_with_fewer_words_is_missing_not_zero():
    frame, _ = measured(problems("a b c", "a b", name="q"), problems("a b c d"), words=(3, 4))
    by = frame.set_index(["words", "problem_id"])
    assert by["n_grams"].to_dict() == {(3, "q0"): 1, (3, "q1"): 0, (4, "q0"): 0, (4, "q1"): 0}
    share = contamination.shares(by, "shared")
    assert share[3, "q0"] == 1
    assert share.isna().sum() == 3


def test_same_texts_are_exact_or_but_for_layout_and_signs_count():
    questions = problems("Find $x$.", "What is $\\dfrac{1}{2}$ ?", "x - 1 over two", "x", name="q")
    training = problems("x + 1 over two", "what is $ \\frac{1}{2}$?", " Find $x$.\n", "find $x$.")
    frame, _ = measured(questions, training)
    assert frame["match"].tolist() == ["exact", "normalised", "", ""]
    assert frame["match_id"].tolist() == ["t2", "t1", None, None]
    # The same words, another sign: all its pairs are there, and it is still not the same text.
    assert (frame["shared"] == frame["n_grams"]).tolist() == [True, False, True, True]


def test_an_arm_is_measured_on_its_own_problems():
    question = problems("a b c d", name="q")
    training = problems("a b c d", "b c", "c d e")
    scopes = [
        overlap.Scope("problem set", "mine", "mine"),
        overlap.Scope("arm", "few", "mine", ["t2", "t1"]),
        overlap.Scope("arm", "none", "mine", []),
    ]
    frame, _ = measured(question, training, scopes=scopes)
    assert frame["trained_on"].tolist() == ["mine", "few", "none"]
    assert frame["covered"].tolist() == [3, 2, 0]
    assert frame["shared"].tolist() == [3, 1, 0]
    assert frame["nearest"].tolist() == ["t0", "t1", None]  # the first of two with as many
    assert frame["match"].tolist() == ["exact", "", ""]
    with pytest.raises(InputError, match="arm 'x': its problem 't9' is not in 'mine'"):
        measured(question, training, scopes=[overlap.Scope("arm", "x", "mine", ["t9"])])


def test_it_agrees_with_plain_sets_on_random_texts():
    rng = np.random.default_rng(5)
    made = [" ".join(rng.choice(list("abcd"), rng.integers(1, 14))) for _ in range(90)]
    questions, training = problems(*made[:30], name="q"), problems(*made[30:])
    frame, _ = measured(questions, training, words=(1, 2, 3, 5))
    for row in frame.itertuples():

        def grams(text: str, n: int = row.words) -> set[tuple[str, ...]]:
            found = text.split()
            return {tuple(found[i : i + n]) for i in range(len(found) - n + 1)}

        own = grams(next(q.prompt for q in questions if q.problem_id == row.problem_id))
        each = [grams(p.prompt) for p in training]
        best = max(len(own & found) for found in each)
        assert row.n_grams == len(own)
        assert row.covered == len(own & set().union(*each))
        assert row.shared == best
        if best:
            assert row.nearest == f"t{[len(own & found) for found in each].index(best)}"


def test_long_and_repeated_texts_take_bounded_time():
    long = "a " * 2_000_000
    start = time.process_time()
    frame, cut = measured(
        problems(long, "word" * 500_000, "a b", name="q"),
        problems(*[long] * 40, *["same words again and again here"] * 5000),
        words=(8, 13),
        longest=20_000,
    )
    assert cut == 42
    assert frame["match"].tolist()[:2] == ["exact", ""]  # of a cut text, its start is no match
    assert frame["n_grams"].tolist()[0] == 1
    assert time.process_time() - start < 20


def read(mirror: Path, name: str) -> list[Problem]:
    path = mirror / pinned.load_sources(ROOT / "config/sources.yaml")[name].mirror
    module = math_full if name == "limr_math_full" else question_answer
    options = {"empty_answers": "keep"} if module is math_full else {"prefix": name}
    return module.prepare(options, path)[0]


def test_math_full_and_math500_share_what_was_found(mirror):
    """No text in common; 9 questions share 80 % of their 8-grams with a problem, 32 half."""
    training, questions = read(mirror, "limr_math_full"), read(mirror, "math500")
    assert (len(training), len(questions)) == (8523, 500)
    frame, cut = measured(questions, training, words=(8, 13), longest=20_000)
    assert cut == 0
    assert (frame["match"] == "").all()
    found = {}
    for words, part in frame.groupby("words"):
        found[words] = {
            "too short": int((part["n_grams"] == 0).sum()),
            **{
                column: [int((contamination.shares(part, column) >= t).sum()) for t in (0.5, 0.8)]
                for column in ("shared", "covered")
            },
        }
    assert found == {
        8: {"too short": 13, "shared": [32, 9], "covered": [38, 11]},
        13: {"too short": 51, "shared": [18, 3], "covered": [18, 3]},
    }
    assert {name: len(ids) for name, ids in contamination.overlapping(frame, 8, 0.5).items()} == {
        "b": 32
    }


# --- tables


@pytest.fixture(scope="module")
def inputs():
    return synthetic_study.inputs()


def test_counts_stand_for_every_set_and_length(inputs):
    frame = counts.build(inputs, {})
    assert len(frame) == (1 + 5) * 3 * 2  # the problem set and five groups; benchmarks; lengths
    easy = frame[(frame["benchmark"] == "Arithmetic, easy") & (frame["n-grams"] == "2 words")]
    whole = easy.set_index("trained on").loc["problem set arithmetic"]
    assert whole["same but for layout"] == 3
    assert whole["≥ 80 % in one problem"] == 3
    assert (whole["questions"], whole["too short"], whole["problems"]) == (120, 0, 387)
    full = easy.set_index("trained on").loc["FULL"]
    assert full["same but for layout"] == 0  # no arm trains on the copies
    eight = frame[frame["n-grams"] == "8 words"]
    assert (eight["too short"] == eight["questions"]).all()
    assert (eight["≥ 50 % in one problem"] == 0).all()
    assert easy.set_index("trained on").loc["RAND", "draws"] == 2
    assert "fewer words" in counts.caption(frame)


def test_examples_show_the_nearest_pair_and_hostile_texts_harmlessly(inputs):
    frame = examples.build(inputs, {"examples": 2})
    assert frame["problem"].tolist() == ["copy-0", "copy-1"]
    assert frame["question"].tolist() == ["easy-0", "easy-1"]
    assert frame["text of the problem"].tolist() == ["easy 0?", "easy 1?"]
    assert set(frame["arms that train on it"]) == {"none"}
    hostile = [
        dataclasses.replace(p, prompt=f"\x1b[31m{p.prompt}\n" + "x" * 999)
        for p in inputs.problems["arithmetic"]
    ]
    shown = dataclasses.replace(inputs, problems={**inputs.problems, "arithmetic": hostile})
    text = examples.build(shown, {"examples": 1})["text of the problem"].iloc[0]
    assert text.startswith("␛[31measy 0? xxx")
    assert text.endswith("…")
    assert len(text) < 200


@pytest.mark.slow
def test_results_without_the_overlapping_questions_are_those_of_the_others(inputs):
    assert contamination.left_out(inputs)["easy"] == {"easy-0", "easy-1", "easy-2"}
    frame = clean_results.build(inputs, {}).set_index(["arm", "benchmark"])
    row = frame.loc["LIMR", "Arithmetic, easy"]
    assert (row["questions"], row["clean questions"]) == (120, 117)
    e = inputs.evaluations
    last = (e["group"] == "limr") & (e["step"] == 48) & (e["decoding"] == "sampled")
    easy = e[last & (e["benchmark"] == "easy")]
    hit = easy["problem_id"].isin(["easy-0", "easy-1", "easy-2"])
    share = (easy["n_correct"] / easy["n"]).groupby(hit).mean()
    assert row["clean %"] == pytest.approx(100 * share[False])
    assert row["overlapping %"] == pytest.approx(100 * share[True])
    assert row["change"] == pytest.approx(row["clean %"] - row["all %"])
    same = frame.loc["LIMR", "Arithmetic, hard"]
    assert same["change"] == 0
    assert np.isnan(same["overlapping %"])
    mean = frame.loc["LIMR", clean_results.MEAN]
    assert mean["clean %"] == pytest.approx(
        100 * contrasts.group_interval(contamination.clean(inputs), "limr").mean
    )
    assert "without the 3 that overlap" in clean_results.caption(frame.reset_index())


@pytest.mark.slow
def test_a_benchmark_that_overlaps_whole_has_no_clean_result(inputs):
    every = inputs.overlaps.assign(match="exact")
    easy = inputs.overlaps.assign(
        match=inputs.overlaps["benchmark"].map({"easy": "exact"}).fillna("")
    )
    frame = clean_results.build(dataclasses.replace(inputs, overlaps=easy), {})
    row = frame[(frame["arm"] == "FULL") & (frame["benchmark"] == "Arithmetic, easy")].iloc[0]
    assert row["clean questions"] == 0
    assert np.isnan(row["clean %"])
    with pytest.raises(InputError, match="every question overlaps"):
        clean_results.build(dataclasses.replace(inputs, overlaps=every), {})


def test_a_study_without_benchmarks_says_so(inputs):
    none = dataclasses.replace(inputs, overlaps=None)
    for module in (counts, examples):
        with pytest.raises(InputError, match="the study has no overlaps"):
            module.build(none, {"examples": 1})


def test_the_report_says_comparisons_again_without_them(inputs):
    [text] = caveats.contaminated(inputs)
    assert text.startswith("3 of 330 benchmark questions overlap with a training problem set")
    gap = contrasts.group_difference(contamination.clean(inputs), "limr", "full")
    assert f"LIMR − FULL is {number_text.points(gap)}" in text
    none = inputs.overlaps.assign(match="", shared=0)
    [text] = caveats.contaminated(dataclasses.replace(inputs, overlaps=none))
    assert text.startswith("No benchmark question overlaps")
    assert caveats.contaminated(dataclasses.replace(inputs, overlaps=None)) == []


def test_a_page_without_texts_leaves_their_table_out(inputs, tmp_path):
    paths = []
    for name in ("contamination", "contamination-examples"):
        kinds = {"tsv": ".tsv", "markdown": ".md", "latex": ".tex"}
        paths.append(tmp_path / f"{name}.tsv")
        outputs = {kind: paths[-1].with_suffix(suffix) for kind, suffix in kinds.items()}
        make.make_table(name, inputs, {}, outputs)
    for texts in (True, False):
        parts = page.Parts({}, tables=paths, texts=texts)
        assert [page._shown(path.stem, parts) for path in paths] == [True, texts]

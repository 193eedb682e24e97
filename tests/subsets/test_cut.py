"""Cutting scores into subsets: rules, ties, refusals, records."""

import hashlib
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limr.core import files
from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.core.tables import TRAJECTORIES, Problem, read_problems
from limr.scores import scoring
from limr.scores.selectors import lim
from limr.scores.thresholds import sizes
from limr.subsets import cut
from limr.trajectories import curves as tr

VALUES = [0.9, 0.6, np.nan, 0.2, 0.6, -1.5]
PROBLEMS = [Problem(f"p{i}", f"text {i}", "1", "test") for i in range(len(VALUES))]


def frame(values=VALUES):
    reason = ["an epoch is missing" if np.isnan(value) else "" for value in values]
    ids = [f"p{i}" for i in range(len(values))]
    return pd.DataFrame({"problem_id": ids, "score": values, "reason": reason})


def rng(seed=1):
    return stream(seed, "ties", "test")


def ids(rows):
    return [row["problem_id"] for row in rows]


def test_threshold_is_inclusive_by_default_and_strict_on_request():
    rows, record = cut.cut(frame(), PROBLEMS, {"threshold": 0.6}, rng())
    assert ids(rows) == ["p0", "p1", "p4"]
    assert rows[1] == {
        "problem_id": "p1",
        "prompt": "text 1",
        "answer": "1",
        "source": "test",
        "level": None,
        "score": 0.6,
    }
    assert record["n_problems"] == 6
    assert record["n_scored"] == 5
    assert record["n_selected"] == 3
    assert record["score_range"] == [-1.5, 0.9]
    assert record["selected_score_range"] == [0.6, 0.9]
    rows, _ = cut.cut(frame(), PROBLEMS, {"threshold": 0.6, "strict": True}, rng())
    assert ids(rows) == ["p0"]


def test_sizes_at_several_thresholds():
    _, record = cut.cut(frame(), PROBLEMS, {"threshold": 0.6}, rng())
    assert record["sizes_at_thresholds"] == {
        "0.3": 3, "0.4": 3, "0.5": 3, "0.6": 3, "0.7": 1, "0.8": 1, "0.9": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("threshold", "word"), [(0.95, "none"), (-2, "all")])
def test_a_threshold_that_selects_nothing_or_everything_is_refused(threshold, word):
    with pytest.raises(InputError) as caught:
        cut.cut(frame(), PROBLEMS, {"threshold": threshold}, rng(), "arm 'limr'")
    message = str(caught.value)
    assert message.startswith("arm 'limr'")
    assert f"selects {word} of the 5" in message
    assert "-1.500 to 0.900" in message
    assert "0.6: 3" in message


def test_size_takes_the_best_and_breaks_ties_at_the_last_place_by_seed():
    chosen = set()
    for seed in range(30):
        rows, record = cut.cut(frame(), PROBLEMS, {"size": 2}, rng(seed))
        assert rows[0]["problem_id"] == "p0"
        chosen.add(rows[1]["problem_id"])
        assert record["ties"]["n_at_score"] == 2
        assert record["ties"]["n_taken"] == 1
        again, _ = cut.cut(frame(), PROBLEMS, {"size": 2}, rng(seed))
        assert ids(again) == ids(rows)
    assert chosen == {"p1", "p4"}


def test_a_tie_is_stated_in_the_record():
    _, record = cut.cut(frame(), PROBLEMS, {"size": 2}, rng())
    assert record["ties"] == {
        "score": 0.6,
        "n_at_score": 2,
        "n_taken": 1,
        "rule": "ties at the last place are broken at random, seeded",
    }
    _, record = cut.cut(frame(), PROBLEMS, {"size": 1}, rng())
    assert record["ties"]["n_at_score"] == record["ties"]["n_taken"] == 1  # no tie
    _, record = cut.cut(frame(), PROBLEMS, {"threshold": 0.6}, rng())
    assert record["ties"] is None  # a threshold has none


def test_all_tied_is_a_random_subset():
    """Every problem of a constant score is taken equally often: 2 of 5, in 400 seeds."""
    values = [1.0] * 5
    counts = dict.fromkeys([p.problem_id for p in PROBLEMS[:5]], 0)
    for seed in range(400):
        rows, record = cut.cut(frame(values), PROBLEMS[:5], {"size": 2}, rng(seed))
        assert record["ties"]["n_at_score"] == 5
        for problem_id in ids(rows):
            counts[problem_id] += 1
    assert all(abs(n - 160) < 40 for n in counts.values())  # sd 9.8


def test_minus_zero_ties_with_zero():
    values = [0.0, -0.0, 0.0, -0.0, 1.0]
    _, record = cut.cut(frame(values), PROBLEMS[:5], {"size": 2}, rng())
    assert record["ties"]["n_at_score"] == 4
    chosen = {
        ids(cut.cut(frame(values), PROBLEMS[:5], {"size": 1}, rng(seed))[0])[0] for seed in range(5)
    }
    assert chosen == {"p4"}


values_strategy = st.lists(
    st.none() | st.sampled_from([-2.0, -0.5, 0.0, 0.25, 0.6, 1.0]), min_size=1, max_size=15
).filter(lambda values: any(value is not None for value in values))


@settings(deadline=None)
@given(values_strategy, st.data())
def test_size_properties(values, data):
    values = [np.nan if value is None else value for value in values]
    problems = [Problem(f"p{i}", "text", "1", "test") for i in range(len(values))]
    scorable = [value for value in values if not np.isnan(value)]
    size = data.draw(st.integers(1, len(scorable)))
    rows, record = cut.cut(frame(values), problems, {"size": size}, rng())
    assert len(rows) == record["n_selected"] == size
    assert sorted(row["score"] for row in rows) == sorted(scorable)[-size:]  # NaN is never taken
    numbers = [int(row["problem_id"][1:]) for row in rows]
    assert numbers == sorted(numbers)
    last = min(row["score"] for row in rows)
    assert record["ties"]["score"] == last
    assert record["ties"]["n_at_score"] == scorable.count(last)
    assert record["ties"]["n_taken"] == [row["score"] for row in rows].count(last)


@settings(deadline=None)
@given(values_strategy, st.sampled_from([-0.5, 0.0, 0.6]), st.booleans())
def test_threshold_properties(values, threshold, strict):
    values = [np.nan if value is None else value for value in values]
    problems = [Problem(f"p{i}", "text", "1", "test") for i in range(len(values))]
    kept = [v for v in values if (v > threshold if strict else v >= threshold)]
    rule = {"threshold": threshold, "strict": strict}
    if len(kept) in (0, sum(not np.isnan(value) for value in values)):
        with pytest.raises(InputError, match="Choose another threshold, or a size"):
            cut.cut(frame(values), problems, rule, rng())
        return
    rows, record = cut.cut(frame(values), problems, rule, rng())
    assert [row["score"] for row in rows] == kept
    assert record["sizes_at_thresholds"] == sizes(np.array(values), strict)


def test_strict_counts_differ_from_inclusive_ones_at_the_threshold_only():
    values = np.array(VALUES)
    assert sizes(values)["0.6"] == 3
    assert sizes(values, strict=True)["0.6"] == 1
    assert sizes(values)["0.5"] == sizes(values, strict=True)["0.5"]


def test_threshold_and_size_together_are_refused():
    with pytest.raises(InputError, match="a threshold or a size, not both"):
        cut.cut(frame(), PROBLEMS, {"threshold": 0.6, "size": 2}, rng())


def test_rows_of_the_scores_may_stand_in_another_order():
    shuffled = frame().sample(frac=1, random_state=1)
    rows, _ = cut.cut(shuffled, PROBLEMS, {"threshold": 0.6}, rng())
    assert ids(rows) == ["p0", "p1", "p4"]


@pytest.mark.parametrize("size", [0, 6])
def test_a_size_beyond_the_scorable_is_refused(size):
    with pytest.raises(InputError, match=r"from 1 to 5.*1 of 6 have none"):
        cut.cut(frame(), PROBLEMS, {"size": size}, rng())


def test_the_empty_rule_keeps_every_scorable_problem():
    rows, record = cut.cut(frame(), PROBLEMS, {}, rng())
    assert len(rows) == record["n_selected"] == 5


def test_scores_of_other_problems_are_refused():
    with pytest.raises(InputError, match="Score this data set again"):
        cut.cut(frame([0.1, 0.2]), PROBLEMS, {"size": 1}, rng())


def test_nothing_scorable_is_refused():
    with pytest.raises(InputError, match="none of the 6 problems could be scored"):
        cut.cut(frame([np.nan] * 6), PROBLEMS, {"size": 1}, rng())


def curves(rows):
    """A table of trajectories; rows (problem_id, epoch, n, n_correct)."""
    columns = list(zip(*rows, strict=True))
    return pa.table([*columns, [0.0] * len(rows)], schema=TRAJECTORIES)


def selected(selector, table, problems, rule, **options):
    """Score, cut, and return the rows and the record."""
    candidates = scoring.candidates(problems)
    samples = tr.samples(table, candidates.problem_ids)
    found = scoring.score(selector, candidates, samples, options, seed=0, name=selector)
    origin = {"score": "x", "selector": selector, "options": options, "trajectories": "full"}
    return cut.select(
        scoring.score_table(found, candidates).to_pandas(),
        problems,
        rule,
        rng(),
        trajectories=table,
        origin=origin,
    )


# Mean accuracy (0 + 0 + 1 + .5) / 4 = .375: never-solved problems get 1 - .140625 / .390625 = .64
LOW = [("p0", 0, 8, 0), ("p1", 0, 8, 0), ("p2", 0, 8, 8), ("p3", 0, 8, 4)]


def test_record_counts_never_and_always_solved_and_warns():
    problems = PROBLEMS[:4]
    _, record = selected("lim", curves(LOW), problems, {"threshold": 0.6})
    assert record["never_solved"] == {"n": 2, "n_selected": 2}
    assert record["always_solved"] == {"n": 1, "n_selected": 0}
    assert record["n_selected"] == 3
    assert len(record["warnings"]) == 1
    warning = record["warnings"][0]
    assert warning.startswith("2 of the 3 selected problems were never solved")
    assert "(2 such problems in all)" in warning
    assert "0.640" in warning
    assert "0.375" in warning
    assert ".387" in warning
    assert record["selector"] == "lim"
    _, quiet = selected("lim", curves(LOW), problems, {"threshold": 0.7})
    assert quiet["warnings"] == []
    assert quiet["never_solved"] == {"n": 2, "n_selected": 0}


def test_the_warning_is_about_the_epochs_that_were_scored():
    rows = [*LOW, ("p0", 1, 8, 8), ("p1", 1, 8, 8), ("p2", 1, 8, 8), ("p3", 1, 8, 8)]
    _, record = selected("lim", curves(rows), PROBLEMS[:4], {"threshold": 0.6}, epochs=1)
    assert record["never_solved"] == {"n": 0, "n_selected": 0}  # over all epochs: solved later
    [warning] = record["warnings"]
    assert warning.startswith("2 of the 3 selected problems were never solved")


def test_never_solved_problems_can_be_dropped():
    table, problems = curves(LOW), PROBLEMS[:4]
    rows, record = selected("lim", table, problems, {"threshold": 0.6}, never_solved="drop")
    assert ids(rows) == ["p3"]
    assert record["never_solved"] == {"n": 2, "n_selected": 0}
    assert record["not_scored"] == {lim.NEVER_SOLVED: 2}
    assert record["warnings"] == []


def test_none_correct_gives_lim_1_to_all_and_warns():
    rows = [(f"p{i}", k, 8, 0) for i in range(3) for k in range(2)]
    chosen, record = selected("lim", curves(rows), PROBLEMS[:3], {"size": 2})
    assert [row["score"] for row in chosen] == [1, 1]
    assert record["ties"]["n_at_score"] == 3
    [warning] = record["warnings"]
    assert warning.startswith("2 of the 2 selected problems were never solved in any epoch (3 such")
    assert "1.000" in warning
    assert "0.000" in warning
    with pytest.raises(InputError, match="selects all of the 3"):
        selected("lim", curves(rows), PROBLEMS[:3], {"threshold": 0.6})


def test_bottom_of_lim_warns_where_it_is_made_of_never_solved_problems():
    # mean (0 + 1 + 1) / 3: never solved LIM 1 - (4/9) / (1/9) = -3
    rows = [("p0", 0, 8, 0), ("p1", 0, 8, 8), ("p2", 0, 8, 8)]
    chosen, record = selected("bottom-lim", curves(rows), PROBLEMS[:3], {"size": 1})
    assert chosen[0]["problem_id"] == "p0"
    assert chosen[0]["score"] == pytest.approx(3)
    [warning] = record["warnings"]
    assert warning.startswith("1 of the 1 selected problems were never solved in any epoch (1 such")
    _, record = selected("bottom-lim", curves(LOW), PROBLEMS[:4], {"size": 1})
    assert record["warnings"] == []  # the always-solved one is the worst here
    rows.append(("p3", 0, 8, 4))
    _, record = selected("bottom-lim", curves(rows), PROBLEMS[:4], {"size": 1}, never_solved="drop")
    assert record["warnings"] == []


@pytest.mark.parametrize("selector", ["learnability", "frontier", "lim-curve-free"])
def test_a_selector_without_warnings_of_its_own_gives_none(selector):
    _, record = selected(selector, curves(LOW), PROBLEMS[:4], {"size": 4})
    assert record["warnings"] == []
    assert record["never_solved"] == {"n": 2, "n_selected": 2}


def test_a_window_is_cut_at_1():
    rows, record = selected("window", curves(LOW), PROBLEMS[:4], {"threshold": 1})
    assert ids(rows) == ["p3"]
    assert record["selected_score_range"] == [1, 1]
    with pytest.raises(InputError, match="selects all of the 4"):
        selected("window", curves(LOW), PROBLEMS[:4], {"threshold": 1}, low=0, high=1)


def test_problems_without_samples_are_counted_and_never_selected():
    rows, record = selected("learnability", curves(LOW), PROBLEMS, {})
    assert ids(rows) == ["p0", "p1", "p2", "p3"]
    assert record["n_problems"] == 6
    assert record["n_scored"] == 4
    assert record["not_scored"] == {tr.NOT_SAMPLED: 2}
    with pytest.raises(InputError, match=r"from 1 to 4.*2 of 6 have none"):
        selected("learnability", curves(LOW), PROBLEMS, {"size": 5})


def test_published_scores_have_no_curves_so_solved_counts_are_missing_not_zero():
    origin = {"score": "lim", "selector": "lim", "trajectories": "published"}
    _, record = cut.select(frame(), PROBLEMS, {"threshold": 0.6}, rng(), origin=origin)
    assert record["never_solved"] is None
    assert record["always_solved"] is None
    assert record["warnings"] == []
    assert record["not_scored"] == {"an epoch is missing": 1}


def test_written_subset_reads_back_with_its_digest(tmp_path):
    rows, record = cut.cut(frame(), PROBLEMS, {"threshold": 0.6}, rng())
    jsonl, path = tmp_path / "a.jsonl", tmp_path / "a.json"
    cut.write_subset(jsonl, path, rows, record)
    written = json.loads(path.read_text())
    assert written["sha256"] == hashlib.sha256(jsonl.read_bytes()).hexdigest()
    assert [p.problem_id for p in read_problems(jsonl)] == ids(rows)
    assert cut.read_subset(jsonl, path)["problem_ids"] == ids(rows)
    assert files.read_jsonl(jsonl)[0]["score"] == 0.9


def warned(right, size, n=20, samples=200):
    """Return the warnings of the best `size` of n problems, `right` of `samples` right in each."""
    table = curves([(f"p{i}", 0, samples, right[i] if i < len(right) else 0) for i in range(n)])
    problems = [Problem(f"p{i}", "?", "1", "x") for i in range(n)]
    values = [right[i] / samples if i < len(right) else 0.0 for i in range(n)]
    scores = pd.DataFrame({"problem_id": [p.problem_id for p in problems], "score": values,
                           "reason": None})  # fmt: skip
    origin = {"score": "s", "selector": None, "options": {}, "trajectories": "t"}
    return cut.select(scores, problems, {"size": size}, rng(), trajectories=table, origin=origin)[
        1
    ]["warnings"]


def test_a_choice_of_next_to_nothing_warns_and_says_what_to_do():
    few, never, tie = warned([30], 8)
    assert few.startswith("Only 30 of 4,000 samples (0.75 %) were right")
    assert never.startswith("7 of the 8 selected problems were never solved")
    assert tie.startswith("7 of the 8 selected problems were drawn from 19 that tie at the score 0")
    assert all("look at" in w or "Leave" in w or "Choose" in w for w in (few, never, tie))
    assert warned([100, 90, 80, 70], 4) == []
    assert warned([100] * 8, 8) == []  # all that tie are taken: nothing was drawn


def test_no_right_sample_at_all_is_named_in_the_error():
    with pytest.raises(InputError, match=r"threshold 0.5 selects none.*\(0 %\)"):
        table = curves([("p0", 0, 8, 0), ("p1", 0, 8, 0)])
        problems = [Problem(key, "?", "1", "x") for key in ("p0", "p1")]
        scores = pd.DataFrame({"problem_id": ["p0", "p1"], "score": 0.0, "reason": None})
        origin = {"score": "s", "selector": None, "options": {}, "trajectories": "t"}
        cut.select(scores, problems, {"threshold": 0.5}, rng(), trajectories=table, origin=origin)

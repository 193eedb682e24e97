"""Cutting scores into subsets: rules, ties, refusals, records."""

import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from limr import io, selection
from limr.errors import InputError
from limr.records import Problem, read_problems
from limr.streams import stream

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
    rows, record = selection.cut(frame(), PROBLEMS, {"threshold": 0.6}, rng())
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
    rows, _ = selection.cut(frame(), PROBLEMS, {"threshold": 0.6, "strict": True}, rng())
    assert ids(rows) == ["p0"]


def test_sizes_at_several_thresholds():
    _, record = selection.cut(frame(), PROBLEMS, {"threshold": 0.6}, rng())
    assert record["sizes_at_thresholds"] == {
        "0.3": 3, "0.4": 3, "0.5": 3, "0.6": 3, "0.7": 1, "0.8": 1, "0.9": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("threshold", "word"), [(0.95, "none"), (-2, "all")])
def test_a_threshold_that_selects_nothing_or_everything_is_refused(threshold, word):
    with pytest.raises(InputError) as caught:
        selection.cut(frame(), PROBLEMS, {"threshold": threshold}, rng(), "arm 'limr'")
    message = str(caught.value)
    assert message.startswith("arm 'limr'")
    assert f"selects {word} of the 5" in message
    assert "-1.500 to 0.900" in message
    assert "0.6: 3" in message


def test_size_takes_the_best_and_breaks_ties_at_the_last_place_by_seed():
    chosen = set()
    for seed in range(30):
        rows, record = selection.cut(frame(), PROBLEMS, {"size": 2}, rng(seed))
        assert rows[0]["problem_id"] == "p0"
        chosen.add(rows[1]["problem_id"])
        assert record["ties"]["n_at_score"] == 2
        assert record["ties"]["n_taken"] == 1
        again, _ = selection.cut(frame(), PROBLEMS, {"size": 2}, rng(seed))
        assert ids(again) == ids(rows)
    assert chosen == {"p1", "p4"}


def test_rows_of_the_scores_may_stand_in_another_order():
    shuffled = frame().sample(frac=1, random_state=1)
    rows, _ = selection.cut(shuffled, PROBLEMS, {"threshold": 0.6}, rng())
    assert ids(rows) == ["p0", "p1", "p4"]


@pytest.mark.parametrize("size", [0, 6])
def test_a_size_beyond_the_scorable_is_refused(size):
    with pytest.raises(InputError, match=r"from 1 to 5.*1 of 6 have none"):
        selection.cut(frame(), PROBLEMS, {"size": size}, rng())


def test_the_empty_rule_keeps_every_scorable_problem():
    rows, record = selection.cut(frame(), PROBLEMS, {}, rng())
    assert len(rows) == record["n_selected"] == 5


def test_scores_of_other_problems_are_refused():
    with pytest.raises(InputError, match="Score this data set again"):
        selection.cut(frame([0.1, 0.2]), PROBLEMS, {"size": 1}, rng())


def test_nothing_scorable_is_refused():
    with pytest.raises(InputError, match="none of the 6 problems could be scored"):
        selection.cut(frame([np.nan] * 6), PROBLEMS, {"size": 1}, rng())


def test_record_counts_never_and_always_solved_and_warns():
    # mean accuracy (0 + 0 + 1 + .5) / 4 = .375: never-solved problems get 1 - .140625 / .390625
    rows = [("p0", 0, 8, 0), ("p1", 0, 8, 0), ("p2", 0, 8, 8), ("p3", 0, 8, 4)]
    columns = ["problem_id", "epoch", "n", "n_correct"]
    curves = pd.DataFrame(rows, columns=columns).assign(mean_reward=0.0)
    problems = PROBLEMS[:4]
    table = selection.score_problems("lim", problems, curves, {}, seed=0, name="lim").to_pandas()
    origin = {"score": "lim", "selector": "lim", "options": {}, "trajectories": "full"}
    _, record = selection.select(
        table, problems, {"threshold": 0.6}, rng(), trajectories=curves, origin=origin
    )
    assert record["never_solved"] == {"n": 2, "n_selected": 2}
    assert record["always_solved"] == {"n": 1, "n_selected": 0}
    assert record["n_selected"] == 3
    assert len(record["warnings"]) == 1
    warning = record["warnings"][0]
    assert warning.startswith("2 of the 3 selected problems were never solved")
    assert "0.640" in warning
    assert "0.375" in warning
    assert ".387" in warning
    assert record["selector"] == "lim"
    _, quiet = selection.select(
        table, problems, {"threshold": 0.7}, rng(), trajectories=curves, origin=origin
    )
    assert quiet["warnings"] == []


def test_published_scores_have_no_curves_so_solved_counts_are_missing_not_zero():
    origin = {"score": "lim", "selector": "lim", "trajectories": "published"}
    _, record = selection.select(frame(), PROBLEMS, {"threshold": 0.6}, rng(), origin=origin)
    assert record["never_solved"] is None
    assert record["not_scored"] == {"an epoch is missing": 1}


def test_written_subset_reads_back_with_its_digest(tmp_path):
    rows, record = selection.cut(frame(), PROBLEMS, {"threshold": 0.6}, rng())
    jsonl, path = tmp_path / "a.jsonl", tmp_path / "a.json"
    selection.write_subset(jsonl, path, rows, record)
    written = json.loads(path.read_text())
    assert written["sha256"] == hashlib.sha256(jsonl.read_bytes()).hexdigest()
    assert [p.problem_id for p in read_problems(jsonl)] == ids(rows)
    assert selection.read_subset(jsonl, path)["problem_ids"] == ids(rows)
    assert io.read_jsonl(jsonl)[0]["score"] == 0.9

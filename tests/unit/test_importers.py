"""Importers: what they read, and what they refuse."""

import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from limr import io
from limr.errors import InputError
from limr.importers import rollouts, scores_json, trajectories
from limr.records import ROLLOUTS, TRAJECTORIES, Problem

GOLDEN = Path(__file__).parents[1] / "golden"
PROBLEMS = [Problem(key, f"What is {key}?", "1", "test") for key in ("b", "a", "c")]


def write_rollouts(path, rows):
    """Rows of (problem_id, step, epoch, sample, reward, verdict)."""
    keys = ("problem_id", "step", "epoch", "sample", "reward", "verdict")
    records = [
        {**dict(zip(keys, row, strict=True)), "response_tokens": 3, "truncated": False,
         "response": "x"}
        for row in rows
    ]  # fmt: skip
    io.write_parquet(path, pa.Table.from_pylist(records, schema=ROLLOUTS))
    return path


ROWS = [
    ("a", 1, 0, 0, 1.0, "correct"),
    ("a", 1, 0, 1, -0.5, "incorrect"),
    ("b", 2, 0, 0, -1.0, "malformed"),
    ("a", 3, 1, 0, 1.0, "incorrect"),  # the reward says one thing, the verdict another
    ("a", 4, 1, 0, 1.0, "correct"),  # a second visit in the same epoch counts with it
]


def test_rollouts_are_counted_by_problem_and_epoch(tmp_path):
    table, notes = rollouts.read(write_rollouts(tmp_path / "r.parquet", ROWS), PROBLEMS, {})
    assert table.schema.equals(TRAJECTORIES)
    assert table.to_pylist() == [
        {"problem_id": "b", "epoch": 0, "n": 1, "n_correct": 0, "mean_reward": -1.0},
        {"problem_id": "a", "epoch": 0, "n": 2, "n_correct": 1, "mean_reward": 0.25},
        {"problem_id": "a", "epoch": 1, "n": 2, "n_correct": 1, "mean_reward": 1.0},
    ]
    assert notes[0] == "2 of 3 problems were sampled, over 2 epochs."
    assert notes[1].startswith("1 of 4 (problem, epoch) pairs")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("a", 5, -1, 0, 0.0, "correct"), "a negative epoch in 1 of 6 rows.*row 6"),
        (("a", 1, 0, 1, 0.0, "correct"), "stand twice.*problem_id 'a', step 1, sample 1"),
        (("zz", 5, 1, 0, 0.0, "correct"), "in no problem file.*'zz'"),
        (("a", 5, 1, 0, 0.0, "right"), "a verdict that is none of"),
        (("a", 5, None, 0, 0.0, "correct"), "epoch is missing"),
        (("a", 5, 1, 0, 0.0, None), "verdict is missing"),
    ],
)
def test_bad_rollouts_are_refused(tmp_path, row, message):
    path = write_rollouts(tmp_path / "r.parquet", [*ROWS, row])
    with pytest.raises(InputError, match=message):
        rollouts.read(path, PROBLEMS, {})


def test_empty_and_damaged_rollouts_are_refused(tmp_path):
    path = write_rollouts(tmp_path / "r.parquet", [])
    with pytest.raises(InputError, match="no rows"):
        rollouts.read(path, PROBLEMS, {})
    path = write_rollouts(tmp_path / "r.parquet", ROWS)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="not a readable parquet"):
        rollouts.read(path, PROBLEMS, {})


def write_trajectories(path, rows):
    records = [dict(zip(TRAJECTORIES.names, (*row, 0.0), strict=True)) for row in rows]
    io.write_parquet(path, pa.Table.from_pylist(records, schema=TRAJECTORIES))
    return path


def test_trajectories_come_back_in_the_problems_order(tmp_path):
    rows = [("a", 1, 8, 3), ("a", 0, 8, 8), ("b", 0, 8, 0)]
    table, _ = trajectories.read(write_trajectories(tmp_path / "t", rows), PROBLEMS, {})
    assert table["problem_id"].to_pylist() == ["b", "a", "a"]
    assert table["epoch"].to_pylist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("a", -1, 8, 3), "negative epoch"),
        (("a", 0, 0, 0), "n below 1"),
        (("a", 0, 8, 9), "n_correct outside"),
        (("a", 0, 8, -1), "n_correct outside"),
        (("b", 0, 8, 1), "stand twice"),
        (("q", 0, 8, 1), "in no problem file"),
    ],
)
def test_bad_trajectories_are_refused(tmp_path, row, message):
    path = write_trajectories(tmp_path / "t", [("b", 0, 8, 0), row])
    with pytest.raises(InputError, match=message):
        trajectories.read(path, PROBLEMS, {})


def write_scores(path, rows):
    path.write_text(json.dumps([{"prompt": prompt, "score": score} for prompt, score in rows]))
    return path


def read_scores(tmp_path, rows, problems=PROBLEMS):
    table, notes = scores_json.read(write_scores(tmp_path / "s.json", rows), problems, {})
    return table.to_pylist(), " ".join(notes)


def test_published_scores_join_by_text_and_every_problem_has_a_row(tmp_path):
    rows, notes = read_scores(tmp_path, [("What is a?", 0.5), ("What  is\n c?", 1), ("Who?", 0.1)])
    assert [row["problem_id"] for row in rows] == ["b", "a", "c"]
    assert np.isnan(rows[0]["score"])
    assert rows[0]["reason"] == scores_json.UNPUBLISHED
    assert [row["score"] for row in rows[1:]] == [0.5, 1.0]
    assert "1 of 3 published scores belong to no problem" in notes
    assert "2 of 3 problems have a published score" in notes


def test_exact_text_goes_before_text_with_other_blanks(tmp_path):
    problems = [Problem("one", "x  y", "1", "t"), Problem("two", "x y", "1", "t")]
    rows, _ = read_scores(tmp_path, [("x y", 0.2), ("x  y", 0.1)], problems)
    assert [row["score"] for row in rows] == [0.1, 0.2]


def test_one_text_under_two_ids_is_scored_once_and_said(tmp_path):
    problems = [*PROBLEMS, Problem("a2", "What is a?", "1", "test")]
    rows, notes = read_scores(tmp_path, [("What is a?", 0.5)], problems)
    assert rows[1]["score"] == 0.5
    assert np.isnan(rows[3]["score"])
    assert rows[3]["reason"] == "its text is that of a, which has the one published score"
    assert "a2: its text is that of a" in notes


def test_a_repeated_row_is_reported_and_a_contradiction_refused(tmp_path):
    rows, notes = read_scores(tmp_path, [("What is a?", 0.5), ("What is a?", 0.5)])
    assert rows[1]["score"] == 0.5
    assert "1 of 2 rows repeat a prompt" in notes
    with pytest.raises(InputError, match=r"entry 2: .*stands twice, with the scores 0.5 and 0.6"):
        read_scores(tmp_path, [("What is a?", 0.5), ("What is a?", 0.6)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "expected a list"),
        ("[]", "at least one"),
        ('[{"prompt": "What is a?"}]', "entry 1: 'score' must be a finite number, found None"),
        ('[{"prompt": 3, "score": 1}]', "entry 1: 'prompt' must be a text"),
        ('[{"prompt": "What is a?", "score": NaN}]', "finite number"),
        ('[{"prompt": "Nobody?", "score": 1}]', "none of its 1 prompts is the text of a problem"),
        ('[{"prompt": ', "not valid JSON"),
    ],
)
def test_bad_scores_are_refused(tmp_path, text, message):
    path = tmp_path / "s.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        scores_json.read(path, PROBLEMS, {})


@pytest.mark.data
def test_published_scores_of_the_real_math_full():
    mirror = os.environ.get("LIMR_MIRROR")
    if not mirror:
        if os.environ.get("CI"):
            pytest.fail("LIMR_MIRROR is not set: the published figures were not checked")
        pytest.skip("LIMR_MIRROR is not set")
    folder = Path(mirror) / "limr"
    rows = io.read_json(folder / "math_full.json")
    problems = [Problem(r["id"], r["prompt"], r["answer"], r["source"]) for r in rows]
    table, notes = scores_json.read(folder / "published_lim_scores.json", problems, {})
    scores = table.to_pandas()["score"]
    golden = io.read_json(GOLDEN / "published_scores.json")
    assert len(scores) == golden["problems"]
    assert scores.notna().sum() == golden["published"]
    assert scores.isna().sum() == golden["not_scorable"]
    assert (scores >= 0.6).sum() == golden["at_least_0.6"]
    assert (scores > 0.6).sum() == golden["above_0.6"]
    doubled = golden["text_under_two_ids"]
    by_id = table.to_pandas().set_index("problem_id")["score"]
    assert by_id[doubled["scored"]] == doubled["score"]
    assert np.isnan(by_id[doubled["not_scorable"]])
    assert sum("its text is that of" in note for note in notes) == 1
    assert not any("belong to no problem" in note for note in notes)

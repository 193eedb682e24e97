"""Importers: what they read, and what they refuse."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from limr.core import files, validation
from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.core.tables import EVALUATIONS, ROLLOUTS, TRAJECTORIES, Problem
from limr.trajectories.importers import evaluations, rollouts, scores_json, trajectories

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
    files.write_parquet(path, pa.Table.from_pylist(records, schema=ROLLOUTS))
    return path


def read_rollouts(path, problems=PROBLEMS, **options):
    settings = validation.complete(options, rollouts.Options, "rollouts")
    return rollouts.read([path], problems, settings)


ROWS = [
    ("a", 1, 0, 0, 1.0, "correct"),
    ("a", 1, 0, 1, -0.5, "incorrect"),
    ("b", 2, 0, 0, -1.0, "malformed"),
    ("a", 3, 1, 0, 1.0, "incorrect"),  # the reward says one thing, the verdict another
    ("a", 4, 1, 0, 1.0, "correct"),  # a second visit in the same epoch counts with it
]


def test_rollouts_are_counted_by_problem_and_epoch(tmp_path):
    found = read_rollouts(write_rollouts(tmp_path / "r.parquet", ROWS))
    assert found.table.schema.equals(TRAJECTORIES)
    assert found.table.to_pylist() == [
        {"problem_id": "b", "epoch": 0, "n": 1, "n_correct": 0, "mean_reward": -1.0},
        {"problem_id": "a", "epoch": 0, "n": 2, "n_correct": 1, "mean_reward": 0.25},
        {"problem_id": "a", "epoch": 1, "n": 2, "n_correct": 1, "mean_reward": 1.0},
    ]
    assert (found.rows_read, found.rows_joined) == (5, 5)
    assert found.notes[0] == "2 of 3 problems were sampled, over 2 epochs."
    assert found.notes[1].startswith("1 of 4 (problem, epoch) pairs")
    assert found.notes[2] == "samples a (problem, epoch) differ: 2 in 2, 1 in 1 pairs."


def test_fewer_samples_are_the_first_of_each_problem_and_step(tmp_path):
    path = write_rollouts(tmp_path / "r.parquet", ROWS)
    found = read_rollouts(path, samples=1)
    assert [(row["problem_id"], row["n"], row["n_correct"]) for row in found.table.to_pylist()] == [
        ("b", 1, 0), ("a", 1, 1), ("a", 2, 1)
    ]  # fmt: skip
    assert (found.rows_read, found.rows_joined) == (5, 4)
    assert read_rollouts(path, samples=2).table.equals(read_rollouts(path).table)
    with pytest.raises(InputError, match="samples: 3 are asked for, problems have at most 2"):
        read_rollouts(path, samples=3)


def totals(found):
    return [(row["problem_id"], row["n"], row["n_correct"]) for row in found.table.to_pylist()]


def test_a_part_of_a_run_is_its_steps_from_one_to_another(tmp_path):
    path = write_rollouts(tmp_path / "r.parquet", ROWS)
    assert totals(read_rollouts(path, steps=[1, 2])) == [("b", 1, 0), ("a", 2, 1)]
    assert totals(read_rollouts(path, steps=[3, 4])) == [("a", 2, 1)]
    assert read_rollouts(path, steps=[1, 4]).table.equals(read_rollouts(path).table)
    with pytest.raises(InputError, match=r"steps: \[1, 5\] are asked for, the last one is 4"):
        read_rollouts(path, steps=[1, 5])


def test_runs_that_go_on_from_each_other_are_read_as_one(tmp_path):
    """The first run went on after the step at which the second left it."""
    whole = write_rollouts(tmp_path / "whole.parquet", ROWS)
    other = [("b", 3, 1, 0, 1.0, "correct"), ("b", 4, 1, 0, 1.0, "correct")]
    second = write_rollouts(tmp_path / "second.parquet", other)
    settings = validation.complete({}, rollouts.Options, "rollouts")
    found = rollouts.read([whole, second], PROBLEMS, {**settings, "until": [2, None]})
    assert totals(found) == [("b", 1, 0), ("b", 2, 2), ("a", 2, 1)]
    assert (found.rows_read, found.rows_joined) == (7, 5)
    joined = write_rollouts(tmp_path / "joined.parquet", [*ROWS[:3], *other])
    assert found.table.equals(read_rollouts(joined).table)
    with pytest.raises(InputError, match="occur twice"):
        rollouts.read([whole, whole], PROBLEMS, {**settings, "until": [2, None]})


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("a", 5, -1, 0, 0.0, "correct"), "a negative epoch in 1 of 6 rows.*row 6"),
        (("a", 1, 0, 1, 0.0, "correct"), "occur twice.*problem_id 'a', step 1, sample 1"),
        (("zz", 5, 1, 0, 0.0, "correct"), "in no problem file.*'zz'"),
        (("a", 5, 1, 0, 0.0, "right"), "a verdict that is none of"),
        (("a", 5, None, 0, 0.0, "correct"), "epoch is missing"),
        (("a", 5, 1, 0, 0.0, None), "verdict is missing"),
        (("a", 5, 1, 0, math.nan, "correct"), "not a finite number in 1 of 6 rows.*row 6"),
        (("a", 5, 1, 0, math.inf, "correct"), "not a finite number"),
        (("a", 5, 1, -1, 0.0, "correct"), "a negative sample"),
        (("a", -5, 1, 0, 0.0, "correct"), "a negative step"),
        ((None, 5, 1, 0, 0.0, "correct"), "problem_id is missing"),
    ],
)
def test_bad_rollouts_are_refused(tmp_path, row, message):
    path = write_rollouts(tmp_path / "r.parquet", [*ROWS, row])
    with pytest.raises(InputError, match=message):
        read_rollouts(path)


def test_empty_and_damaged_rollouts_are_refused(tmp_path):
    path = write_rollouts(tmp_path / "r.parquet", [])
    with pytest.raises(InputError, match="no rows"):
        read_rollouts(path)
    path = write_rollouts(tmp_path / "r.parquet", ROWS)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="not a readable parquet"):
        read_rollouts(path)


def simulated(n, rng, problems=30, samples=4):
    """`n` rows in the order of steps, 10 problems a step."""
    rows = []
    for visit in range(-(-n // samples)):
        step = 1 + visit // 10
        name = f"p{(7 * step + visit % 10) % problems}"
        for sample in range(samples):
            verdict = str(rng.choice(["correct", "incorrect", "malformed"]))
            rows.append((name, step, (step - 1) // 3, sample, float(rng.random()), verdict))
    return rows[:n]


def counted(rows):
    """What the reader must find, by loops."""
    cells = {}
    for name, _, epoch, _, reward, verdict in rows:
        cell = cells.setdefault((name, epoch), [0, 0, 0.0])
        cell[0] += 1
        cell[1] += verdict == "correct"
        cell[2] += float(np.float32(reward))
    return {key: (n, right, pytest.approx(total / n)) for key, (n, right, total) in cells.items()}


@pytest.mark.parametrize("batch", [7, 64, 10_000])
@pytest.mark.parametrize("shuffled", [False, True])
def test_batches_of_any_size_and_rows_in_any_order_count_the_same(
    tmp_path, monkeypatch, batch, shuffled
):
    monkeypatch.setattr(rollouts, "_BATCH", batch)
    rows = simulated(1000, stream(1, "test"))
    written = [rows[i] for i in stream(2, "test").permutation(len(rows))] if shuffled else rows
    found = read_rollouts(write_rollouts(tmp_path / "r.parquet", written), None)
    table = found.table.to_pylist()
    assert {
        (r["problem_id"], r["epoch"]): (r["n"], r["n_correct"], r["mean_reward"]) for r in table
    } == counted(rows)
    assert found.rows_read == 1000


@pytest.mark.parametrize("batch", [7, 64, 10_000])
@pytest.mark.parametrize("place", [0, 1, 500, 999])
@pytest.mark.parametrize("far", [False, True])
def test_a_doubled_row_is_found_wherever_it_stands(tmp_path, monkeypatch, batch, place, far):
    monkeypatch.setattr(rollouts, "_BATCH", batch)
    rows = simulated(1000, stream(1, "test"))
    name, step, _, sample, *_ = rows[place]
    where = 1000 if far else place + 1  # at the end: another order of steps, mostly
    doubled_rows = rows[:where] + [rows[place]] + rows[where:]
    path = write_rollouts(tmp_path / "r.parquet", doubled_rows)
    with pytest.raises(InputError, match=f"problem_id '{name}', step {step}, sample {sample}"):
        read_rollouts(path, None)


def test_many_epochs_and_problems_in_one_batch(tmp_path):
    rows = [(f"p{7919 * i % 5000}", 1 + i, 3 * i, 0, 0.5, "correct") for i in range(400)]
    found = read_rollouts(write_rollouts(tmp_path / "r.parquet", rows), None)
    samples = found.samples
    assert samples.n.sum() == samples.n_correct.sum() == 400
    assert samples.n_epochs == 1198
    assert {(r["problem_id"], r["epoch"]) for r in found.table.to_pylist()} == {
        (row[0], row[2]) for row in rows
    }


def test_rewards_of_another_rule_are_refused(tmp_path):
    path = write_rollouts(tmp_path / "r.parquet", ROWS)
    read_rollouts(path, rewards=[1.0, -0.5, -1.0])
    with pytest.raises(InputError, match=r"a reward that is none of \[1.0, 0.0\] in 2 of 5 rows"):
        read_rollouts(path, rewards=[1.0, 0.0])


def test_without_problems_the_order_is_that_of_the_file(tmp_path):
    found = read_rollouts(write_rollouts(tmp_path / "r.parquet", ROWS), None)
    assert found.problem_ids.to_pylist() == ["a", "b"]


def write_trajectories(path, rows):
    records = [dict(zip(TRAJECTORIES.names, (*row, 0.0), strict=True)) for row in rows]
    files.write_parquet(path, pa.Table.from_pylist(records, schema=TRAJECTORIES))
    return path


def test_trajectories_come_back_in_the_problems_order(tmp_path):
    rows = [("a", 1, 8, 3), ("a", 0, 8, 8), ("b", 0, 8, 0)]
    table = trajectories.read([write_trajectories(tmp_path / "t", rows)], PROBLEMS, {}).table
    assert table["problem_id"].to_pylist() == ["b", "a", "a"]
    assert table["epoch"].to_pylist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("a", -1, 8, 3), "negative epoch"),
        (("a", 0, 0, 0), "n below 1"),
        (("a", 0, 8, 9), "n_correct outside"),
        (("a", 0, 8, -1), "n_correct outside"),
        (("b", 0, 8, 1), "occur twice"),
        (("q", 0, 8, 1), "in no problem file"),
    ],
)
def test_bad_trajectories_are_refused(tmp_path, row, message):
    path = write_trajectories(tmp_path / "t", [("b", 0, 8, 0), row])
    with pytest.raises(InputError, match=message):
        trajectories.read([path], PROBLEMS, {})


def write_scores(path, rows):
    path.write_text(json.dumps([{"prompt": prompt, "score": score} for prompt, score in rows]))
    return path


def read_scores(tmp_path, rows, problems=PROBLEMS):
    found = scores_json.read([write_scores(tmp_path / "s.json", rows)], problems, {})
    return found.table.to_pylist(), " ".join(found.report())


def test_published_scores_join_by_text_and_every_problem_has_a_row(tmp_path):
    rows, notes = read_scores(tmp_path, [("What is a?", 0.5), ("What  is\n c?", 1), ("Who?", 0.1)])
    assert [row["problem_id"] for row in rows] == ["b", "a", "c"]
    assert np.isnan(rows[0]["score"])
    assert rows[0]["reason"] == scores_json.UNPUBLISHED
    assert [row["score"] for row in rows[1:]] == [0.5, 1.0]
    assert "3 rows read, 2 joined to problems, 1 left out" in notes
    assert "1 left out: its prompt is in no problem file; the first: prompt 'Who?'" in notes
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
    with pytest.raises(InputError, match=r"entry 2: .*occurs twice, with the scores 0.5 and 0.6"):
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
        scores_json.read([path], PROBLEMS, {})


@pytest.mark.data
def test_published_scores_of_the_real_math_full():
    mirror = os.environ.get("LIMR_MIRROR")
    if not mirror:
        if os.environ.get("CI"):
            pytest.fail("LIMR_MIRROR is not set: the published figures were not checked")
        pytest.skip("LIMR_MIRROR is not set")
    folder = Path(mirror) / "limr"
    rows = files.read_json(folder / "math_full.json")
    problems = [Problem(r["id"], r["prompt"], r["answer"], r["source"]) for r in rows]
    found = scores_json.read([folder / "published_lim_scores.json"], problems, {})
    table, notes = found.table, found.notes
    scores = table.to_pandas()["score"]
    golden = files.read_json(GOLDEN / "published_scores.json")
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
    assert found.refused == ()
    assert (found.rows_read, found.rows_joined) == (golden["published"], golden["published"])


def write_evaluations(path, rows):
    keys = ("problem_id", "decoding", "sample", "verdict")
    rest = {"format": "", "answer": "x", "response_tokens": 1, "truncated": False, "response": "x"}
    records = [{**dict(zip(keys, row, strict=True)), **rest} for row in rows]
    files.write_parquet(path, pa.Table.from_pylist(records, schema=EVALUATIONS))
    return path


ANSWERS = [
    ("a", "sampled", 0, "correct"),
    ("a", "sampled", 1, "malformed"),
    ("c", "sampled", 0, "incorrect"),
    ("a", "greedy", 0, "correct"),
]


def test_evaluations_are_pass_rates_of_one_epoch(tmp_path):
    path = write_evaluations(tmp_path / "e.parquet", ANSWERS)
    found = evaluations.read([path], PROBLEMS, {"decoding": "sampled"}).table.to_pylist()
    assert [(row["problem_id"], row["epoch"], row["n"], row["n_correct"]) for row in found] == [
        ("a", 0, 2, 1),
        ("c", 0, 1, 0),
    ]


@pytest.mark.parametrize(
    ("rows", "decoding", "message"),
    [
        (ANSWERS, None, "2 decodings in it"),
        (ANSWERS, "samples", "Did you mean 'sampled'"),
        ([("z", "greedy", 0, "correct")], None, r"no problem file .*row 1 \(problem 'z'\)"),
        ([ANSWERS[0], ANSWERS[0]], None, "occur twice"),
        ([], None, "no rows"),
    ],
)
def test_evaluations_that_cannot_be_read(rows, decoding, message, tmp_path):
    path = write_evaluations(tmp_path / "e.parquet", rows)
    with pytest.raises(InputError, match=message):
        evaluations.read([path], PROBLEMS, {"decoding": decoding})

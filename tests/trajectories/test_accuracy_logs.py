"""Accuracies and pass rates by problem: One-Shot RLVR's JSON and AdaRFT's parquet."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from limr.core import validation
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.problems.datasets import verl_parquet
from limr.problems.own_file import read as read_problem_file
from limr.trajectories.importers import accuracy_json, adarft


def read(tmp_path, value, problems=None, **options):
    path = tmp_path / "a.json"
    text = value if isinstance(value, (str, bytes)) else json.dumps(value)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    settings = validation.complete(options, accuracy_json.Options, "accuracy-json")
    return accuracy_json.read([path], problems, settings)


def test_accuracies_become_counts_without_rewards(tmp_path):
    found = read(tmp_path, {"x": [0.25, 1.0], "y": [0, 0.5]})
    assert found.table.to_pylist() == [
        {"problem_id": "x", "epoch": 0, "n": 4, "n_correct": 1, "mean_reward": None},
        {"problem_id": "x", "epoch": 1, "n": 4, "n_correct": 4, "mean_reward": None},
        {"problem_id": "y", "epoch": 0, "n": 4, "n_correct": 0, "mean_reward": None},
        {"problem_id": "y", "epoch": 1, "n": 4, "n_correct": 2, "mean_reward": None},
    ]
    assert "every accuracy is taken for k of 4 samples (the smallest" in " ".join(found.notes)
    assert read(tmp_path, {"x": [0.25], "y": [0.5]}, samples=8).samples.n.tolist() == [[8], [8]]
    thirds = read(tmp_path, {"x": [0.3333333], "y": [0.6666667]})
    assert thirds.samples.n_correct.tolist() == [[1], [2]]


def test_ragged_lists_are_cut_to_the_shortest_and_that_is_said(tmp_path):
    value = {"x": [0.5, 1.0, 1.0], "y": [0, 0.5]}
    found = read(tmp_path, value)
    assert found.samples.n.shape == (2, 2)
    assert "`ragged: truncate`: all are cut to the shortest, 2" in " ".join(found.notes)
    assert "1 of 5 values are not used" in " ".join(found.notes)
    with pytest.raises(InputError, match=r"2 to 3 epochs.*position is not its epoch.*truncate"):
        read(tmp_path, value, ragged="refuse")


def test_keys_are_ids(tmp_path):
    problems = [Problem(key, key, "1", "t") for key in ("y", "x", "w")]
    found = read(tmp_path, {"x": [1.0], "y": [0.0]}, problems)
    assert found.samples.n_correct.tolist() == [[0], [1], [0]]
    with pytest.raises(InputError, match=r"key 'z': its key is in no problem file"):
        read(tmp_path, {"x": [1.0], "z": [0.0]}, problems)
    found = read(tmp_path, {"x": [1.0], "z": [0.0]}, problems, bad_rows="leave-out")
    assert (found.rows_read, found.rows_joined, found.refused[0].rows) == (2, 1, 1)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "no problems in it"),
        ({"x": []}, "key 'x': an empty list"),
        ({"x": [1.5]}, "key 'x', epoch 1: accuracy 1.5 lies outside 0 to 1"),
        ({"x": [0.5, -0.125]}, "key 'x', epoch 2: accuracy -0.125"),
        (
            {"x": [0.5], "y": [0.17171]},
            "key 'y', epoch 1: accuracy 0.17171 is no k of an n up to 256",
        ),
        ({"x": ["0.5"]}, "a number"),
        ({"x": [None]}, "a number"),
        ([0.5], "an object"),
        ("", "the file is empty"),
        ('{"x": [0.5', "not valid JSON, or cut short"),
        ('{"x": [NaN]}', "not valid JSON"),
        (b'{"\xff": [0.5]}', "UTF-8|utf-8|not valid JSON"),
    ],
)
def test_what_is_no_accuracy_is_refused(tmp_path, value, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, value)


def test_accuracies_that_are_no_k_of_the_given_n_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"key 'y', epoch 1: accuracy 0\.3 is no k of 8"):
        read(tmp_path, {"x": [0.5], "y": [0.3]}, samples=8)


def offline(tmp_path, rows, name="r.parquet"):
    """Rows of (index, text, difficulty)."""
    records = [
        {"prompt": [{"role": "user", "content": text}],
         "extra_info": {"index": index, "difficulty": difficulty}}
        for index, text, difficulty in rows
    ]  # fmt: skip
    path = tmp_path / name
    pq.write_table(pa.Table.from_pylist(records), path)
    return path


def read_offline(paths, problems=None, **options):
    return adarft.read(paths, problems, validation.complete(options, adarft.Options, "adarft"))


def test_offline_pass_rates(tmp_path):
    tail = " Think, then answer."
    problems = [Problem(key, f"What is {key}?", "1", "t") for key in "abc"]
    rows = [(1, f"What is a?{tail}", 100 * (1 - 32 / 128)), (2, f"What is b?{tail}", 100.0)]
    first = offline(tmp_path, [*rows, (9, f"Who?{tail}", 50.0)])
    again = [(1, f"What is a?{tail}", 75.0), (5, f"What is a?{tail}", 0.0)]  # 75 was there before
    second = offline(tmp_path, again, "s.parquet")
    found = read_offline([first, second], problems)
    assert found.samples.n.tolist() == [[256], [128], [0]]
    assert found.samples.n_correct.tolist() == [[32 + 128], [0], [0]]
    assert found.refused[0].rows == 1
    assert "1 rows repeat a measurement" in " ".join(found.report())
    assert found.table["mean_reward"].null_count == 2


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([(1, "x", 33.0)], r"row 1: difficulty 33 is no 100 \(1 - k / 128\)"),
        ([(1, "x", -50.0)], "difficulty -50"),
        ([(1, "x", float("nan"))], "difficulty nan"),
        ([(1, "x", None)], "row 1: extra_info.difficulty is missing"),
        ([], "no rows in it"),
    ],
)
def test_bad_pass_rates_are_refused(tmp_path, rows, message):
    path = offline(tmp_path, rows or [(1, "x", 50.0)])
    if not rows:
        pq.write_table(pq.read_table(path).slice(0, 0), path)
    with pytest.raises(InputError, match=message):
        read_offline([path])


def test_pass_rates_of_other_problems_are_refused(tmp_path):
    path = offline(tmp_path, [(1, "x", 50.0)])
    with pytest.raises(InputError, match="no row of the log belongs to any"):
        read_offline([path], [Problem("p", "what?", "1", "t")])


@pytest.mark.data
def test_the_real_logs(mirror: Path):
    folder = mirror / "one_shot_rlvr"
    suffix = " Let's think step by step and output the final answer within \\boxed{}."
    options = {"suffix": suffix, "empty_answers": "keep"}
    problems, _ = verl_parquet.prepare(
        validation.complete(options, verl_parquet.Options, "verl-parquet"),
        folder / "dsr_sub.parquet",
    )
    settings = validation.complete({}, accuracy_json.Options, "accuracy-json")
    found = accuracy_json.read([folder / "acc_step_500.json"], problems, settings)
    assert (found.rows_read, found.rows_joined) == (1209, 1209)
    assert found.samples.n.shape == (1209, 44)
    assert (found.samples.n == 8).all()
    raw = json.loads((folder / "acc_step_500.json").read_text())
    for row, problem in enumerate(problems):
        np.testing.assert_array_equal(found.samples.accuracy[row], raw[problem.problem_id][:44])


@pytest.mark.slow
@pytest.mark.data
def test_the_real_pass_rates_join_math_full(mirror: Path):
    problems = read_problem_file(mirror / "limr" / "math_full.json")
    found = read_offline(sorted((mirror / "adarft").glob("*.parquet")), problems)
    samples = found.samples
    assert found.rows_read == 10000 + 7790 + 10000 + 9995 + 9262
    # 4,464 by texts as they are written, and 2 whose TeX lacks a blank there; two share one text.
    assert int((samples.n.sum(axis=1) > 0).sum()) == 4466
    assert (samples.n % 128 == 0).all()
    assert "Let's think step by step" in " ".join(found.report())  # the instruction was taken off
    assert "problems share their text with another" in " ".join(found.report())

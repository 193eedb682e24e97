"""Logs of the LIMR code: against the published procedure written again, and what is refused."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import pytest

import upstream
from limr.core import own_files, progress, validation
from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.core.tables import Problem
from limr.scores import scoring
from limr.trajectories import json_rows
from limr.trajectories.importers import limr_steps


def read(folder, problems=None, **options):
    settings = validation.complete(
        {"steps_per_epoch": 2, **options}, limr_steps.Options, "limr-steps"
    )
    return limr_steps.read(own_files.expand(folder, limr_steps), problems, settings)


def lim(found):
    ids = found.problem_ids.to_pylist()
    candidates = scoring.ProblemSet(ids, [None] * len(ids))
    scored = scoring.score("lim", candidates, found.samples, {}, seed=1, name="lim")
    return dict(zip(ids, scored.values, strict=True))


def compare(folder, problems, steps_per_epoch, epochs):
    """Assert that the subset, the scores and the dropped prompts are the published procedure's."""
    found = read(folder, problems, steps_per_epoch=steps_per_epoch)
    ours = lim(found)
    theirs = upstream.scores(folder, steps_per_epoch, epochs)
    by_prompt = {problem.prompt.strip(): ours[problem.problem_id] for problem in problems}
    scorable = {prompt for prompt, score in by_prompt.items() if not np.isnan(score)}
    assert scorable == set(theirs)
    for prompt, score in theirs.items():
        assert by_prompt[prompt] == pytest.approx(score, abs=1e-9)
    kept = {prompt for prompt in scorable if by_prompt[prompt] >= 0.6}
    assert kept == {prompt for prompt, score in theirs.items() if score >= 0.6}
    assert 0 < len(kept) < len(scorable)
    return found, len(scorable)


def test_a_small_log_gives_the_published_subset(tmp_path):
    prompts = [f"  What is {i} + {i}?\n" for i in range(40)]
    problems = [Problem(f"p{i}", prompt, "1", "t") for i, prompt in enumerate(prompts)]
    upstream.write_log(tmp_path / "log", [p.strip() for p in prompts], epochs=5, steps_per_epoch=3,
                       prompts_per_step=12, samples=8, rng=stream(1, "test"))  # fmt: skip
    found, scorable = compare(tmp_path / "log", problems, 3, 5)
    assert scorable < 40  # some lack an epoch even after the back-fill
    assert found.rows_read == found.rows_joined == 5 * 36 * 8
    assert "(problem, epoch) pairs have no samples" in " ".join(found.report())


@pytest.mark.slow
def test_a_log_of_the_papers_size_gives_the_published_subset(tmp_path):
    """168 step files, 331 of 8,523 prompts left out at random in every epoch."""
    prompts = [f"Problem {i}: find $x_{{{i}}}$." for i in range(8523)]
    problems = [Problem(f"p{i}", prompt, "1", "t") for i, prompt in enumerate(prompts)]
    upstream.write_log(tmp_path / "log", prompts, epochs=21, steps_per_epoch=8,
                       prompts_per_step=1024, samples=8, rng=stream(2, "test"))  # fmt: skip
    assert len(list((tmp_path / "log").glob("step_*.json"))) == 168
    found, scorable = compare(tmp_path / "log", problems, 8, 21)
    assert found.rows_read == 168 * 1024 * 8
    assert abs(scorable - 7968) <= 60  # 8,523 (1 - q)(1 - q²)^20, q = 331/8,523: ± 14 by chance


def step(folder, number, rows):
    folder.mkdir(exist_ok=True)
    entries = [{"prompt": prompt, "response": "x", "reward": reward} for prompt, reward in rows]
    (folder / f"step_{number}.json").write_text(json.dumps(entries))


@pytest.fixture
def log(tmp_path):
    """Two epochs of two steps, one prompt a step, two samples."""
    folder = tmp_path / "log"
    step(folder, 1, [("a", 1.0), ("a", -0.5)])
    step(folder, 2, [("b", -1.0), ("b", -0.5)])
    step(folder, 3, [("b", 1.0), ("b", 1.0)])
    step(folder, 4, [("a", 1.0), ("a", 1.0)])
    return folder


PROBLEMS = [Problem("A", "a", "1", "t"), Problem("B", "b", "1", "t")]


def test_by_hand(log):
    assert read(log, PROBLEMS).table.to_pylist() == [
        {"problem_id": "A", "epoch": 0, "n": 2, "n_correct": 1, "mean_reward": 0.25},
        {"problem_id": "A", "epoch": 1, "n": 2, "n_correct": 2, "mean_reward": 1.0},
        {"problem_id": "B", "epoch": 0, "n": 2, "n_correct": 0, "mean_reward": -0.75},
        {"problem_id": "B", "epoch": 1, "n": 2, "n_correct": 2, "mean_reward": 1.0},
    ]


def test_without_problems_the_ids_are_made_from_the_texts(log):
    found = read(log)
    assert list(found.prompts) == ["a", "b"]
    assert all(key.startswith("prompt-") for key in found.problem_ids.to_pylist())
    assert found.samples.n_correct.tolist() == [[1, 2], [0, 2]]
    again = read(log)
    assert again.problem_ids.equals(found.problem_ids)


def test_one_text_under_two_ids_counts_for_the_first_and_is_said(log):
    step(log, 2, [("a", 1.0), ("a", 1.0), ("b", -1.0), ("b", -0.5)])
    problems = [*PROBLEMS, Problem("A2", "a ", "1", "t")]
    found = read(log, problems)  # two visits in one epoch, which no other problem may have
    assert found.samples.n.tolist() == [[4, 2], [2, 2], [0, 0]]
    said = " ".join(found.report())
    assert "2 problems share their text with another" in said
    assert "count for the first of them, such as 'A'" in said


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("b", 0.7), ("b", 1.0)], r"none of the rule's.*1, -0.5, -1[\s\S]* 0\.7  1 rows"),
        ([("b", 1.0), ("zz", 1.0)], r"step_2.json: row 2 .*prompt 'zz'.*in no problem file"),
        ([("b", 1.0), (None, 1.0)], "row 2: it is not a rollout"),
        ([("a", 1.0)], r"'A' was sampled in step 1 and again in step 2.*steps_per_epoch wrong"),
    ],
)
def test_rows_that_cannot_be_used_are_refused(log, rows, message):
    step(log, 2, rows)
    with pytest.raises(InputError, match=message):
        read(log, PROBLEMS)


def test_rows_that_cannot_be_used_are_left_out_and_counted_on_request(log):
    step(log, 2, [("b", 1.0), ("zz", 1.0), ("zy", 1.0), (3, 1.0), ("b", None), ("b", "x")])
    found = read(log, PROBLEMS, bad_rows="leave-out")
    assert (found.rows_read, found.rows_joined) == (12, 7)
    assert [(r.reason.split(" (")[0], r.rows, r.first.split("/")[-1]) for r in found.refused] == [
        ("it is not a rollout", 1, "step_2.json: row 4"),
        ("its prompt is in no problem file", 2, "step_2.json: row 2 (prompt 'zz')"),
    ]
    said = " ".join(found.report())
    assert "5 left out" in found.report()[0]
    assert "'reward' is missing in 2 rows (1 null, 1 no number); they are left out" in said
    assert found.samples.n.tolist() == [[2, 2], [1, 2]]
    as_wrong = read(log, PROBLEMS, bad_rows="leave-out", missing_scores="wrong")
    assert as_wrong.samples.n.tolist() == [[2, 2], [3, 2]]
    assert as_wrong.samples.n_correct.tolist() == [[1, 2], [1, 2]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "step 2 is lacking"),
        (b"  \n", "step 2 is lacking"),
        (b'[{"prompt": "b", "rew', "not valid JSON, or cut short"),
        (b'[{"prompt": "b\xff", "reward": 1.0}]', "UTF-8|utf-8|not valid JSON"),
        (b"[" * 100_000, "not valid JSON|nested"),
    ],
)
def test_files_that_are_no_step_are_refused(log, content, message):
    (log / "step_2.json").write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read(log, PROBLEMS)
    assert "step_2.json" in str(caught.value) or "step 2" in str(caught.value)


def test_a_step_without_rewards_is_said_and_gives_no_samples(log):
    (log / "step_2.json").write_text('[{"prompt": "b", "reward": NaN}]')
    found = read(log, PROBLEMS)
    assert found.samples.n.tolist() == [[2, 2], [0, 2]]
    assert "'reward' is missing in 1 rows (1 NaN or infinite)" in " ".join(found.report())


def test_missing_doubled_and_surplus_steps(log):
    (log / "step_02.json").write_text((log / "step_2.json").read_text())
    with pytest.raises(InputError, match=r"step_2.json and step_02.json have one name"):
        read(log, PROBLEMS)
    (log / "step_02.json").unlink()
    step(log, 5, [("a", 1.0)])
    found = read(log, PROBLEMS)
    assert found.samples.n_epochs == 2
    assert "the last 1 steps begin an epoch of 2 steps and are left out" in " ".join(found.report())
    (log / "step_3.json").unlink()
    with pytest.raises(InputError, match=r"step 3 is lacking.*missing_steps: allow"):
        read(log, PROBLEMS)
    assert read(log, PROBLEMS, missing_steps="allow").samples.n.tolist() == [[2, 2], [2, 0]]


def test_without_steps_per_epoch_a_visit_is_an_epoch(log):
    by_steps = read(log, PROBLEMS)
    assert read(log, PROBLEMS, steps_per_epoch=None).table.equals(by_steps.table)
    with pytest.raises(InputError, match="4 steps are less than one epoch of 8"):
        read(log, PROBLEMS, steps_per_epoch=8, visits="any")


def test_a_log_of_another_data_set_is_refused(log):
    others = [Problem("C", "c", "1", "t")]
    with pytest.raises(InputError, match="in no problem file"):
        read(log, others)
    with pytest.raises(InputError, match="no row of the log belongs to any"):
        read(log, others, bad_rows="leave-out")


def test_a_folder_without_steps_and_a_file_without_number(tmp_path):
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(InputError, match=r"no step_\*.json in it; found x.json"):
        own_files.expand(tmp_path, limr_steps)
    with pytest.raises(InputError, match="there is no such file or folder"):
        own_files.expand(tmp_path / "none", limr_steps)
    with pytest.raises(InputError, match=r"x.json: not of the format 'limr-steps'"):
        read(tmp_path / "x.json")


def test_a_document_that_is_too_large_is_refused_before_it_is_read(log, monkeypatch):
    monkeypatch.setattr(json_rows, "LARGEST_JSON", 40)
    with pytest.raises(InputError, match="in one JSON document"):
        read(log, PROBLEMS)


def test_a_sparse_file_of_5_gigabytes_is_refused_at_once(log):
    with (log / "step_2.json").open("wb") as file:
        file.truncate(5 * 10**9)
    with pytest.raises(InputError, match=r"more than .* GB in one JSON document"):
        read(log, PROBLEMS)


def test_rewards_in_single_precision_are_known(log):
    step(log, 2, [("b", float(np.float32(0.1))), ("b", 1.0)])
    found = read(log, PROBLEMS, other_rewards=[0.1, -0.5, -1.0])
    assert found.samples.n_correct.tolist() == [[1, 2], [1, 2]]


def killed(path):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_reader_that_is_killed_is_an_error_and_not_a_hang():
    with pytest.raises(InputError, match="a process that read step files was ended from outside"):
        list(progress.mapped(killed, range(8), "step files"))


def test_files_read_in_processes_count_as_files_read_in_one(tmp_path, monkeypatch):
    prompts = [f"What is {i} + {i}?" for i in range(40)]
    upstream.write_log(tmp_path / "log", prompts, epochs=3, steps_per_epoch=4,
                       prompts_per_step=10, samples=4, rng=stream(3, "test"))  # fmt: skip
    many = read(tmp_path / "log", steps_per_epoch=4)
    monkeypatch.setattr(progress, "_MANY", 100)
    one = read(tmp_path / "log", steps_per_epoch=4)
    assert many.table.equals(one.table)
    assert many.report() == one.report()
    (tmp_path / "log/step_7.json").write_text("[")
    monkeypatch.undo()
    with pytest.raises(InputError, match=r"step_7\.json: not valid JSON"):
        read(tmp_path / "log", steps_per_epoch=4)

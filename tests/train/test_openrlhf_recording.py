"""The record of a run from its attempts: every sample once, or an error that names the first."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from limr.core.errors import InputError
from limr.core.tables import METRICS, ROLLOUTS
from limr.train.embedded.order import Order
from limr.train.openrlhf import hooks, recording, task

IDS = [f"p{n}" for n in range(7)]
ORDER = Order(7, 3, True, 1, "full")  # two steps an epoch, one problem left over
EXPECTED = recording.Expected(IDS, ORDER, samples=2, steps=5)


def row(step: int, problem: str, sample: int, response: str = "") -> dict[str, Any]:
    correct = (step + sample) % 2 == 0
    return {
        "problem_id": problem,
        "step": step,
        "sample": sample,
        "reward": 1.0 if correct else -0.5,
        "verdict": "correct" if correct else "incorrect",
        "format": "",
        "reason": "" if correct else "different",
        "response_tokens": 5,
        "prompt_tokens": 9,
        "truncated": False,
        "response": response,
    }


def rows_of(step: int, response: str = "") -> list[dict[str, Any]]:
    return [row(step, IDS[i], s, response) for i in ORDER.batch(step) for s in (0, 1)]


def write(folder: Path, attempt: int, start: int, steps: range, *, short: bool = False) -> None:
    """Rollouts of an attempt, from two processes, and its metrics."""
    rollouts = task.rollout_folder(folder, attempt, start)
    rollouts.mkdir(parents=True)
    for step in steps:
        rows = rows_of(step, f"attempt {attempt}")
        for name, part in (("a-1.jsonl", rows[::2]), ("b-2.jsonl", rows[1::2])):
            text = "".join(json.dumps(one) + "\n" for one in reversed(part))
            with (rollouts / name).open("a") as file:
                file.write(text[:-9] if short and step == steps[-1] else text)
        mean = sum(one["reward"] for one in rows) / len(rows)
        numbers = {"rollout/reward_mean": mean, "rollout/num_samples": 6.0, "kl": float(step)}
        hooks.append_metrics(task.metrics_file(folder, attempt, start), step, numbers)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run that was killed in step 4, after a checkpoint at step 2, and then finished."""
    write(tmp_path, 1, 0, range(1, 5), short=True)
    write(tmp_path, 2, 2, range(3, 6))
    return tmp_path


def test_attempts_are_merged(folder: Path) -> None:
    found = recording.rollouts(folder)
    recording.check(found, EXPECTED, "here")
    assert {step: {one["response"] for one in rows} for step, rows in found.items()} == {
        1: {"attempt 1"},
        2: {"attempt 1"},
        3: {"attempt 2"},
        4: {"attempt 2"},
        5: {"attempt 2"},
    }
    table = recording.rollouts_table(found, EXPECTED)
    assert table.schema.equals(ROLLOUTS)
    assert table.num_rows == 5 * 3 * 2
    assert table["epoch"].to_pylist() == [(step - 1) // 2 for step in range(1, 6) for _ in range(6)]
    expected = [
        (step, IDS[i], s) for step in range(1, 6) for i in ORDER.batch(step) for s in (0, 1)
    ]
    assert [
        *zip(*(table[c].to_pylist() for c in ("step", "problem_id", "sample")), strict=True)
    ] == expected


def test_a_later_attempt_that_fell_back_further_counts(folder: Path) -> None:
    write(folder, 3, 0, range(1, 6))
    found = recording.rollouts(folder)
    recording.check(found, EXPECTED, "here")
    assert {one["response"] for rows in found.values() for one in rows} == {"attempt 3"}


def test_how_far_the_record_is_whole(folder: Path, tmp_path: Path) -> None:
    assert recording.recorded(folder, EXPECTED) == 5
    alone = tmp_path / "alone"
    write(alone, 1, 0, range(1, 5), short=True)
    assert recording.recorded(alone, EXPECTED) == 3
    assert recording.recorded(tmp_path / "nothing", EXPECTED) == 0


def test_a_missing_sample_is_found(folder: Path) -> None:
    found = recording.rollouts(folder)
    lost = found[3].pop()
    with pytest.raises(InputError, match="step 3: 5 rollouts for 6 samples; 1 missing") as error:
        recording.check(found, EXPECTED, "here")
    assert f"sample {lost['sample']} of '{lost['problem_id']}'" in str(error.value)


def test_a_sample_twice_and_a_problem_of_another_step_are_found(folder: Path) -> None:
    found = recording.rollouts(folder)
    found[2].append(found[2][0])
    with pytest.raises(InputError, match="1 too many"):
        recording.check(found, EXPECTED, "here")
    found = recording.rollouts(folder)
    left_over = (set(IDS) - {IDS[i] for i in ORDER.batch(1)}).pop()
    found[1][0] = row(1, left_over, 0)
    with pytest.raises(InputError, match="step 1: 6 rollouts for 6 samples; 1 missing"):
        recording.check(found, EXPECTED, "here")


def test_a_step_beyond_the_run_is_found(folder: Path) -> None:
    found = {**recording.rollouts(folder), 6: rows_of(6)}
    with pytest.raises(InputError, match="step 6: the run has steps 1 to 5"):
        recording.check(found, EXPECTED, "here")


def test_a_broken_line_in_the_middle_is_refused(folder: Path) -> None:
    path = next(task.rollout_folder(folder, 2, 2).glob("a-*"))
    path.write_text("{half\n" + path.read_text())
    with pytest.raises(InputError, match=r"a-1.jsonl:1: not valid JSON"):
        recording.rollouts(folder)


def test_metrics_are_cross_checked_with_the_trainers(folder: Path) -> None:
    found, theirs = recording.rollouts(folder), recording.metrics(folder)
    table = recording.ppo_metrics(found, theirs, EXPECTED, "here")
    assert table.schema.equals(METRICS)
    assert table["mean_reward"].to_pylist() == pytest.approx([0.25] * 5)
    assert table["accuracy"].to_pylist() == [0.5] * 5
    assert table["kl"].to_pylist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert table["tokens"].to_pylist() == [6 * 14] * 5
    assert table["entropy"].null_count == 5
    assert table["broken_no_box"].to_pylist() == [0] * 5
    malformed = {**found[1][0], "verdict": "malformed", "format": "no-box", "reward": 1.0}
    found[1][0] = {**malformed, "reward": found[1][0]["reward"]}
    again = recording.ppo_metrics(found, theirs, EXPECTED, "here")
    assert again["broken_no_box"].to_pylist() == [1, 0, 0, 0, 0]
    other = {**theirs, 4: {**theirs[4], "rollout/reward_mean": 0.3}}
    with pytest.raises(InputError, match=r"step 4: 6 rollouts with the mean reward 0\.25"):
        recording.ppo_metrics(found, other, EXPECTED, "here")
    fewer = {**theirs, 2: {**theirs[2], "rollout/num_samples": 5.0}}
    with pytest.raises(InputError, match=r"the trainer used 5.0"):
        recording.ppo_metrics(found, fewer, EXPECTED, "here")
    with pytest.raises(InputError, match="no metrics of step 5"):
        recording.ppo_metrics(found, {n: theirs[n] for n in range(1, 5)}, EXPECTED, "here")


def test_failures_of_the_grader_are_counted(folder: Path) -> None:
    found = recording.rollouts(folder)
    assert recording.failures(found) == []
    found[1][0]["reason"] = "grader-error: no memory"
    assert recording.failures(found) == [
        "1 rollouts count as incorrect because the grader failed (grader-error: no memory)"
    ]


def test_prompts_come_in_the_studys_order_and_end_with_it(tmp_path: Path, monkeypatch: Any) -> None:
    data = tmp_path / "prompts.jsonl"
    data.write_text(
        "".join(
            json.dumps({"prompt": f"? {name}", "label": json.dumps({"problem_id": name})}) + "\n"
            for name in IDS
        )
    )
    one = task.Task(
        module="x", arguments=[], folder=str(tmp_path), attempt=2, start=2, steps=5, policies=[4],
        save_every=2, kept_checkpoints=2, data=str(data),
        order={"problems": 7, "size": 3, "drop_last": True, "seed": 1, "arm": "full"},
    )  # fmt: skip
    done: list[int] = []
    monkeypatch.setattr(hooks, "finished", lambda _roles, step: done.append(step))
    monkeypatch.setattr(task, "read", lambda path=None: one)
    saves = hooks.Saves()
    prompts = hooks.Prompts(one, saves)
    for step in (3, 4, 5):
        texts, labels, images, over = prompts.next_batch(None, 3)
        names = [IDS[i] for i in ORDER.batch(step)]
        assert texts == [f"? {name}" for name in names]
        assert [json.loads(label) for label in labels] == [
            {"problem_id": name, "step": step} for name in names
        ]
        assert images == [None] * 3
        assert over == (step in (4, 5))
        saves.logged(step)
    assert prompts.next_batch(None, 3) == ([], [], [], True)
    assert done == [4]

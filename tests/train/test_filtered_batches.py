"""OpenRLHF's dynamic filtering through a stand-in for its loop: draws, record, resume, refusals."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from limr.core.errors import InputError
from limr.core.tables import DRAWN, METRICS
from limr.train.embedded.order import Order
from limr.train.openrlhf import filtering, hooks, recording, task

SAMPLES, STEPS, SIZE = 4, 5, 3
IDS = [f"p{n}" for n in range(11)]
ORDER = Order(11, SIZE, True, 1, "full")


def expected(tries: int) -> recording.Expected:
    return recording.Expected(IDS, ORDER, SAMPLES, STEPS, tries, counted=True)


def right(step: int, place: int) -> int:
    """How many samples are right: of two thirds of the groups none or all."""
    return (0, 2, SAMPLES)[(7 * place + step) % 3]


def attempt(folder: Path, number: int, start: int, stop: int, tries: int, monkeypatch: Any) -> None:
    """What the trainer does: a batch, then one problem more for each group that it drops."""
    data = folder / "prompts.jsonl"
    lines = [json.dumps({"prompt": n, "label": json.dumps({"problem_id": n})}) for n in IDS]
    data.write_text("\n".join(lines) + "\n")
    one = task.Task(
        module="x", arguments=[], folder=str(folder), attempt=number, start=start, steps=STEPS,
        policies=[], save_every=9, kept_checkpoints=2, data=str(data), tries=tries,
        order={"problems": 11, "size": SIZE, "drop_last": True, "seed": 1, "arm": "full"},
        drawn=recording.drawn(folder, expected(tries), start),
    )  # fmt: skip
    monkeypatch.setattr(task, "read", lambda path=None: one)
    prompts, path = hooks.Prompts(one, hooks.Saves()), one.rollouts()
    path.mkdir(parents=True)
    for step in range(start + 1, stop + 1):
        labels, kept = prompts.next_batch(None, SIZE)[1], []
        while labels:
            asked = json.loads(labels.pop())  # the last one to be asked is ready first
            assert asked["step"] == step
            count = right(step, IDS.index(asked["problem_id"]))
            anyway = asked.get("kept_anyway", False)
            scores = [float(n < count) for n in range(SAMPLES)]
            if anyway:
                scores = [filtering.KEPT_ANYWAY] * SAMPLES
            rewards = [1.0 if n < count else -0.5 for n in range(SAMPLES)]
            rows = [
                {**asked, "sample": n, "reward": rewards[n], "format": "", "reason": "",
                 "verdict": "correct" if n < count else "incorrect", "response_tokens": 5,
                 "prompt_tokens": 9, "truncated": False, "response": "", "kept_anyway": anyway}
                for n in range(SAMPLES)
            ]  # fmt: skip
            with (path / "a-1.jsonl").open("a") as file:
                file.write("".join(json.dumps(row) + "\n" for row in rows))
            if filtering.SCORES[0] < sum(scores) / SAMPLES < filtering.SCORES[1]:
                kept += rewards
            else:
                labels += prompts.next_batch(None, 1)[1]
        assert len(kept) == SIZE * SAMPLES
        numbers = {"rollout/reward_mean": sum(kept) / len(kept), "rollout/num_samples": len(kept)}
        hooks.append_metrics(one.metrics(), step, numbers)


def published(folder: Path, tries: int) -> tuple[Any, list[dict[str, Any]]]:
    found, wanted = recording.rollouts(folder), expected(tries)
    recording.check(found, wanted, "here")
    metrics = recording.ppo_metrics(found, recording.metrics(folder), wanted, "here")
    return recording.rollouts_table(found, wanted).to_pylist(), metrics.to_pylist()


@pytest.mark.parametrize("tries", [1, 2, 3, 9])
def test_every_rollout_is_recorded_and_counted_and_a_resume_draws_the_same(
    tmp_path: Path, monkeypatch: Any, tries: int
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        folder.mkdir()
    attempt(whole, 1, 0, STEPS, tries, monkeypatch)
    attempt(broken, 1, 0, 4, tries, monkeypatch)
    assert recording.recorded(broken, expected(tries)) == 4
    attempt(broken, 2, 2, STEPS, tries, monkeypatch)  # from a checkpoint after step 2
    rows, metrics = published(whole, tries)
    assert published(broken, tries) == (rows, metrics)
    assert set(metrics[0]) == {*METRICS.names, *DRAWN.names}
    assert sum(row["rollouts"] for row in metrics) == len(rows) > STEPS * SIZE * SAMPLES
    for row in metrics:
        mine = [one for one in rows if one["step"] == row["step"]]
        keys = [(one["problem_id"], one["sample"]) for one in mine]
        assert len(set(keys)) == len(keys) == row["rollouts"]
        assert len(mine) <= (tries + 1) * SIZE * SAMPLES
        share = sum(one["verdict"] == "correct" for one in mine) / len(mine)
        assert row["accuracy"] == pytest.approx(share)
        mixed = {
            name
            for name in IDS
            if 0 < sum(r["verdict"] == "correct" for r in mine if r["problem_id"] == name) < SAMPLES
        }
        assert row["without_signal"] == len(mine) - SAMPLES * len(mixed)


def test_a_record_that_lacks_a_group_or_a_kept_one_is_refused(
    tmp_path: Path, monkeypatch: Any
) -> None:
    attempt(tmp_path, 1, 0, STEPS, 2, monkeypatch)
    found = recording.rollouts(tmp_path)
    groups = list(dict.fromkeys(row["problem_id"] for row in found[2]))
    short = {**found, 2: [row for row in found[2] if row["problem_id"] != groups[0]]}
    with pytest.raises(InputError, match="step 2"):
        recording.check(short, expected(2), "here")
    dull = {**found, 2: [{**row, "verdict": "incorrect", "kept_anyway": False} for row in found[2]]}
    with pytest.raises(InputError, match="step 2: 0 rollouts were kept, not 12"):
        recording.check(dull, expected(2), "here")


def test_a_walk_takes_the_order_and_each_problem_of_a_step_once() -> None:
    plain = [place for batch in range(1, 30) for place in ORDER.batch(batch)]
    walk, at = filtering.Walk(ORDER), 0
    sizes = [3, 5, 11, 4, 11]
    for size in sizes:
        taken: list[int] = []
        while len(taken) < size:
            if plain[at] not in taken:
                taken.append(plain[at])
            at += 1
        assert walk.step(size - 2) + walk.more(2) == taken
    again = filtering.Walk(ORDER, sizes)
    assert again.step(6) == walk.step(6)


def test_the_pool_bounds_what_may_be_dropped() -> None:
    def of(problems: int) -> Order:
        return Order(problems, 4, True, 1, "arm")

    assert [filtering.filtered(of(n), 3) for n in (4, 5, 8, 12, 16, 99)] == [0, 1, 4, 8, 12, 12]
    assert list(islice(filtering._endless(of(4)), 8))[4:] == of(4).batch(2)

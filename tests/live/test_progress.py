"""How far a run is: counts, running jobs, the time that is left."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from limr.live.progress import Events, Progress, in_words, seconds_left, step

TRAINING = "full seed 1  step 12/48  reward 0.215  accuracy 0.490  18,864 tokens/s  36 s left\n"


def start(number: int, rule: str, time: float, log: Path | None = None) -> dict[str, Any]:
    logs = [] if log is None else [str(log)]
    words = {"rule": rule, "message": f"{rule} {number}", "log": logs, "wildcards": {}}
    return {"event": "start", "id": number, "time": time, **words}


def end(number: int, time: float, event: str = "done") -> dict[str, Any]:
    return {"event": event, "id": number, "time": time}


def run(*events: dict[str, Any]) -> Progress:
    found = Progress()
    found.take({"event": "plan", "time": 0.0, "jobs": {"train": 4, "all": 1, "total": 5}})
    for event in events:
        found.take(event)
    return found


def test_finished_jobs_teach_how_long_the_others_take() -> None:
    found = run(start(1, "train", 0), end(1, 10), start(2, "train", 10))
    assert (found.done, found.total) == (1, 5)
    assert [job.message for job in found.running] == ["train 2"]
    assert found.left(now=14.0) == (10 - 4 + 2 * 10, 0)  # two wait


def test_two_at_a_time_take_half_as_long() -> None:
    found = run(start(1, "train", 0), end(1, 10), start(2, "train", 10), start(3, "train", 10))
    assert found.left(now=10.0) == ((10 + 10 + 10) / 2, 0)


def test_before_the_first_end_a_job_s_own_word_is_taken(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(TRAINING)
    found = run(start(1, "train", 0, log))
    assert found.left(now=12.0) == (36 + 3 * 48, 0)


def test_jobs_of_which_nothing_is_known_are_counted() -> None:
    assert run(start(1, "train", 0)).left(now=3.0) == (0.0, 3)


def test_a_failed_job_is_neither_done_nor_a_measure() -> None:
    found = run(start(1, "train", 0), end(1, 1, "failed"))
    assert found.done == 0
    assert [job.message for job in found.failed] == ["train 1"]
    assert found.left(now=2.0) == (0.0, 3)


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        (TRAINING, 36.0),
        ("step 2/9  2 h 5 min left", 7500.0),
        ("step 100/600  loss 0.4", 50.0),  # 10 s for 100 steps
        ("arithmetic-easy greedy: 14 of 120 correct", None),
        ("nothing is left", None),
        ("step 0/6", None),
    ],
)
def test_what_a_line_promises(line: str, seconds: float | None) -> None:
    assert seconds_left(line, 10.0) == seconds


def test_words() -> None:
    assert [in_words(n) for n in (-1, 59.4, 60, 3599, 7500)] == [
        "0 s", "59 s", "1 min 0 s", "59 min 59 s", "2 h 5 min",
    ]  # fmt: skip
    assert step(TRAINING) == "12/48"


def test_a_line_that_is_half_written_waits(tmp_path: Path) -> None:
    path = tmp_path / "events"
    events = Events(path)
    assert events.new() == []
    first, second = json.dumps({"id": 1}) + "\n", json.dumps({"id": "é"}, ensure_ascii=False)
    path.write_bytes(first.encode() + second.encode()[:8])
    assert events.new() == [{"id": 1}]
    path.write_bytes(first.encode() + second.encode() + b"\n")
    assert events.new() == [{"id": "é"}]


def test_the_last_line_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"x" * 5000 + b"\nbar 1\rbar 2\n\n")
    job = run(start(1, "train", 0, log)).running[0]
    assert job.said() == "bar 2"
    assert run(start(1, "train", 0, tmp_path / "none")).running[0].said() == ""

"""Rollouts and metrics of a run from the files of its attempts, checked to the last sample.

An attempt goes on from a checkpoint. The steps that an earlier attempt did after that checkpoint
are done again: of each step the last attempt counts that started before it.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from limr.core.errors import InputError
from limr.core.tables import ROLLOUTS, broken_rules
from limr.train import drawing, runs
from limr.train.embedded.order import Order
from limr.train.openrlhf.filtering import Walk
from limr.train.openrlhf.reward import FAILED

Row = dict[str, Any]
_ATTEMPT = re.compile(r"attempt-(\d+)-after-(\d+)(\.jsonl)?")
_FOUND = ("problem_id", "sample", "verdict", "kept_anyway")  # what says whether a step is whole
TOLERANCE = 1e-4  # between our mean reward and the trainer's, which is a 32-bit number


@dataclass(frozen=True)
class Expected:
    """What a run must have recorded."""

    problem_ids: Sequence[str]
    order: Order
    samples: int
    steps: int  # the last one's number
    tries: int | None = None  # batches that a step may drop (`filtering`); None: none
    counted: bool = False  # whether the metrics say what was drawn
    before: int = 0  # steps that another run did, from whose state this one goes on

    @property
    def numbers(self) -> range:
        """The numbers of the run's own steps."""
        return range(self.before + 1, self.steps + 1)

    def batches(self, found: Mapping[int, Sequence[Row]]) -> dict[int, list[int]]:
        """Return step -> the problems that it drew, in order, as places in the pool.

        With filtering, how many they are is what was found, at least a batch.
        """
        if self.tries is None:
            return {step: self.order.batch(step) for step in self.numbers}
        walk = Walk(self.order)
        return {step: walk.step(self._size(found.get(step, []))) for step in self.numbers}

    def _size(self, rows: Sequence[Row]) -> int:
        there = len({row["problem_id"] for row in rows})
        return min(self.order.problems, max(self.order.size, there))

    def of_step(self, batch: Sequence[int]) -> Counter[tuple[str, int]]:
        """Return each problem and sample of a step, once; `batch` is what it drew."""
        ids = [self.problem_ids[index] for index in batch]
        return Counter((name, sample) for name in ids for sample in range(self.samples))

    def trained_on(self, rows: Sequence[Row]) -> list[Row]:
        """Return those of a step's rows that the trainer did not drop."""
        if self.tries is None:
            return list(rows)
        right = Counter(row["problem_id"] for row in rows if row["verdict"] == "correct")
        return [
            row for row in rows if row["kept_anyway"] or 0 < right[row["problem_id"]] < self.samples
        ]


def attempts(folder: Path) -> list[tuple[int, int, Path]]:
    """Return (attempt, step that it started after, path) of each attempt, in order."""
    found = [(_ATTEMPT.fullmatch(path.name), path) for path in folder.glob("attempt-*")]
    return sorted((int(match[1]), int(match[2]), path) for match, path in found if match)


def last_attempt(folder: Path) -> int:
    """Return the number of the last attempt that recorded anything, 0 where there is none."""
    found = [*attempts(folder / "rollouts"), *attempts(folder / "metrics")]
    return max((attempt for attempt, _, _ in found), default=0)


def counting(folder: Path) -> Callable[[int], int]:
    """Return a function from a step to the attempt that counts for it."""
    starts = [(attempt, start) for attempt, start, _ in attempts(folder)]

    def of(step: int) -> int:
        return max((attempt for attempt, start in starts if start < step), default=0)

    return of


def lines(path: Path) -> Iterator[Row]:
    """Yield the JSON objects of a file, without a last line that a kill cut short.

    Raises InputError where another line is not JSON.
    """
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                return
            try:
                yield json.loads(line.decode("utf-8"))
            except ValueError as error:
                raise InputError(
                    f"{path}:{number}: not valid JSON ({error}). Run the same command again: it "
                    "goes on from the last whole state."
                ) from None


def rollouts(folder: Path, fields: Collection[str] | None = None) -> dict[int, list[Row]]:
    """Return the rows that count, by step, in no order.

    `fields` limits what is kept of a row: responses take gigabytes.
    """
    of = counting(folder / "rollouts")
    steps: dict[int, list[Row]] = {}
    for attempt, start, path in attempts(folder / "rollouts"):
        for file in sorted(path.glob("*.jsonl")):
            for row in lines(file):
                step = row["step"]
                if step > start and of(step) == attempt:
                    kept = row if fields is None else {name: row[name] for name in fields}
                    steps.setdefault(step, []).append(kept)
    return steps


def recorded(folder: Path, expected: Expected) -> int:
    """Return the last step up to which all of the run's are completely recorded."""
    found = rollouts(folder, _FOUND if expected.tries is not None else _FOUND[:2])
    batches, step = expected.batches(found), expected.before
    while step < expected.steps:
        if _problem(found.get(step + 1, []), expected, step + 1, batches[step + 1]) is not None:
            break
        step += 1
    return step


def drawn(folder: Path, expected: Expected, start: int) -> list[int]:
    """Return how many problems each step up to `start` drew; none where nothing is filtered."""
    if expected.tries is None:
        return []
    batches = expected.batches(rollouts(folder, _FOUND))
    return [len(batches[step]) for step in range(1, start + 1)]


def _problem(
    rows: Sequence[Row], expected: Expected, step: int, batch: Sequence[int]
) -> str | None:
    """Return what is wrong with a step's rows, or None; `batch` is what it drew."""
    wanted = expected.of_step(batch)
    found = Counter((row["problem_id"], row["sample"]) for row in rows)
    if found == wanted:
        kept, due = len(expected.trained_on(rows)), len(batch) * expected.samples
        if expected.tries is not None:
            due = expected.order.size * expected.samples
        return None if kept == due else f"step {step}: {kept} rollouts were kept, not {due}"
    for what, difference in (("missing", wanted - found), ("too many", found - wanted)):
        if difference:
            name, sample = min(difference)
            return (
                f"step {step}: {len(rows)} rollouts for {wanted.total()} samples; "
                f"{difference.total()} {what}, the first is sample {sample} of '{name}'"
            )
    return None


def check(found: Mapping[int, Sequence[Row]], expected: Expected, where: str) -> None:
    """Refuse a record that lacks a sample or has one too many; name its step and problem."""
    beyond = sorted(step for step in found if step not in expected.numbers)
    if beyond:
        numbers = f"{expected.before + 1} to {expected.steps}"
        raise InputError(f"{where}: rollouts of step {beyond[0]}: the run has steps {numbers}.")
    batches = expected.batches(found)
    for step in expected.numbers:
        problem = _problem(found.get(step, []), expected, step, batches[step])
        if problem:
            raise InputError(
                f"{where}: {problem}. Run the same command again: it goes on from the last whole "
                "state. If it happens again, look for a full or slow shared file system."
            )


def rollouts_table(found: Mapping[int, Sequence[Row]], expected: Expected) -> pa.Table:
    """Return `limr.core.tables.ROLLOUTS`, by step, place in the batch, and sample."""
    names = [name for name in ROLLOUTS.names if name not in ("step", "epoch")]
    tables, batches = [], expected.batches(found)
    for step in expected.numbers:
        place = {expected.problem_ids[i]: n for n, i in enumerate(batches[step])}
        rows = sorted(found[step], key=lambda row: (place[row["problem_id"]], row["sample"]))
        columns = {name: [row[name] for row in rows] for name in names}
        tables.append(runs.rollouts_table(columns, step, expected.order.epoch(step)))
    return pa.concat_tables(tables)  # in chunks: the texts of a run may pass 2 GB


def metrics(folder: Path) -> dict[int, Row]:
    """Return the trainer's own numbers that count, by step."""
    of = counting(folder / "metrics")
    steps: dict[int, Row] = {}
    for attempt, start, path in attempts(folder / "metrics"):
        for row in lines(path):
            if row["step"] > start and of(row["step"]) == attempt:
                steps[row["step"]] = row
    return steps


def ppo_metrics(
    found: Mapping[int, Sequence[Row]], trainer: Mapping[int, Row], expected: Expected, where: str
) -> pa.Table:
    """Return `limr.core.tables.METRICS` of a PPO run.

    Raises InputError where the trainer's own numbers lack a step, or count or average other rewards
    than were recorded.
    """
    rows: list[Row] = []
    often: Counter[int] = Counter()
    batches = expected.batches(found)
    for step in expected.numbers:
        if step not in trainer:
            raise InputError(f"{where}: the trainer logged no metrics of step {step}.")
        rows.append(_ppo_row(found[step], trainer[step], expected, step, where))
        often.update(batches[step])
        if expected.counted:
            tries = -(-len(batches[step]) // expected.order.size)
            rows[-1] |= drawing.counted(_groups(found[step]), tries, often)
    return runs.metrics_table(rows)


def _groups(rows: Sequence[Row]) -> list[drawing.Group]:
    """Return the groups of a step's rows; their places do not matter."""
    samples = Counter(row["problem_id"] for row in rows)
    right = Counter(row["problem_id"] for row in rows if row["verdict"] == "correct")
    return [drawing.Group(0, n, right[name]) for name, n in samples.items()]


def _ppo_row(
    samples: Sequence[Row], trainer: Row, expected: Expected, step: int, where: str
) -> Row:
    n, kept = len(samples), expected.trained_on(samples)
    mean = math.fsum(row["reward"] for row in kept) / len(kept)
    theirs, counted = trainer.get("rollout/reward_mean"), trainer.get("rollout/num_samples")
    if counted != len(kept) or theirs is None or abs(theirs - mean) > TOLERANCE:
        raise InputError(
            f"{where}: step {step}: {len(kept)} rollouts with the mean reward {mean:.6f} are "
            f"recorded, but the trainer used {counted} with {theirs}. The record is not the "
            "training's: please report this."
        )
    tokens = sum(row["response_tokens"] for row in samples)
    return {
        "step": step,
        "epoch": expected.order.epoch(step),
        "mean_reward": math.fsum(row["reward"] for row in samples) / n,
        "accuracy": sum(row["verdict"] == "correct" for row in samples) / n,
        "malformed": sum(row["verdict"] == "malformed" for row in samples) / n,
        **broken_rules([row["format"] for row in samples]),
        "truncated": sum(row["truncated"] for row in samples) / n,
        "response_tokens": tokens / n,
        "kl": trainer.get("kl"),
        "policy_loss": trainer.get("policy_loss"),
        "value_loss": trainer.get("critic_loss"),
        "clip_fraction": trainer.get("ppo_clip_ratio"),
        "tokens": tokens + sum(row["prompt_tokens"] for row in samples),
        "seconds": trainer.get("timing/step_total"),
    }


def failures(found: Mapping[int, Sequence[Row]]) -> list[str]:
    """Return a line that says on how many responses the grader failed; none where it never did."""
    reasons = Counter(
        row["reason"] for rows in found.values() for row in rows if row["reason"].startswith(FAILED)
    )
    if not reasons:
        return []
    reason, _ = reasons.most_common(1)[0]
    return [f"{reasons.total()} rollouts count as incorrect because the grader failed ({reason})"]


def attempt_starts(folder: Path) -> list[int]:
    """Return the step after which each attempt started, in order."""
    return [start for _, start, _ in attempts(folder)]

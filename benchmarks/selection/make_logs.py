"""Make the logs that are compared; the same arguments give the same rollouts.

.venv/bin/python benchmarks/selection/make_logs.py paper FOLDER
.venv/bin/python benchmarks/selection/make_logs.py scale FILE --rollouts 100000000
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import texts

from limr.core.tables import ROLLOUTS, VERDICTS

SEED = 2502
REWARDS = np.array([1.0, -0.5, -1.0], np.float32)  # of VERDICTS, in their order
SAMPLES = 8
PROMPTS_PER_STEP = 1024
PAPER_PROBLEMS = 8523
PAPER_STEPS_PER_EPOCH = PAPER_PROBLEMS // PROMPTS_PER_STEP  # the last 331 of an epoch are left out
PAPER_GROUP = 64 * PROMPTS_PER_STEP * SAMPLES  # rows in a row group
SCALE_GROUP = 1_000_000
CORRECT, INCORRECT, MALFORMED = range(3)


class Learning:
    """How likely a correct sample is, problem by problem, as training goes on."""

    def __init__(self, rng: np.random.Generator, problems: int) -> None:
        """Draw the curves: most rise, 12 % are never solved, 10 % always."""
        self._low = rng.beta(1.2, 3.0, problems)
        self._high = self._low + (1 - self._low) * rng.beta(3.0, 1.5, problems)
        self._middle = rng.uniform(-0.2, 0.8, problems)
        self._width = rng.uniform(0.05, 0.3, problems)
        kind = rng.random(problems)
        self._low[kind < 0.12] = self._high[kind < 0.12] = 0.0
        self._low[kind > 0.90] = self._high[kind > 0.90] = 1.0

    def outcomes(
        self, rng: np.random.Generator, chosen: np.ndarray, progress: float, samples: int
    ) -> np.ndarray:
        """Return samples for the chosen problems, as indices of VERDICTS, (problems, samples)."""
        rise = 1 / (1 + np.exp((self._middle[chosen] - progress) / self._width[chosen]))
        chance = self._low[chosen] + (self._high[chosen] - self._low[chosen]) * rise
        drawn = rng.random((len(chosen), samples), np.float32)
        # what is left above the chance is split: fewer answers are malformed as training goes on
        malformed = 1 - (1 - chance) * (0.3 - 0.25 * progress)
        found = (drawn >= chance[:, None]).astype(np.int8)
        found += drawn >= malformed[:, None]
        return found


class RolloutsFile:
    """Rows in, row groups of about one size out."""

    def __init__(self, writer: pq.ParquetWriter, group: int) -> None:
        """Write row groups of `group` rows through the writer."""
        self._writer, self._group = writer, group
        self._tables: list[pa.Table] = []
        self._rows = 0

    def add(self, columns: dict[str, pa.Array]) -> None:
        """Take further rows, and write what fills a row group."""
        table = pa.table([columns[name] for name in ROLLOUTS.names], schema=ROLLOUTS)
        while self._rows + len(table) >= self._group:
            head = self._group - self._rows
            self._tables.append(table.slice(0, head))
            self._rows += head
            self.flush()
            table = table.slice(head)
        self._tables.append(table)
        self._rows += len(table)

    def flush(self) -> None:
        """Write the rows that were taken since the last row group."""
        if self._rows:
            self._writer.write_table(pa.concat_tables(self._tables), row_group_size=self._group)
        self._tables, self._rows = [], 0


@contextmanager
def rollouts_file(path: Path, group: int) -> Iterator[RolloutsFile]:
    """Give the file to write into; it stands under its name once it is whole."""
    temporary = path.with_name(path.name + ".part")
    plain = [name for name in ROLLOUTS.names if name != "response"]
    with pq.ParquetWriter(temporary, ROLLOUTS, compression="zstd", use_dictionary=plain) as writer:
        file = RolloutsFile(writer, group)
        yield file
        file.flush()
    temporary.replace(path)


def columns(
    ids: pa.Array, step: np.ndarray, epoch: int, outcomes: np.ndarray, tokens: np.ndarray
) -> dict[str, pa.Array]:
    """Return the columns of one row a sample; `ids`, `step` and `outcomes` have a row a prompt."""
    prompts, samples = outcomes.shape
    rows, flat = prompts * samples, outcomes.ravel()
    return {
        "problem_id": ids.take(pa.array(np.repeat(np.arange(prompts), samples))),
        "step": pa.array(np.repeat(step, samples), pa.int32()),
        "epoch": pa.array(np.full(rows, epoch), pa.int16()),
        "sample": pa.array(np.tile(np.arange(samples), prompts), pa.int8()),
        "reward": pa.array(REWARDS[flat]),
        "verdict": pa.DictionaryArray.from_arrays(pa.array(flat), pa.array(VERDICTS)),
        "response_tokens": pa.array(tokens, pa.int32()),
        "truncated": pa.array(np.zeros(rows, bool)),
        "response": pa.nulls(rows, pa.string()),
    }


def paper(folder: Path, epochs: int) -> None:
    """Write problems.json, steps/step_N.json and rollouts.parquet, the same rollouts in both."""
    steps = folder / "steps"
    steps.mkdir(parents=True, exist_ok=True)
    for stale in steps.glob("step_*.json"):
        stale.unlink()
    rng = np.random.default_rng(SEED)
    problems = texts.problems(rng, PAPER_PROBLEMS)
    (folder / "problems.json").write_text(json.dumps(problems, indent=4), encoding="utf-8")
    vocabulary, learning = texts.Responses(rng), Learning(rng, len(problems))
    ids = pa.array([problem["id"] for problem in problems])
    with rollouts_file(folder / "rollouts.parquet", PAPER_GROUP) as file:
        for epoch in range(epochs):
            order = np.random.default_rng((SEED, epoch)).permutation(len(problems))
            for number in range(PAPER_STEPS_PER_EPOCH):
                step = epoch * PAPER_STEPS_PER_EPOCH + number + 1
                rng = np.random.default_rng((SEED, epoch, number))
                chosen = order[number * PROMPTS_PER_STEP :][:PROMPTS_PER_STEP]
                outcomes = learning.outcomes(rng, chosen, epoch / max(1, epochs - 1), SAMPLES)
                asked = [problems[index] for index in np.repeat(chosen, SAMPLES).tolist()]
                replies = vocabulary.write(rng, answers(rng, asked, outcomes.ravel().tolist()))
                tokens = np.array([len(reply) // 3 for reply in replies])
                found = columns(
                    ids.take(pa.array(chosen)),
                    np.full(len(chosen), step),
                    epoch,
                    outcomes,
                    tokens,
                )
                file.add(found | {"response": pa.array(replies)})
                rows = zip(
                    asked, replies, found["reward"].to_pylist(), tokens.tolist(), strict=True
                )
                with (steps / f"step_{step}.json").open("w", encoding="utf-8") as log:
                    json.dump([json_row(*row) for row in rows], log, indent=4)


def json_row(
    problem: dict[str, str], response: str, reward: float, length: int
) -> dict[str, object]:
    """Return a rollout as the step files have it."""
    return {
        "prompt": problem["prompt"],
        "response": response,
        "reward": reward,
        "response_length": length,
    }


def answers(
    rng: np.random.Generator, asked: list[dict[str, str]], outcomes: list[int]
) -> list[str | None]:
    """Return what the responses box: the gold answer, another number, or nothing."""
    others = rng.integers(1000, 10_000, len(asked)).tolist()  # no gold answer is that large
    return [
        problem["answer"] if outcome == CORRECT else str(other) if outcome == INCORRECT else None
        for problem, outcome, other in zip(asked, outcomes, others, strict=True)
    ]


def scale(path: Path, rollouts: int, problems: int, samples: int) -> None:
    """Write a long rollouts file, epoch after epoch, and the scores it must give beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ids = pa.array([f"problem-{number:05d}" for number in range(1, problems + 1)])
    steps_per_epoch = -(-problems // PROMPTS_PER_STEP)
    epochs = max(1, round(rollouts / (problems * samples)))
    learning = Learning(np.random.default_rng(SEED), problems)
    correct = np.zeros((epochs, problems), np.int8)
    within = np.arange(problems) * steps_per_epoch // problems + 1  # the step of an epoch's prompts
    with rollouts_file(path, SCALE_GROUP) as file:
        for epoch in range(epochs):
            rng = np.random.default_rng((SEED, epoch))
            order = rng.permutation(problems)
            outcomes = learning.outcomes(rng, order, epoch / max(1, epochs - 1), samples)
            correct[epoch, order] = (outcomes == CORRECT).sum(axis=1)
            step = epoch * steps_per_epoch + within
            tokens = np.repeat(rng.integers(200, 1200, problems), samples)
            file.add(columns(ids.take(pa.array(order)), step, epoch, outcomes, tokens))
    accuracy = correct / samples
    mean = accuracy.mean(axis=1)
    scores = 1 - ((accuracy - mean[:, None]) ** 2).sum(axis=0) / ((1 - mean) ** 2).sum()
    expected = dict(zip(ids.to_pylist(), scores.tolist(), strict=True))
    path.with_suffix(".expected.json").write_text(json.dumps(expected), encoding="utf-8")


def main() -> None:
    """Make one kind of log."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    kinds = parser.add_subparsers(dest="kind", required=True)
    kind = kinds.add_parser("paper", help="step files and rollouts.parquet at the paper's scale")
    kind.add_argument("folder", type=Path)
    kind.add_argument("--epochs", type=int, default=21)
    kind = kinds.add_parser("scale", help="a long rollouts.parquet without responses")
    kind.add_argument("file", type=Path)
    kind.add_argument("--rollouts", type=int, default=100_000_000, help="to the nearest epoch")
    kind.add_argument("--problems", type=int, default=20_000)
    kind.add_argument("--samples", type=int, default=SAMPLES, help="a prompt and step")
    settings = vars(parser.parse_args())
    if settings.pop("kind") == "paper":
        folder = settings.pop("folder")
        marker = folder / "made.json"
        marker.unlink(missing_ok=True)
        paper(folder, **settings)
    else:
        file = settings.pop("file")
        marker = file.with_suffix(".made.json")
        marker.unlink(missing_ok=True)
        scale(file, **settings)
    marker.write_text(json.dumps(settings), encoding="utf-8")  # the data are whole


if __name__ == "__main__":
    main()

"""Two small logs and the file that was trained on, to try `limr look` with: docs/logs.md.

python docs/example_logs.py FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

PROBLEMS, PER_STEP, SAMPLES, EPOCHS = 120, 12, 8, 6
SYSTEM = "Please reason step by step, and put your final answer within \\boxed{}."


def main(folder: Path) -> None:
    """Write rollouts/ as verl does, completions/ as TRL does, and train.parquet."""
    rng = np.random.default_rng(7)
    a, b = np.divmod(rng.choice(80 * 80, PROBLEMS, replace=False), 80) + np.array([[12], [12]])
    texts = [f"What is {x} times {y}?" for x, y in zip(a, b, strict=True)]
    answers = a * b
    golds = [str(answer) for answer in answers]
    hard = rng.beta(0.8, 0.8, PROBLEMS)  # some are never solved, some always
    wrong = int(np.argmin(hard))  # an answer of the data is wrong, as some are
    golds[wrong] = str(answers[wrong] + 10)
    for name in ("rollouts", "completions"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    step = 0
    for epoch in range(EPOCHS):
        for batch in rng.permutation(PROBLEMS).reshape(-1, PER_STEP):
            step += 1
            rows = [
                row(texts[p], golds[p], int(answers[p]), solved(hard[p], epoch), step, rng)
                for p in batch
                for _ in range(SAMPLES)
            ]
            lines = "".join(json.dumps(one) + "\n" for one in rows)
            (folder / f"rollouts/{step}.jsonl").write_text(lines, encoding="utf-8")
            pq.write_table(
                completions(rows), folder / f"completions/completions_{step:05d}.parquet"
            )
    data = {
        "data_source": ["multiplication"] * PROBLEMS,
        "prompt": [[{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]
                   for text in texts],
        "reward_model": [{"style": "rule", "ground_truth": gold} for gold in golds],
        "extra_info": [{"index": index, "split": "train"} for index in range(PROBLEMS)],
    }  # fmt: skip
    pq.write_table(pa.table(data), folder / "train.parquet")


def solved(hardness: float, epoch: int) -> float:
    """Return how often a problem is solved: 0 and 1 at the ends, rising in between."""
    if hardness > 0.85:
        return 0.0
    return float(np.clip(1.2 - 1.4 * hardness + 0.06 * epoch, 0, 1))


def row(
    text: str, gold: str, answer: int, rate: float, step: int, rng: np.random.Generator
) -> dict[str, object]:
    """Return a rollout as verl dumps it."""
    given = answer if rng.random() < rate else answer + int(rng.integers(1, 50))
    return {
        "input": f"system\n{SYSTEM}\nuser\n{text}\nassistant\n",
        "output": f"I multiply and get \\boxed{{{given}}}.",
        "gts": gold,
        "score": float(str(given) == gold),
        "step": step,
    }


def completions(rows: list[dict[str, object]]) -> pa.Table:
    """Return rollouts as TRL logs them."""
    return pa.table(
        {
            "step": [row["step"] for row in rows],
            "prompt": [row["input"] for row in rows],
            "completion": [row["output"] for row in rows],
            "accuracy_reward": [row["score"] for row in rows],
            "format_reward": [1.0] * len(rows),
            "advantage": [0.0] * len(rows),
        }
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))

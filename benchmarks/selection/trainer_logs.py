"""Logs of other trainers: `limr`'s reader beside a bare scan of the needed columns.

.venv/bin/python benchmarks/selection/trainer_logs.py FOLDER [--polars PYTHON] [--rounds 3]

FOLDER takes the logs (2.9 GB, made once). PYTHON is a Python with polars; without it the JSON lines
are compared with nothing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from compare import measure

PROMPTS, SAMPLES, EPOCHS = 7936, 8, 16  # a million rows of 2.7 KB
LIMR = (
    "import sys; from limr.trajectories import reader; print(reader.read([sys.argv[1]]).rows_read)"
)
POLARS = """
import sys, polars as pl
kinds = {"input": pl.String, "score": pl.Float64, "step": pl.Int64, "acc": pl.Boolean}
rows = pl.scan_ndjson(sys.argv[1] + "/*.jsonl", schema=kinds)
print(rows.group_by("input").agg(pl.len(), pl.col("acc").sum()).collect(engine="streaming").height)
"""
ARROW = """
import sys, glob, pyarrow.parquet as pq
columns = ["step", "prompt", "accuracy_reward"]
print(sum(pq.read_table(f, columns=columns).num_rows for f in glob.glob(sys.argv[1] + "/*")))
"""


def make_verl(folder: Path) -> None:
    """Write a million rows as verl dumps them."""
    rng = np.random.default_rng(1)
    text = "".join(rng.choice(list("abcdefghij klmno pqrst uvwxyz\n"), 40_000))
    folder.mkdir(parents=True)
    step = 0
    for epoch in range(EPOCHS):
        for batch in rng.permutation(PROMPTS).reshape(-1, 128):
            step += 1
            lines = []
            for prompt in batch.tolist():
                question = f"user\nProblem {prompt}: {text[prompt : prompt + 260]}\nassistant\n"
                rate = prompt % 100 / 100 * (0.5 + epoch / (2 * EPOCHS))
                for begin, right in zip(
                    rng.integers(37_000, size=SAMPLES).tolist(),
                    (rng.random(SAMPLES) < rate).tolist(),
                    strict=True,
                ):
                    row = {"input": question, "output": text[begin : begin + 2250], "gts": "1",
                           "score": float(right), "step": step, "acc": right}  # fmt: skip
                    lines.append(json.dumps(row))
            (folder / f"{step}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def make_trl(folder: Path) -> None:
    """Write ten million rows as TRL logs them."""
    rng = np.random.default_rng(1)
    text = "".join(rng.choice(list("abcdefgh ijk"), 40_000))
    prompts = [f"Problem {p}: {text[p : p + 260]}" for p in range(8000)]
    folder.mkdir(parents=True)
    step = 0
    for _ in range(20):
        for batch in rng.permutation(8000).reshape(-1, 160):
            step += 1
            which = np.repeat(batch, 64)
            table = {
                "step": np.full(len(which), step),
                "prompt": [prompts[p] for p in which],
                "completion": [text[p : p + 300] for p in rng.integers(39_000, size=len(which))],
                "accuracy_reward": (rng.random(len(which)) < which % 100 / 100).astype(float),
                "advantage": rng.random(len(which)),
            }
            pq.write_table(pa.table(table), folder / f"completions_{step:05d}.parquet")


def main() -> None:
    """Make what is not there, run both sides in turn, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--polars")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for name, make in (("verl", make_verl), ("trl", make_trl)):
        if not (options.folder / name).is_dir():
            make(options.folder / name)
    sides = {
        "limr, 1 M rows of verl": [sys.executable, "-c", LIMR, str(options.folder / "verl")],
        "limr, 10 M rows of TRL": [sys.executable, "-c", LIMR, str(options.folder / "trl")],
        "PyArrow reads TRL's columns": [sys.executable, "-c", ARROW, str(options.folder / "trl")],
    }
    if options.polars:
        sides["polars scans verl's columns"] = [
            options.polars, "-c", POLARS, str(options.folder / "verl")
        ]  # fmt: skip
    found: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
    for _ in range(options.rounds):
        for name, command in sides.items():
            found[name].append(measure(command, options.folder / "log.txt"))
    print("| | CPU s | wall s | MB |\n|---|---|---|---|")
    for name, runs in found.items():
        cpu, wall, memory = (
            statistics.median(run[key] for run in runs)
            for key in ("cpu_seconds", "wall_seconds", "peak_mb")
        )
        print(f"| {name} | {cpu:.2f} | {wall:.2f} | {memory:.0f} |")


if __name__ == "__main__":
    sys.exit(main())

"""The measurements of docs/backtest.md, as Markdown; and how long a backtest takes.

    LIMR_MIRROR=DIR .venv/bin/python benchmarks/selection/backtest.py
    .venv/bin/python benchmarks/selection/backtest.py --speed [--problems 8523] [--epochs 21]

The first is on real learning curves: `one_shot_rlvr/acc_step_500.json` of the mirror, 1,209 prompts
with 8 samples a visit (Qwen2.5-Math-1.5B under GRPO, arXiv 2504.20571), all lists cut to the
shortest, 44 visits. The second is on simulated curves.
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import time
from pathlib import Path

import pandas as pd
from diagnostics import simulated

from limr.core.tables import TRAJECTORIES
from limr.scores import backtest, backtest_rows
from limr.scores.backtest import Asked, Plan
from limr.scores.scoring import ProblemSet
from limr.trajectories import curves, reader

SIZE = 201  # the best sixth of 1,209
SELECTORS = 15
# Beside every selector with its defaults: the same ones from the last five visits.
RECENT = [
    Asked("learnability, last five", "learnability", {"epochs": {"last": 5}}),
    Asked("lim, last five", "lim", {"epochs": {"last": 5}}),
]
COLUMNS = {"variance": "p(1-p)", "all_right": "all right", "all_wrong": "all wrong",
           "later": "later", "dead": "dead", "cost": "cost"}  # fmt: skip


def real(mirror: Path, draws: int = 2000) -> pd.DataFrame:
    """Return the backtest of every selector on the real curves."""
    path = mirror / "one_shot_rlvr" / "acc_step_500.json"
    found = reader.read([path])
    ids = found.problem_ids.to_pylist()
    problems = ProblemSet(ids, [None] * len(ids))
    plan = Plan(size=SIZE, first=5, draws=draws)
    asked = [*backtest.every(), *RECENT]
    table = backtest.backtest("One-Shot-RLVR", problems, found.samples, asked, plan)
    frame: pd.DataFrame = table.to_pandas()
    return frame


def markdown(table: pd.DataFrame) -> str:
    """Return the summary as a table of docs/backtest.md."""
    rows = backtest_rows.summary(table)
    heads = ["selector", "signal", "over t", "behind", *COLUMNS.values()]
    lines = [f"| {' | '.join(heads)} |", "|---|---|---|---|" + "---:|" * len(COLUMNS)]
    for row in rows[rows["signal"].notna()].to_dict("records"):
        cells = [
            row["selector"],
            f"{row['signal']:.3f} ({row['signal_low']:.3f} to {row['signal_high']:.3f})",
            f"{row['signal_lowest']:.2f} to {row['signal_highest']:.2f}",
            ""
            if row["role"] == "oracle"
            else f"{row['behind']:.3f} ({row['behind_low']:.3f} to {row['behind_high']:.3f})",
            *(f"{row[key]:.{1 if key == 'cost' else 3}f}" for key in COLUMNS),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    left = rows[rows["signal"].isna()]
    return "\n".join([*lines, "", *(f"{r['selector']}: {r['reason']}" for _, r in left.iterrows())])


def speed(n_problems: int, n_epochs: int, draws: int) -> None:
    """Print how long a backtest of 15 selectors takes on simulated curves."""
    problems, table = simulated(n_problems, n_epochs)
    samples = curves.samples(table.cast(TRAJECTORIES), problems.problem_ids)
    some = itertools.islice(itertools.cycle(backtest.every()), SELECTORS)
    asked = [Asked(f"{one.name} {number}", one.selector) for number, one in enumerate(some)]
    start, used = time.perf_counter(), time.process_time()
    backtest.backtest("simulated", problems, samples, asked, Plan(draws=draws))
    wall, cpu = time.perf_counter() - start, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(
        f"{len(asked)} selectors, {n_problems:,} prompts, {n_epochs} visits, {draws} draws: "
        f"{wall:.1f} s, {cpu:.1f} s of CPU time, {peak:.0f} MB"
    )


def main() -> None:
    """Print the table, or the time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--problems", type=int, default=8523)
    parser.add_argument("--epochs", type=int, default=21)
    parser.add_argument("--draws", type=int, default=500)
    arguments = parser.parse_args()
    if arguments.speed:
        speed(arguments.problems, arguments.epochs, arguments.draws)
    else:
        print(markdown(real(Path(os.environ["LIMR_MIRROR"]))))


if __name__ == "__main__":
    main()

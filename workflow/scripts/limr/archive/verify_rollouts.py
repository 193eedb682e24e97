"""Whether a run's rollouts ask what the study says: each problem of each step, each sample once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from limr.archive import ids_of
from limr.archive.opened import Opened
from limr.core import files
from limr.core.tables import ROLLOUTS
from limr.study import files as contents
from limr.train.embedded.order import Order


def here(opened: Opened) -> list[tuple[str, int, str, str]]:
    """Return (arm, seed, rollouts, problems) of the runs whose problems can be named."""
    found = []
    for arm, seed in contents.runs(opened.study):
        rollouts = f"{opened.results}/runs/{arm}/seed{seed}/rollouts.parquet"
        subset = f"subsets/{arm}.jsonl"
        for problems in (f"{opened.results}/{subset}", ids_of(subset)):
            if opened.has(rollouts, problems):
                found.append((arm, seed, rollouts, problems))
                break
    return found


def asked(opened: Opened) -> Iterator[str]:
    """Yield the first step of each run whose rollouts are not those that the study's order names.

    The order follows from the arm's problems, its name and the seed alone: rollouts of another arm,
    seed or study do not fit, nor do rollouts of which some were taken away.
    """
    for arm, seed, rollouts, problems in here(opened):
        ids = [str(row["problem_id"]) for row in files.read_jsonl(opened.folder / problems)]
        ppo = opened.study.arms[arm].settings
        order = Order(len(ids), ppo["prompts_per_step"], ppo["drop_last"], seed, arm)
        wanted = ["step", "epoch", "problem_id", "sample"]
        frame = files.read_parquet(opened.folder / rollouts, ROLLOUTS, wanted).to_pandas()
        steps = {int(step): rows for step, rows in frame.groupby("step")}
        if sorted(steps) != list(range(1, ppo["steps"] + 1)):
            yield f"{rollouts}: step: expected 1 to {ppo['steps']}, found {len(steps)} steps"
            continue
        for step, rows in steps.items():
            expected = Counter(
                (order.epoch(step), ids[index], sample)
                for index in order.batch(step)
                for sample in range(ppo["samples_per_prompt"])
            )
            found = Counter(zip(rows["epoch"], rows["problem_id"], rows["sample"], strict=True))
            if found != expected:
                other = next(iter((found - expected) or (expected - found)))
                yield (
                    f"{rollouts}: step {step}: the problems are not those that the study's order "
                    f"names for arm '{arm}', seed {seed}: {other[1]!r}, epoch {other[0]}, sample "
                    f"{other[2]} is one too many or missing"
                )
                break

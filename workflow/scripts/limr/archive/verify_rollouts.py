"""Whether a run's rollouts ask what the study says: each problem of each step, each sample once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from limr.archive import ids_of
from limr.archive.opened import Opened
from limr.core import files
from limr.core.tables import ROLLOUTS
from limr.study import files as contents
from limr.study.study import Study
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

    The order follows from the arm's problems, its name and the seed alone, and those of its way:
    rollouts of another arm, seed or study do not fit, nor do rollouts of which some were taken
    away.
    """
    runs = here(opened)
    named = {
        (arm, seed): [str(row["problem_id"]) for row in files.read_jsonl(opened.folder / problems)]
        for arm, seed, _, problems in runs
    }
    for arm, seed, rollouts, _ in runs:
        order = _order(opened.study, arm, seed, named)
        if order is None:
            continue
        ids, ppo = named[arm, seed], opened.study.arms[arm].settings
        start = opened.study.arms[arm].start
        first = start.step + 1 if start else 1
        wanted = ["step", "epoch", "problem_id", "sample"]
        frame = files.read_parquet(opened.folder / rollouts, ROLLOUTS, wanted).to_pandas()
        steps = {int(step): rows for step, rows in frame.groupby("step")}
        if sorted(steps) != list(range(first, ppo["steps"] + 1)):
            yield f"{rollouts}: step: expected {first} to {ppo['steps']}, found {len(steps)} steps"
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


def _order(
    study: Study, arm: str, seed: int, named: dict[tuple[str, int], list[str]]
) -> Order | None:
    """Return the order of a run's problems; None where problems of its way cannot be named.

    Args:
        study: the study.
        arm: the run's arm.
        seed: its seed.
        named: (arm, seed) -> ids of its problems.
    """
    order, before, start = None, None, 0
    for name, last in [*study.way(arm), (arm, 0)]:
        ids = named.get((name, seed))
        if ids is None:
            return None
        ppo = study.arms[name].settings
        plain = Order(len(ids), ppo["prompts_per_step"], ppo["drop_last"], seed, study.streams(arm))
        if order is None:
            order = plain
        elif ids != before:  # a first pass over other problems: see `limr.train.starts`
            epochs = order.epoch(start) + 1
            order = replace(plain, shift=epochs * plain.steps_per_epoch - start)
        before, start = ids, last
    return order

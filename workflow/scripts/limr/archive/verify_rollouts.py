"""Whether a run's rollouts ask what the study says: each problem of each step, each sample once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from limr.archive import differences, ids_of
from limr.archive.opened import Opened
from limr.core import files
from limr.core.errors import InputError
from limr.core.tables import DRAWN, METRICS, ROLLOUTS, read_problems
from limr.study import files as contents
from limr.study.study import Study
from limr.train import drawing
from limr.train.embedded.order import Order
from limr.train.openrlhf.filtering import Walk


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

    The order follows from the arm's problems, its name and the seed alone, and those of its way; a
    sampler's choices also from the verdicts before them: rollouts of another arm, seed or study do
    not fit, nor do rollouts of which some were taken away. From the same choices follow the metrics
    that say what was drawn.
    """
    runs = here(opened)
    named = {
        (arm, seed): [str(row["problem_id"]) for row in files.read_jsonl(opened.folder / problems)]
        for arm, seed, _, problems in runs
    }
    for arm, seed, rollouts, problems in runs:
        order = _order(opened.study, arm, seed, named)
        if order is None:
            continue
        ids, ppo = named[arm, seed], opened.study.arms[arm].settings
        start = opened.study.arms[arm].start
        first = start.step + 1 if start else 1
        wanted = ["step", "epoch", "problem_id", "sample", "verdict"]
        frame = files.read_parquet(opened.folder / rollouts, ROLLOUTS, wanted).to_pandas()
        pool = pd.Index(ids)
        frame["right"] = frame["verdict"] == "correct"
        frame["place"] = pool.get_indexer(frame["problem_id"]) if pool.is_unique else -1
        steps = {int(step): rows for step, rows in frame.groupby("step")}
        if sorted(steps) != list(range(first, ppo["steps"] + 1)):
            yield f"{rollouts}: step: expected {first} to {ppo['steps']}, found {len(steps)} steps"
            continue
        try:
            draws = _draws(opened, arm, order, problems)
        except InputError as error:
            yield f"{rollouts}: {error}"
            continue
        if draws is None:
            continue
        engine = opened.study.config["engine"]["train"]
        walk = Walk(order) if engine == "openrlhf" else None
        metrics = str(Path(rollouts).with_name("metrics.parquet"))
        said, often = _said(opened, arm, metrics), Counter[int]()
        for step, rows in steps.items():
            try:
                batch = _batch(draws, walk, step, rows, ids)
            except InputError:
                yield (
                    f"{rollouts}: step {step}: the problems are not those that sampler "
                    f"'{draws.options['name']}' of arm '{arm}', seed {seed}, draws after the "
                    "rollouts before them"
                )
                break
            samples = ppo["samples_per_prompt"]
            if not _asks(rows, order.epoch(step), batch, samples):
                asked = [ids[index] for index in batch]
                if (other := _other(rows, order.epoch(step), asked, samples)) is not None:
                    yield (
                        f"{rollouts}: step {step}: the problems are not those that the study's "
                        f"order names for arm '{arm}', seed {seed}: {other}"
                    )
                    break
            often.update(batch)
            counted = {"epoch": order.epoch(step), **_counted(draws, step, rows, batch, often)}
            due = {name: counted[name] for name in said.get(step, {})}
            for field in differences.of_values(due, said.get(step, {})):
                yield f"{metrics}: step {step}: {field}"


def _other(rows: pd.DataFrame, epoch: int, asked: list[str], samples: int) -> str | None:
    """Return a row of a step that is one too many or missing; None: there is none."""
    expected = Counter((epoch, name, sample) for name in asked for sample in range(samples))
    found = Counter(zip(rows["epoch"], rows["problem_id"], rows["sample"], strict=True))
    if found == expected:
        return None
    other = next(iter((found - expected) or (expected - found)))
    return f"{other[1]!r}, epoch {other[0]}, sample {other[2]} is one too many or missing"


def _asks(rows: pd.DataFrame, epoch: int, batch: list[int], samples: int) -> bool:
    """Return whether a step's rows are surely one for each problem of its batch and each sample.

    `rows` have `place`, that of the problem in the pool, -1 for another.
    """
    expected = np.add.outer(np.multiply(batch, samples), np.arange(samples)).ravel()
    places, drawn = rows["place"].to_numpy(), rows["sample"].to_numpy()
    if len(rows) != len(expected) or drawn.dtype.kind != "i":  # a forger's may have gaps
        return False
    if places.min() < 0 or drawn.min() < 0 or drawn.max() >= samples:
        return False
    same = np.array_equal(np.sort(places * samples + drawn.astype(np.int64)), np.sort(expected))
    return same and bool((rows["epoch"] == epoch).all())


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


def _draws(opened: Opened, arm: str, order: Order, problems: str) -> drawing.Drawing | None:
    """Return the draws of an arm, none yet; None: its difficulties are not archived."""
    sampler, score = opened.study.arms[arm].sampler, opened.study.difficulty(arm)
    if not drawing.needs_difficulty(sampler):
        return drawing.Drawing(sampler, order)
    scores = f"{opened.results}/scores/{score}.parquet"
    whole = f"{opened.results}/subsets/{arm}.jsonl"
    if problems != whole or (score is not None and not opened.has(scores)):
        return None
    pool = read_problems(opened.folder / whole)
    found = drawing.difficulties(sampler, pool, opened.folder / scores, f"arm '{arm}'")
    return drawing.Drawing(sampler, order, found)


def _batch(
    draws: drawing.Drawing, walk: Walk | None, step: int, rows: pd.DataFrame, ids: list[str]
) -> list[int]:
    """Return the problems, as places in the pool, that a step should have drawn.

    `walk`: those that OpenRLHF's filtering draws, None for another engine.

    Raises InputError where the recorded ones are others.
    """
    if draws.options["name"] == "uniform":
        return draws.order.batch(step)
    if walk is not None:
        return walk.step(min(len(ids), max(draws.order.size, rows["problem_id"].nunique())))
    place = {name: number for number, name in enumerate(ids)}
    draws.draw(step, drawing.recorded(drawing.groups(rows, place)))
    return [group.problem for one in draws.draws if one.step == step for group in one.groups]


def _said(opened: Opened, arm: str, metrics: str) -> dict[int, dict[str, int]]:
    """Return step -> what a run's metrics say of what it drew, and its epoch.

    A run that started from another one's state says its epoch alone: its counts begin there.
    """
    if not (opened.folder / metrics).exists():
        return {}
    table = files.read_parquet(opened.folder / metrics, METRICS, newer=DRAWN)
    counts = () if opened.study.arms[arm].start else DRAWN.names
    names = ["epoch", *(name for name in counts if name in table.column_names)]
    rows = table.select(names).to_pylist()
    return dict(zip(table["step"].to_pylist(), rows, strict=True))


def _counted(
    draws: drawing.Drawing, step: int, rows: pd.DataFrame, batch: list[int], often: Counter[int]
) -> dict[str, int]:
    """Return what the metrics of a step should say that it drew."""
    if draws.draws:
        return draws.counted(step)
    problem, _ = pd.factorize(rows["problem_id"])
    samples, right = np.bincount(problem), np.bincount(problem, rows["right"])
    found = [drawing.Group(0, int(n), int(k)) for n, k in zip(samples, right, strict=True)]
    return drawing.counted(found, -(-len(batch) // draws.order.size), often)

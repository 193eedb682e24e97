"""`limr verify --rerun N`: the first steps of every run, trained again from the archived base.

An archive has no states: what a run starts from is trained again up to there.
This is the one check that sees rollouts which no model ever wrote. It trains with this limr's own
embedded engine; nothing of the archive is executed.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from limr.archive.opened import Opened
from limr.core import files, plugins
from limr.core.errors import InputError
from limr.core.tables import ROLLOUTS, read_problems
from limr.models.interface import PpoJob, Start
from limr.study.jobs.train import split_options

ENGINE = "embedded"
_SAME = ("device", "name", "machine", "threads")  # of the hardware: what its bytes depend on


def runs(opened: Opened) -> list[tuple[str, int]]:
    """Return (arm, seed) of the runs that can be trained again here, each after those of its way.

    Raises:
        InputError: none can, or a run was made on another machine; with the reason.
    """
    study = opened.study
    engine = study.config["engine"]["train"]
    if engine != ENGINE:
        raise InputError(f"--rerun: only the engine 'embedded' repeats its bytes, not '{engine}'.")
    arms = sorted(study.arms_by("ppo"), key=lambda arm: len(study.way(arm)))
    found: list[tuple[str, int]] = []
    for arm, seed in study.runs_of(*arms):
        before = all((name, seed) in found for name, _ in study.way(arm))
        if before and opened.has(_at(opened, arm, seed, "rollouts.parquet")):
            found.append((arm, seed))
    if not found:
        raise InputError("--rerun: the archive has no rollouts.")
    for arm, seed in found:
        for path in (f"{opened.results}/subsets/{arm}.jsonl", f"{opened.results}/base/config.json"):
            if not opened.has(path):
                raise InputError(f"--rerun: {path} is not in the archive: nothing to train from.")
        _check_machine(opened, arm, seed)
    return found


def _check_machine(opened: Opened, arm: str, seed: int) -> None:
    options = opened.study.engine_options("train")
    with plugins.load("engines", ENGINE).importing(options):
        from limr.train.embedded import run as embedded

    here = embedded.hardware(embedded.device_of({**options, "device": "auto"}))
    there = opened.json(_at(opened, arm, seed, "run.json")).get("hardware", {})
    portable = options.get("determinism") == "portable"
    same = set(_SAME) - ({"name"} if portable else set())
    differing = [key for key in same if here.get(key) != there.get(key)]
    if differing:
        raise InputError(
            f"--rerun: {arm}, seed {seed}, ran on {there.get('name')!r} ({there.get('machine')}, "
            f"{there.get('threads')} threads), this is {here['name']!r} ({platform.machine()}, "
            f"{here['threads']} threads): another type of processor rounds differently, so that "
            "other bytes would prove nothing. Verify without --rerun, or on such a machine."
        )


def differences(opened: Opened, steps: int, scratch: Path) -> Iterator[str]:
    """Train the first steps of every run again; yield the first row that differs of each.

    Args:
        opened: an archive that `runs` accepts.
        steps: how many steps; of a shorter run, all; of a run that others start from, also those
            up to there.
        scratch: a folder for what is made.
    """
    import pyarrow.compute as pc

    for arm, seed in runs(opened):
        about = opened.study.arms[arm]
        before = about.start.step if about.start else 0
        n = min(max([before + steps, *opened.study.kept_states(arm)]), about.settings["steps"])
        job = _job(opened, arm, seed, n, scratch)
        plugins.load("engines", ENGINE).train_ppo(job)
        made = files.read_parquet(job.rollouts, ROLLOUTS)
        path = _at(opened, arm, seed, "rollouts.parquet")
        there = files.read_parquet(opened.folder / path, ROLLOUTS)
        there = there.filter(pc.less_equal(there["step"], n))
        kept = [
            name for name in ROLLOUTS.names
            if name != "response" or not opened.record["without_responses"]
        ]  # fmt: skip
        rows = (made.select(kept).to_pylist(), there.select(kept).to_pylist())
        if rows[0] == rows[1]:
            continue
        if len(rows[0]) != len(rows[1]):
            counts = f"{len(rows[1])} rollouts, {len(rows[0])} when run again"
            yield f"{path}: steps {before + 1} to {n}: {counts}"
            continue
        again, said = next((a, b) for a, b in zip(*rows, strict=True) if a != b)
        field = next(name for name in kept if again[name] != said[name])
        yield (
            f"{path}: step {said['step']}, sample {said['sample']} of '{said['problem_id']}': "
            f"{field}: run again {again[field]!r}, found {said[field]!r}"
        )


def _job(opened: Opened, arm: str, seed: int, steps: int, scratch: Path) -> PpoJob:
    study, about, folder = opened.study, opened.study.arms[arm], scratch / f"{arm}-{seed}"
    start = None
    if about.start:
        state = scratch / f"{about.start.arm}-{seed}/states/step{about.start.step}"
        start = Start(**asdict(about.start), streams=study.streams(arm), state=state)
    counted, free = split_options(study, "train")
    return PpoJob(
        arm=arm,
        seed=seed,
        base=opened.folder / opened.results / "base",
        problems=read_problems(opened.folder / opened.results / f"subsets/{arm}.jsonl"),
        options={**counted, **free},
        grader=about.grader,
        state=folder / "state",
        policies={},
        metrics=folder / "metrics.parquet",
        record=folder / "run.json",
        provenance={},
        ppo={**about.settings, "steps": steps},
        reward=about.reward,
        rollouts=folder / "rollouts.parquet",
        sampler=about.sampler,
        difficulty=_difficulty(opened, arm),
        start=start,
        states={step: folder / f"states/step{step}" for step in study.kept_states(arm)},
    )


def _difficulty(opened: Opened, arm: str) -> Path | None:
    score = opened.study.difficulty(arm)
    return None if score is None else opened.folder / opened.results / f"scores/{score}.parquet"


def _at(opened: Opened, arm: str, seed: int, name: str) -> str:
    return f"{opened.results}/runs/{arm}/seed{seed}/{name}"

"""Arms that go on from other arms, and choices for each seed: spelled out one by one.

`seed: each` of trajectories `early` makes `early-seed1`, `early-seed2`, ...; so do the scores made
from them, and the arms whose problems or whose start depend on these. Such an arm has one run. Each
is an ordinary entry with files of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from limr.core.errors import InputError, nearest
from limr.study.arms import Arm

Json = dict[str, Any]
EACH = "each"
# Keys of `ppo` that a fresh optimizer may change; those of `limr.models.interface`, which a test
# holds against these.
OPTIMIZER_KEYS = ("actor_learning_rate", "critic_learning_rate", "warmup_steps", "adam_betas")


def of_seed(name: str, seed: int) -> str:
    """Return the name of what is made for one seed."""
    return f"{name}-seed{seed}"


def by_seed(
    trajectories: Mapping[str, Json],
    scores: Mapping[str, Json],
    arms: Mapping[str, Arm],
    seeds: Sequence[int],
) -> tuple[dict[str, Json], dict[str, Json], dict[str, Arm]]:
    """Return trajectories, scores and arms; what is for each seed, once for each.

    Args:
        trajectories: of the study, `arm` being the name of an arm of `arms`.
        scores: draws spelled out.
        arms: draws spelled out.
        seeds: the study's.
    """
    single = {name for name, arm in arms.items() if _alone(arm, scores, trajectories)}
    while more := {
        name
        for name, arm in arms.items()
        if name not in single
        and (arm.cut.get("size") in single or (arm.start and arm.start.arm in single))
    }:
        single |= more
    curves: dict[str, Json] = {}
    for name, entry in trajectories.items():
        for seed in seeds if entry.get("seed") == EACH and entry.get("arm") else [None]:
            arm = entry.get("arm")
            if arm in single:
                arm = of_seed(str(arm), entry["seed"] if seed is None else seed)
            made = entry if seed is None else {**entry, "seed": seed}
            own = name if seed is None else of_seed(name, seed)
            curves[own] = {**made, "arm": arm} if arm else made
    drawn: dict[str, Json] = {}
    for name, entry in scores.items():
        for seed in seeds if _is_each(entry, trajectories) else [None]:
            drawn[name if seed is None else of_seed(name, seed)] = _score(entry, trajectories, seed)
    found: dict[str, Arm] = {}
    for name, arm in arms.items():
        for seed in seeds if name in single else [None]:
            made_arm = arm if seed is None else _arm(arm, seed, single, scores, trajectories)
            found[made_arm.name] = made_arm
    return curves, drawn, found


def _is_each(score: Json, trajectories: Mapping[str, Json]) -> bool:
    source = trajectories.get(score["trajectories"] or "", {})
    return score["seed"] == EACH or source.get("seed") == EACH


def _alone(arm: Arm, scores: Mapping[str, Json], trajectories: Mapping[str, Json]) -> bool:
    return arm.score is not None and _is_each(scores[arm.score], trajectories)


def _score(entry: Json, trajectories: Mapping[str, Json], seed: int | None) -> Json:
    if seed is None:
        return entry
    source = entry["trajectories"]
    if trajectories.get(source or "", {}).get("seed") == EACH:
        source = of_seed(source, seed)
    drawn = seed if entry["seed"] == EACH else entry["seed"]
    return {**entry, "trajectories": source, "seed": drawn}


def _arm(
    arm: Arm,
    seed: int,
    single: set[str],
    scores: Mapping[str, Json],
    trajectories: Mapping[str, Json],
) -> Arm:
    """Return an arm's part of one seed."""
    cut, start, score = dict(arm.cut), arm.start, arm.score
    if cut.get("size") in single:
        cut["size"] = of_seed(cut["size"], seed)
    if start and start.arm in single:
        start = replace(start, arm=of_seed(start.arm, seed))
    if score is not None and _is_each(scores[score], trajectories):
        score = of_seed(score, seed)
    name = of_seed(arm.name, seed)
    return replace(arm, name=name, seeds=(seed,), cut=cut, start=start, score=score)


def check_starts(arms: Mapping[str, Arm], where: str) -> None:
    """Refuse starts that no run has, or that a run cannot go on from.

    Raises:
        InputError: the first cause.
    """
    for arm in arms.values():
        if arm.start is None:
            continue
        at = f"{where}: arm '{arm.group}': start"
        if arm.start.arm not in arms:
            raise InputError(f"{at}: no arm '{arm.start.arm}'.{nearest(arm.start.arm, arms)}")
        before = arms[arm.start.arm]
        _check_steps(arm, before, arm.start.step, at)
        _check_same(arm, before, at)
        if arm.sampler is not None and arm.sampler["name"] != "uniform":
            raise InputError(
                f"{at}: sampler '{arm.sampler['name']}' draws from what its own run has seen, and "
                "cannot go on from another's. Leave 'sampler' or 'start' out."
            )
        size = arm.cut.get("size")
        batch = arm.settings["prompts_per_step"]
        if isinstance(size, int) and size < batch:
            raise InputError(
                f"{at}: size {size} is smaller than a step's {batch} problems "
                "(ppo.prompts_per_step): its steps would cost less than those before. Choose more."
            )


def _check_steps(arm: Arm, before: Arm, step: int, at: str) -> None:
    if before.train != "ppo":
        raise InputError(f"{at}: '{before.group}' is not an arm with train: ppo.")
    first = before.start.step + 1 if before.start else 1
    last = before.settings["steps"]
    if not first <= step <= last:
        raise InputError(
            f"{at}: step {step} is not kept: the runs of '{before.group}' have steps {first} to "
            f"{last}."
        )
    if step >= arm.settings["steps"]:
        raise InputError(
            f"{at}: step {step} is not before the arm's own end, ppo.steps = "
            f"{arm.settings['steps']}, which counts from the base."
        )


def _check_same(arm: Arm, before: Arm, at: str) -> None:
    """Refuse what a state could not be gone on from: another layout of steps or optimizer."""
    fresh = arm.start is not None and arm.start.optimizer == "fresh"
    for key, value in arm.settings.items():
        if key == "steps" or (fresh and key in OPTIMIZER_KEYS) or before.settings[key] == value:
            continue
        way = " Or begin with a new one: `optimizer: fresh`." if key in OPTIMIZER_KEYS else ""
        raise InputError(
            f"{at}: ppo.{key} is {value} here and {before.settings[key]} in '{before.group}', and "
            f"a run goes on as it began. Give both the same.{way}"
        )

"""What can be known to be wrong with the samplers of a study's arms before any job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from limr.core import plugins
from limr.core.errors import InputError, nearest
from limr.study.arms import Arm

if TYPE_CHECKING:
    from limr.study.study import Study


def check(study: Study) -> None:
    """Check that engines can draw as arms ask, from what there will be.

    Raises:
        InputError: one cannot; the first cause.
    """
    name = study.config["engine"]["train"]
    offered = getattr(plugins.load("engines", name), "SAMPLERS", ())
    for arm in study.arms.values():
        if arm.sampler is None:
            continue
        chosen, at = arm.sampler["name"], f"{study.where}: arm '{arm.group}'"
        sampler = plugins.load("samplers", chosen)
        if chosen not in offered:
            known = f"It has {', '.join(offered)}." if offered else "It has none."
            raise InputError(
                f"{at}: engine '{name}' cannot draw by sampler '{chosen}'. {known} Leave 'sampler' "
                "out for its own order."
            )
        if arm.settings["samples_per_prompt"] < sampler.LEAST_SAMPLES:
            raise InputError(
                f"{at}: sampler '{chosen}' needs ppo.samples_per_prompt of at least "
                f"{sampler.LEAST_SAMPLES}: it asks whether the samples of a problem differ."
            )
        if hasattr(sampler, "check"):
            try:
                sampler.check(arm.sampler)
            except InputError as error:
                raise InputError(f"{at}: {error}") from None
        _check_difficulty(study, arm, at)
        _check_pool(study, arm, at)


def _check_difficulty(study: Study, arm: Arm, at: str) -> None:
    score = study.difficulty(arm.name)
    if score is None:
        return
    if score not in study.scores:
        raise InputError(
            f"{at}: sampler.difficulty: '{score}' is neither 'level' nor under scores."
            f"{nearest(score, study.scores)}"
        )
    own, theirs = study.arm_dataset(arm.name), study.score_dataset(score)
    if own != theirs:
        raise InputError(
            f"{at}: sampler.difficulty: score '{score}' is of problem set '{theirs}', the arm "
            f"trains on '{own}'."
        )


def _check_pool(study: Study, arm: Arm, at: str) -> None:
    """Refuse a pool that is known to be smaller than a batch; others are refused as they start."""
    if arm.sampler is None or arm.sampler["name"] == "uniform":
        return
    size, batch = arm.cut.get("size"), arm.settings["prompts_per_step"]
    entry = study.datasets[study.arm_dataset(arm.name)]
    expected = getattr(plugins.load("datasets", entry["source"]), "expected", None)
    known = [expected(entry) if expected else None, size if isinstance(size, int) else None]
    least = min((number for number in known if number is not None), default=batch)
    if least < batch:
        raise InputError(
            f"{at}: sampler '{arm.sampler['name']}' chooses {batch} problems a step "
            f"(ppo.prompts_per_step), and the arm has at most {least}. Give it more problems, or "
            "take smaller steps."
        )

"""What choosing problems costs before a study runs: in training steps, by arithmetic alone.

A chosen arm trains for T steps, and its score comes from S steps of another run: S + T in all. n
uses of its subset cost S + n T steps against the n T of an arm that trains on everything for as
many: at equal steps it never pays. It pays from use n on where it reaches the same accuracy in T -
S / n steps or fewer; more than T cannot be saved, so n > S / T.
"""

from __future__ import annotations

import math
from typing import Any

from limr.core import plugins
from limr.plan.counts import Counts
from limr.study.study import Study

Json = dict[str, Any]
USES = (1, 2, 3, 5, 10)  # for which the steps to save are given, where so many can be saved


def bill(study: Study, counts: Counts) -> list[Json]:
    """Return what each arm that is trained by PPO on scored problems costs, in the study's order.

    Returns:
        For each arm that needs a scoring run: arm, steps, scored_from, scoring_steps (None: not
        known; a score from a file was paid for elsewhere), steps_in_all, rollouts,
        scoring_rollouts and rollouts_in_all (of one run), runs (seeds: uses that the study makes
        itself), at_equal_steps ("never", or None: not known), steps_to_save (uses -> steps that
        each must save to pay).
    """
    found: dict[str, Json] = {}
    for name in study.arms_by("ppo"):
        before, draw = _scoring(study, counts, name), study.arms[name].draw
        if draw in found:  # of another seed
            found[draw]["runs"] += 1
        elif before is not None and study.arms[name].shown:
            found[draw] = _row(study, counts, name, *before)
    return list(found.values())


def _row(
    study: Study, counts: Counts, arm: str, source: str, scoring: int | None, sampled: int | None
) -> Json:
    steps = study.arms[arm].settings["steps"]
    own = steps * batch(study, counts, arm)
    saving = {n: math.ceil(scoring / n) for n in USES if scoring and scoring / n < steps}
    return {
        "arm": study.arms[arm].draw,
        "steps": steps,
        "scored_from": source,
        "scoring_steps": scoring,
        "steps_in_all": None if scoring is None else steps + scoring,
        "rollouts": own,
        "scoring_rollouts": sampled,
        "rollouts_in_all": None if sampled is None else own + sampled,
        "runs": len(study.arms[arm].seeds),
        **({"of": study.arms[arm].of} if study.arms[arm].of else {}),
        "at_equal_steps": None if not scoring else "never",
        "steps_to_save": {str(n): steps for n, steps in saving.items()},
    }


def _scoring(study: Study, counts: Counts, arm: str) -> tuple[str, int | None, int | None] | None:
    """Return the run that an arm is scored from, its steps and its rollouts; None if it needs none.

    Steps and rollouts are None where they are not known, as for a score from a file.
    """
    score = study.scores[str(study.arms[arm].score)]
    if not plugins.load("selectors", score["selector"]).NEEDS_TRAJECTORIES:
        return None
    source = study.trajectories[score["trajectories"]]
    other = source.get("arm")
    if score["trajectories"] in study.sampled:
        n = counts.dataset(study.arm_dataset(arm)).n
        text = f"{source['samples']} responses of the base per problem"
        return text, None, source["samples"] * n if n else None
    if not other:
        return f"'{score['trajectories']}', a file", None, None
    epochs = score["options"].get("epochs")
    steps = source["steps"][1] if "steps" in source else study.arms[other].settings["steps"]
    on_the_way = dict(study.way(arm)).get(other, 0)
    if on_the_way >= steps and study.arms[arm].seeds == (source["seed"],):
        return f"its own first {steps} steps", 0, 0
    text = f"{other}, seed {source['seed']}" + (f", {epochs} epochs" if epochs else "")
    if epochs is not None:
        each = _steps_of_epoch(study, counts, other)
        if each is None:
            return text, None, None
        steps = min(steps, epochs * each)
    rollouts = steps * batch(study, counts, other)
    before = _scoring(study, counts, other)
    if before is None:
        return text, steps, rollouts
    text = f"{text}, after {before[0]}"
    if before[1] is None or before[2] is None:
        return text, None, None
    return text, steps + before[1], rollouts + before[2]


def batch(study: Study, counts: Counts, arm: str) -> int:
    """Return the rollouts of a step of an arm; a subset smaller than a batch is one batch."""
    ppo, n = study.arms[arm].settings, counts.arm(arm).n
    prompts = min(ppo["prompts_per_step"], n) if n else ppo["prompts_per_step"]
    return int(prompts * ppo["samples_per_prompt"])


def _steps_of_epoch(study: Study, counts: Counts, arm: str) -> int | None:
    """Return the steps of an epoch; None where the number of problems is not known."""
    ppo, n = study.arms[arm].settings, counts.arm(arm).n
    if not n:
        return None
    whole = n / int(ppo["prompts_per_step"])
    return max(1, math.floor(whole) if ppo["drop_last"] else math.ceil(whole))


def lines(found: list[Json]) -> list[tuple[str, ...]]:
    """Return rows of texts: arm, own steps, scoring, in all, rollouts, uses, scored from.

    Cells of a sweep whose numbers are the same are one row.
    """
    rows: dict[tuple[str, ...], list[Json]] = {}
    for row in found:
        rows.setdefault((str(row.get("of", row["arm"])), *_numbers(row)), []).append(row)
    return [
        (
            same[0]["arm"] + (f" and {len(same) - 1} more" * (len(same) > 1)),
            *numbers,
            same[0]["scored_from"] if len(same) == 1 else "each from a run of its cell",
        )
        for (_, *numbers), same in rows.items()
    ]


def _numbers(row: Json) -> list[str]:
    saved = row["steps_to_save"]
    return [
        f"{row['steps']:,}",
        _text(row["scoring_steps"]),
        _text(row["steps_in_all"]),
        _text(row["rollouts_in_all"]),
        ", ".join(f"{n}: {saved[n]}" for n in sorted(saved, key=int)) or "-",
    ]


def _text(value: int | None) -> str:
    return "not known" if value is None else f"{value:,}"

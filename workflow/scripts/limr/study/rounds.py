"""Rounds: choose, go on, choose again; each round is an arm of its own.

`rounds: {every: 16, times: 3}` of an arm `c` makes the arms `c-round1`, `c-round2` and `c`, each of
which starts from the one before. The first chooses by the arm's score. Each later one chooses by a
score of its own, made from all rollouts so far. What shows arms shows `c` alone, with the steps of
all rounds.
"""

from __future__ import annotations

from typing import Any

from limr.core import plugins
from limr.core.errors import InputError

Json = dict[str, Any]
Added = dict[str, dict[str, Json]]  # `trajectories` and `scores` by name


def with_rounds(config: Json, where: str) -> Json:
    """Return a configuration in which each round of an arm is an arm of its own.

    Raises:
        InputError: rounds that lie beyond the arm's end, or of an arm that cannot choose again.
    """
    added: Added = {"trajectories": {}, "scores": {}}
    arms: dict[str, Json] = {}
    for name, entry in config["arms"].items():
        if "rounds" in entry:
            _check_rounds(config, name, entry, f"{where}: arm '{name}': rounds")
            arms |= _rounds(config, name, entry, added)
        else:
            arms[name] = entry
    for kind, entries in added.items():
        added[kind] = {**config[kind], **entries}
    return {**config, **added, "arms": arms}


def _check_rounds(config: Json, name: str, entry: Json, at: str) -> None:
    if entry["train"] != "ppo" or "start" not in entry:
        raise InputError(f"{at}: the first choice needs a run to choose from: give 'start' too.")
    score = config["scores"].get(entry.get("score"), {})
    source = config["trajectories"].get(score.get("trajectories"), {})
    curves = score and plugins.load("selectors", score["selector"]).NEEDS_TRAJECTORIES
    if curves and source.get("arm") != entry["start"]["arm"]:
        raise InputError(
            f"{at}: its score '{entry['score']}' must be made from trajectories of the arm that it "
            f"starts from, '{entry['start']['arm']}': later rounds add their own rollouts."
        )
    rounds, steps = entry["rounds"], _steps(config, entry)
    end = entry["start"]["step"] + rounds["every"] * rounds["times"]
    if end > steps:
        raise InputError(
            f"{at}: {rounds['times']} rounds of {rounds['every']} steps after step "
            f"{entry['start']['step']} end at step {end}, beyond the run's end, "
            f"ppo.steps = {steps}."
        )


def _steps(config: Json, entry: Json) -> int:
    return int(entry.get("ppo", {}).get("steps", config["ppo"]["steps"]))


def _rounds(config: Json, name: str, entry: Json, added: Added) -> dict[str, Json]:
    """Return the arms of an arm's rounds, and add their trajectories and scores to `added`."""
    every, times = entry["rounds"]["every"], entry["rounds"]["times"]
    plain = {key: value for key, value in entry.items() if key != "rounds"}
    evaluated = entry.get("evaluate_steps", config["evaluate"]["ppo_steps"])
    found: dict[str, Json] = {}
    start = entry["start"]
    for number in range(1, times + 1):
        own = name if number == times else f"{name}-round{number}"
        end = start["step"] + every if number < times else _steps(config, entry)
        score = entry["score"]
        if number > 1:
            score = _next_score(config, name, entry, number, start, added)
        found[own] = {
            **plain,
            "start": start,
            "score": score,
            "round_of": name,
            "round": number,
        }
        if number < times:
            found[own]["ppo"] = {**entry.get("ppo", {}), "steps": end}
            found[own]["evaluate_steps"] = [step for step in evaluated if step <= end]
            found[own]["title"] = f"{entry.get('title', name)}, round {number}"
        start = {"arm": own, "step": end, "optimizer": "kept"}
    return found


def _next_score(
    config: Json,
    name: str,
    entry: Json,
    number: int,
    start: Json,
    added: Added,
) -> str:
    """Add the score of a later round, made from all rollouts so far, and return its name."""
    score = config["scores"][entry["score"]]
    selector = plugins.load("selectors", score["selector"])
    if not selector.NEEDS_TRAJECTORIES and not selector.SEEDED:
        return str(entry["score"])
    own = f"{entry['score']}-{name}-round{number}"
    added["scores"][own] = dict(score)
    if selector.NEEDS_TRAJECTORIES:
        before = config["trajectories"][score["trajectories"]]
        source = f"{score['trajectories']}-{name}-round{number}"
        first = before.get("steps", [1])[0]
        steps = [first, start["step"]]
        added["trajectories"][source] = {**before, "arm": start["arm"], "steps": steps}
        added["scores"][own]["trajectories"] = source
    return own

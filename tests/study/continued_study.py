"""A small study whose arms go on from the first three steps of another."""

from __future__ import annotations

import copy
from typing import Any

from limr.study.jobs.job import Job
from small_study import TINY


def continued(**arms: dict[str, Any]) -> dict[str, Any]:
    """Return the study; of its arms, some may be added or replaced (`_` is `-`)."""
    study = copy.deepcopy(TINY)
    del study["sft"], study["evaluate"]["sft_steps"]
    start = {"arm": "full", "step": 3}
    study |= {
        "states": "keep",
        "trajectories": {
            "early": {"format": "rollouts", "arm": "full", "seed": "each", "steps": [1, 3]}
        },
        "scores": {
            "everything": {"selector": "full"},
            "decayed": {"selector": "decayed", "trajectories": "early"},
            "random": {"selector": "random", "draws": 2, "seed": "each"},
        },
        "arms": {
            "base": {"train": "none"},
            "full": {"train": "ppo", "score": "everything"},
            "full-continued": {"train": "ppo", "score": "everything", "start": start},
            "chosen": {"train": "ppo", "score": "decayed", "size": 12, "start": start},
            "rand": {"train": "ppo", "score": "random", "size": "chosen", "start": start},
            "rounds": {
                **{"train": "ppo", "score": "decayed", "size": 12},
                **{"start": {"arm": "full", "step": 2}, "rounds": {"every": 2, "times": 2}},
            },
        },
        "figures": {"accuracy": {}},
    }
    study["scores"]["decayed"]["trajectories"] = "early"
    study["trajectories"]["first"] = {**study["trajectories"]["early"], "steps": [1, 2]}
    study["scores"]["again"] = {"selector": "decayed", "trajectories": "first"}
    study["arms"]["rounds"]["score"] = "again"
    study["arms"] |= {name.replace("_", "-"): entry for name, entry in arms.items()}
    return study


def new_jobs(before: list[Job], after: list[Job]) -> list[Job]:
    """The jobs that a change makes run: they, or what they read, differ."""
    known = {tuple(job.outputs): (job.inputs, job.settings) for job in before}
    new: set[str] = set()
    while True:
        size = len(new)
        found = []
        for job in after:
            same = known.get(tuple(job.outputs)) == (job.inputs, job.settings)
            if not same or new.intersection(job.inputs):
                new.update(job.outputs)
                found.append(job)
        if len(new) == size:
            return found


def changed(config: dict[str, Any], *keys: str, value: Any) -> dict[str, Any]:
    made = copy.deepcopy(config)
    entry = made
    for key in keys[:-1]:
        entry = entry[key]
    entry[keys[-1]] = value
    return made


OF_CHOSEN = {f"{arm}-seed{s}/{s}" for arm in ("chosen", "rand-1", "rand-2") for s in (1, 2)}
SIZES = {
    "another size": (("arms", "chosen", "size"), 13, OF_CHOSEN),
    "another selector": (("scores", "decayed", "selector"), "learnability",
                         OF_CHOSEN),
    "other last steps": (("trajectories", "early", "steps"), [1, 2], OF_CHOSEN),
    "a round's size": (("arms", "rounds", "size"), 13,
                       {f"rounds{r}-seed{s}/{s}" for r in ("", "-round1") for s in (1, 2)}),
    "another seed": (("seeds",), [1, 2, 3],
                     {"full/3", "full-continued/3", "chosen-seed3/3", "rand-1-seed3/3",
                      "rand-2-seed3/3", "rounds-round1-seed3/3", "rounds-seed3/3"}),
    "a later start of one arm": (("arms", "full-continued", "start", "step"), 4,
                                 # `full` keeps another state, so that all that starts there is new
                                 {"full/1", "full/2", "full-continued/1", "full-continued/2",
                                  *OF_CHOSEN,
                                  *(f"rounds{r}-seed{s}/{s}" for r in ("", "-round1")
                                    for s in (1, 2))}),
}  # fmt: skip

"""A small study whose arms go on from the first three steps of another."""

from __future__ import annotations

import copy
from typing import Any

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

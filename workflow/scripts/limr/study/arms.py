"""The arms of a study: what each trains on, and in what it differs from the study's own settings.

An arm may change hyper-parameters (`ppo`, `sft`), evaluated steps, reward, grader, sampler, the
rule for dead problems, the prompt template of a base, or start from another arm. Nothing else of
the workflow knows which arm is a control: every rule is told its arm's settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from limr.core.errors import InputError, nearest

Json = dict[str, Any]
# What an arm may change, and by which kinds of training.
_CHANGES = {
    "ppo": ("ppo",),
    "sft": ("sft",),
    "evaluate_steps": ("ppo", "sft"),
    "reward": ("ppo",),
    "grader": ("ppo",),
    "sampler": ("ppo",),
    "dead_problems": ("none", "ppo", "sft"),
    "start": ("ppo",),
    "rounds": ("ppo",),
    "template": ("none",),
}


@dataclass(frozen=True)
class Start:
    """Where an arm's runs go on from: a run of `arm`, of the same seed, after `step`."""

    arm: str
    step: int
    optimizer: str  # kept | fresh


@dataclass(frozen=True)
class Arm:
    """A way of making a policy. `group` is the configured name, shared by the draws of an arm.

    An arm that is for one seed alone is `draw` with the seed's name: see `limr.study.continued`. A
    round is of the arm `round_of`, which is the last of them and shows them all.
    """

    name: str
    group: str
    title: str
    train: str
    score: str | None
    cut: Json  # {}, {"threshold", "strict"} or {"size"}; `size` may name an arm
    draw: str = ""  # its name, without a seed
    seeds: tuple[int, ...] = ()  # it has a run of each
    steps: tuple[int, ...] = (0,)  # evaluated ones of its own, sorted; those of the base are 0
    start: Start | None = None
    round_of: str = ""
    round: int = 0
    of: str = ""  # of a cell of a sweep: the arm's name in the file
    cell: Json = field(default_factory=dict)  # and its values, by axis
    settings: Json = field(default_factory=dict)  # of `ppo` or `sft`, the arm's changes applied
    reward: Json = field(default_factory=dict)
    grader: Json = field(default_factory=dict)  # of training; evaluations have the study's
    dead_problems: str = "keep"
    template: str | None = None
    sampler: Json | None = None  # its name and options; None: the uniform order
    changes: tuple[str, ...] = ()  # keys in which it differs from the study, sorted

    @property
    def family(self) -> str:
        """Its name in the file, which the cells of a sweep share."""
        return self.of or self.group

    @property
    def shown(self) -> bool:
        """Whether it is reported: a round is, with the rounds before it, as the last of them."""
        return self.round_of in ("", self.group)


def arms(config: Json, where: str) -> dict[str, Arm]:
    """Return the arms of a complete configuration by name, draws spelled out.

    Args:
        config: the study, defaults filled in.
        where: its file, for messages.

    Raises:
        InputError: a score that is not there, a cut that contradicts itself, two arms of one name,
            or a change that says nothing for the arm's kind of training.
    """
    found: dict[str, Arm] = {}
    for group, entry in config["arms"].items():
        at = f"{where}: arm '{group}'"
        settings = {
            "group": group,
            "title": entry.get("title", group),
            "train": entry["train"],
            "cut": _cut(entry, at),
            "seeds": tuple(config["seeds"]),
            **_settings(config, entry, at),
        }
        named = _named(config, group, entry, at)
        for draw, (name, score) in enumerate(named, start=1):
            if name in found:
                raise InputError(f"{at}: its draw '{name}' has the name of another arm.")
            start = _start(config, entry, draw if len(named) > 1 else 0)
            found[name] = Arm(name=name, draw=name, score=score, start=start, **settings)
    return found


def draws(name: str, number: int) -> list[str]:
    """Return the names of the draws of a score or an arm; one draw has no number."""
    return [name] if number == 1 else [f"{name}-{draw}" for draw in range(1, number + 1)]


def _named(config: Json, group: str, entry: Json, at: str) -> list[tuple[str, str | None]]:
    """Return (arm, score) of each draw."""
    score = entry.get("score")
    if entry["train"] == "none" and score is None:
        return [(group, None)]
    if score is None:
        raise InputError(f"{at} lacks 'score'; a score with selector 'full' keeps everything.")
    if score not in config["scores"]:
        raise InputError(
            f"{at}: score '{score}' is not defined under scores.{nearest(score, config['scores'])}"
        )
    number = config["scores"][score]["draws"]
    return list(zip(draws(group, number), draws(score, number), strict=True))


def _start(config: Json, entry: Json, draw: int) -> Start | None:
    """Return where a draw of an arm starts; from the same draw where the other arm has draws."""
    if "start" not in entry:
        return None
    given = entry["start"]
    other = config["arms"].get(given["arm"], {})
    drawn = config["scores"].get(other.get("score"), {}).get("draws", 1)
    name = f"{given['arm']}-{draw}" if drawn > 1 and 0 < draw <= drawn else given["arm"]
    return Start(name, given["step"], given["optimizer"])


def _cut(entry: Json, at: str) -> Json:
    if "threshold" in entry and "size" in entry:
        raise InputError(f"{at}: give 'threshold' or 'size', not both.")
    if "threshold" in entry:
        return {"threshold": float(entry["threshold"]), "strict": entry["strict"]}
    if entry["strict"]:
        raise InputError(f"{at}: 'strict' goes with 'threshold'.")
    return {"size": entry["size"]} if "size" in entry else {}


def _settings(config: Json, entry: Json, at: str) -> Json:
    """Return what an arm is trained, judged and evaluated by."""
    train = entry["train"]
    for key, kinds in _CHANGES.items():
        if key in entry and train not in kinds:
            raise InputError(
                f"{at}: '{key}' says nothing for train: {train}. It goes with train: "
                f"{' or '.join(kinds)}."
            )
    if "template" in entry and entry.get("score"):
        raise InputError(f"{at}: 'template' goes with the base: leave 'score' out.")
    if "dead_problems" in entry and not entry.get("score"):
        raise InputError(f"{at}: 'dead_problems' is about a subset: the arm needs a 'score'.")
    return {
        "steps": _steps(config, entry),
        "settings": {} if train == "none" else _changed(config[train], entry.get(train, {})),
        "reward": entry.get("reward", config["reward"]),
        "grader": entry.get("grader", config["grader"]),
        "dead_problems": entry.get("dead_problems", config["dead_problems"]),
        "template": entry.get("template"),
        "sampler": entry.get("sampler"),
        "round_of": entry.get("round_of", ""),
        "round": entry.get("round", 0),
        "of": entry.get("of", ""),
        "cell": entry.get("cell", {}),
        "changes": _changes(entry),
    }


def _changes(entry: Json) -> tuple[str, ...]:
    """Return in what an arm differs from the study: a start is none, a fresh optimizer is."""
    fresh = entry.get("start", {}).get("optimizer") == "fresh"
    found = {key for key in _CHANGES if key in entry and not _plain(entry, key)}
    return tuple(sorted(found - {"start", "rounds"} | ({"start"} if fresh else set())))


def _plain(entry: Json, key: str) -> bool:
    """Return whether a key says in words what an arm without it does."""
    return key == "sampler" and entry[key]["name"] == "uniform"


def _steps(config: Json, entry: Json) -> tuple[int, ...]:
    if entry["train"] == "none":
        return (0,)
    own = entry.get("evaluate_steps", config["evaluate"][f"{entry['train']}_steps"])
    first = entry["start"]["step"] if "start" in entry else -1
    return tuple(sorted(step for step in own if step > first))


def _changed(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> Json:
    """Return settings with changes, in the settings' order."""
    return {key: changes.get(key, value) for key, value in settings.items()}

"""A study: one configuration, checked as a whole and spelled out for the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from limr.core import plugins, validation
from limr.study.arms import Arm
from limr.study.paths import ResultPaths

Json = dict[str, Any]


class Variant(NamedTuple):
    """Arms whose runs one rule makes: their evaluated steps, and the steps of kept states."""

    steps: tuple[int, ...]
    states: tuple[int, ...]
    arms: list[str]


@dataclass(frozen=True, eq=False)  # one is itself: what is derived from it is kept by it
class Study:
    """A checked study. Mappings keep the order of the configuration.

    Arms, scores and trajectories are spelled out: draws, rounds, and what is for each seed
    (`limr.study.continued`).
    """

    name: str
    where: str
    config: Json  # complete, its sweep spelled out
    written: Json  # the same as its file has it: the cells of a sweep are not in it
    arms: dict[str, Arm]
    scores: dict[str, Json]
    trajectories: dict[str, Json]
    datasets: dict[str, Json]  # the study's problem sets and its benchmarks'
    benchmarks: dict[str, Json]  # title, version and decodings, the study's changes applied
    steps: dict[str, list[int]] = field(default_factory=dict)  # kind of training -> steps

    @property
    def seeds(self) -> list[int]:
        """The study's seeds, in order."""
        return list(self.config["seeds"])

    def arms_by(self, *trains: str) -> list[str]:
        """Return the names of the arms with one of these kinds of training."""
        return [arm.name for arm in self.arms.values() if arm.train in trains]

    @property
    def base(self) -> list[str]:
        """Names of the arms that are the base policy itself: no training, no problems."""
        return [arm.name for arm in self.arms.values() if arm.train == "none" and not arm.score]

    @property
    def sampled(self) -> list[str]:
        """Names of the trajectories that are responses of the base, drawn for them."""
        return [
            name
            for name, entry in self.trajectories.items()
            if getattr(plugins.load("importers", entry["format"]), "SAMPLES_BASE", False)
        ]

    def provides_scores(self, source: str | None) -> bool:
        """Return whether a source of `trajectories` holds scores instead of learning curves."""
        if source is None:
            return False
        importer = plugins.load("importers", self.trajectories[source]["format"])
        return bool(importer.PROVIDES == "scores")

    @property
    def own_paths(self) -> list[tuple[str, str]]:
        """(entry, path) of each file of the user's own that problem sets, logs and scores read."""
        entries = (*self.datasets.items(), *self.trajectories.items())
        found = [(name, entry["path"]) for name, entry in entries if entry.get("path")]
        for name in self.scores:
            found += [(name, path) for path in self.score_files(name)]
        return found

    def score_files(self, score: str) -> list[str]:
        """Return the files of the user's own that a score's selector reads."""
        entry = self.scores[score]
        options = getattr(plugins.load("selectors", entry["selector"]), "OWN_FILES", ())
        return [entry["options"][name] for name in options if entry["options"][name] is not None]

    @property
    def axes(self) -> dict[str, list[Any]]:
        """The values of each axis of its sweep, as given; none where it has no sweep."""
        return {name: axis["to"] for name, axis in self.config.get("sweep", {}).items()}

    @property
    def paths(self) -> ResultPaths:
        """Where its files are."""
        return ResultPaths(self.name)

    @property
    def trained(self) -> list[str]:
        """Names of the arms that need a training run."""
        return self.arms_by("ppo", "sft")

    @property
    def evaluated(self) -> bool:
        """Whether any policy is asked any benchmark."""
        return bool(self.benchmarks and (self.base or self.trained))

    @property
    def selected(self) -> list[str]:
        """Names of the arms with a subset of their own."""
        return [arm.name for arm in self.arms.values() if arm.score]

    def runs_of(self, *arms: str) -> list[tuple[str, int]]:
        """Return (arm, seed) of every run of these arms."""
        return [(name, seed) for name in arms for seed in self.arms[name].seeds]

    @property
    def runs(self) -> list[tuple[str, int]]:
        """(arm, seed) of every training run, in the study's order."""
        return self.runs_of(*self.trained)

    def way(self, arm: str) -> list[tuple[str, int]]:
        """Return (arm, last step) of the runs that an arm's goes on from, the first one first."""
        start = self.arms[arm].start
        return [*self.way(start.arm), (start.arm, start.step)] if start else []

    def streams(self, arm: str) -> str:
        """Return the arm that random streams of an arm's runs are named after: its way's first."""
        return next((name for name, _ in self.way(arm)), arm)

    def places_along(self, arm: str) -> list[tuple[int, str]]:
        """Return (step, arm that evaluates it) of an arm's evaluated steps, its way's included."""
        found: dict[int, str] = {}
        for name, last in [*self.way(arm), (arm, None)]:
            found |= {step: name for step in self.arms[name].steps if last is None or step <= last}
        return sorted(found.items())

    def _rounds(self, arm: Arm) -> list[list[Any]]:
        """Return (arm, first step) of each round of an arm that is the last of them."""
        names = [*(name for name, _ in self.way(arm.name)), arm.name]
        rounds = [self.arms[n] for n in names if self.arms[n].round_of == arm.round_of]
        return [[one.name, one.start.step + 1] for one in rounds if one.start]

    def kept_states(self, arm: str) -> tuple[int, ...]:
        """Return the steps of an arm that other arms start from, in order."""
        starts = (other.start for other in self.arms.values())
        return tuple(sorted({start.step for start in starts if start and start.arm == arm}))

    def variants(self, train: str, *, states: bool = False) -> dict[str, Variant]:
        """Return suffix of a rule's name -> the arms of a kind of training that share a rule.

        The outputs of one rule are policies or evaluations of the same steps, and with `states` the
        states of the same steps; other arms have a rule of their own, named after the first of
        them.
        """
        found = {"": Variant(tuple(self.steps[train]), (), [])}
        for name in self.base if train == "none" else self.arms_by(train):
            arm = self.arms[name]
            kept = self.kept_states(name) if states else ()
            same = [s for s, one in found.items() if (one.steps, one.states) == (arm.steps, kept)]
            suffix = same[0] if same else "_" + arm.group.replace("-", "_")
            while not same and suffix in found:
                suffix += "_"
            found.setdefault(suffix, Variant(arm.steps, kept, [])).arms.append(name)
        return found

    def rules(self, stage: str, train: str) -> list[tuple[str, Variant]]:
        """Return (rule, its arms and steps) of a stage, `train` or `evaluate`.

        Args:
            stage: `train` or `evaluate`.
            train: the kind of training of the arms.
        """
        ends = {"none": "_base", "ppo": "", "sft": "_sft"}
        name = f"train_{train}" if stage == "train" else f"evaluate{ends[train]}"
        variants = self.variants(train, states=stage == "train").items()
        return [(f"{name}{suffix}", variant) for suffix, variant in variants]

    def rule(self, stage: str, arm: str) -> str:
        """Return the name of the rule that does a stage of an arm."""
        return self._rules[stage, arm]

    @cached_property
    def _rules(self) -> dict[tuple[str, str], str]:
        return {
            (stage, arm): name
            for stage in ("train", "evaluate")
            for train in ("none", "ppo", "sft")
            for name, variant in self.rules(stage, train)
            for arm in variant.arms
        }

    def places(self, steps: Iterable[int]) -> list[tuple[int, str]]:
        """Return (step, benchmark) of each evaluation of a run, in order."""
        return [(step, benchmark) for step in steps for benchmark in self.benchmarks]

    def files(self) -> dict[str, str]:
        """Return the pinned files of the study: name in config/sources.yaml -> who needs it."""
        entries = {**self.datasets, **self.trajectories}
        return {file: name for name, entry in entries.items() for file in files_of(entry)}

    def score_dataset(self, score: str) -> str:
        """Return the name of the problem set that a score is given to."""
        return str(self.scores[score].get("dataset") or self.config["dataset"])

    def arm_dataset(self, arm: str) -> str:
        """Return the name of the problem set that an arm's problems are of."""
        score = self.arms[arm].score
        return self.score_dataset(score) if score else str(self.config["dataset"])

    def difficulty(self, arm: str) -> str | None:
        """Return the score that an arm's sampler takes difficulties from; None: it takes none."""
        named = (self.arms[arm].sampler or {}).get("difficulty")
        return None if named in (None, "level") else str(named)

    def _difficulty_from(self, arm: str) -> Json:
        """Return the learning curves, and their epochs, that an arm's difficulties are from."""
        score = self.scores.get(self.difficulty(arm) or "", {})
        if score.get("trajectories") is None:
            return {}
        epochs = score["options"].get("epochs")
        return {"difficulty_from": score["trajectories"], "difficulty_epochs": epochs}

    def overview(self) -> Json:
        """Return what tables, figures and the report say of the study as a whole."""
        arms = [
            {
                **{"name": a.name, "group": a.group, "title": a.title, "train": a.train},
                "changes": list(a.changes),
                **({"draw": a.draw} if a.draw != a.name else {}),
                **({"way": list(map(list, self.way(a.name)))} if a.start else {}),
                **({"rounds": self._rounds(a)} if a.round else {}),
                **({"cell": a.cell, "of": a.of} if a.cell else {}),
                **self._difficulty_from(a.name),
            }
            for a in self.arms.values()
            if a.shown
        ]
        benchmarks = [{"name": n, "title": b["title"]} for n, b in self.benchmarks.items()]
        return {
            "study": self.name,
            "seeds": self.seeds,
            "arms": arms,
            "benchmarks": benchmarks,
            "steps": self.steps,
            "declared": self.config["declared"],
            **({"sweep": self.axes} if self.axes else {}),
        }

    def decodings(self) -> Json:
        """Return benchmark -> how its responses are drawn, for those who say so."""
        return {name: benchmark["decodings"] for name, benchmark in self.benchmarks.items()}

    def engine_options(self, work: str) -> Json:
        """Return the options of the engine that does `train` or `generate`, defaults filled in."""
        name = self.config["engine"][work]
        if name in self.config["engines"]:
            return dict(self.config["engines"][name])
        keys = validation.options(plugins.load("engines", name))
        return dict(validation.complete({}, keys, f"{self.where}: engines.{name}"))

    def trained_on(self) -> list[str]:
        """Return the problem sets that arms take their problems from, in the study's order."""
        used = {self.arm_dataset(arm) for arm in self.selected}
        return [name for name in self.config["datasets"] if name in used]

    def base_work(self) -> Json | None:
        """Return how many optimizer steps and examples make the base; None: it is only read."""
        engine = plugins.load("engines", self.config["engine"]["train"])
        work = getattr(engine, "base_work", None)
        return dict(work(self.config["base"])) if work else None

    def costs(self) -> Json:
        """Return what those are told who speak of costs."""
        return {"scored_from": self.scored_from(), "base_work": self.base_work()}

    def scored_from(self) -> Json:
        """Return name of learning curves -> `arm` and `seed` of the run that they are from.

        With `last_step` where they are of a part of it.
        """
        return {
            name: {
                "arm": entry["arm"],
                "seed": entry["seed"],
                **({"last_step": entry["steps"][1]} if "steps" in entry else {}),
            }
            for name, entry in self.trajectories.items()
            if entry.get("arm")
        }


def files_of(entry: Mapping[str, Any]) -> list[str]:
    """Return the pinned files that an entry of `datasets` or `trajectories` names."""
    named = entry.get("file") or []
    levels = [entry["levels_file"]] if entry.get("levels_file") else []
    return [*([named] if isinstance(named, str) else named), *levels]

"""A study: one configuration, checked as a whole and spelled out for the rules.

`load` validates the keys (workflow/schemas), then what no schema can say (`limr.study.checks`).
Everything that can be known to fail is refused here, in seconds, before any job starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from limr.core import plugins, validation
from limr.study import checks
from limr.study.arms import Arm, arms, draws
from limr.core.errors import InputError, nearest

Json = dict[str, Any]
_SCORE_KEYS = ("selector", "trajectories", "dataset", "seed", "draws")


@dataclass(frozen=True)
class Study:
    """A checked study. Mappings keep the order of the configuration."""

    name: str
    where: str
    config: Json
    arms: dict[str, Arm]
    scores: dict[str, Json]
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
            for name, entry in self.config["trajectories"].items()
            if getattr(plugins.load("importers", entry["format"]), "SAMPLES_BASE", False)
        ]

    @property
    def trained(self) -> list[str]:
        """Names of the arms that need a training run."""
        return self.arms_by("ppo", "sft")

    @property
    def selected(self) -> list[str]:
        """Names of the arms with a subset of their own."""
        return [arm.name for arm in self.arms.values() if arm.score]

    def variants(self, train: str) -> dict[str, tuple[tuple[int, ...], list[str]]]:
        """Return suffix of a rule's name -> (evaluated steps, arms) of a kind of training.

        The outputs of one rule are policies or evaluations of the same steps; arms that have steps
        of their own have a rule of their own, named after the first of them.
        """
        found: dict[str, tuple[tuple[int, ...], list[str]]] = {"": (tuple(self.steps[train]), [])}
        for name in self.base if train == "none" else self.arms_by(train):
            arm = self.arms[name]
            same = [suffix for suffix, (steps, _) in found.items() if steps == arm.steps]
            suffix = same[0] if same else "_" + arm.group.replace("-", "_")
            while not same and suffix in found:
                suffix += "_"
            found.setdefault(suffix, (arm.steps, []))[1].append(name)
        return found

    def rule(self, stage: str, arm: str) -> str:
        """Return the name of the rule that does a stage (`train`, `evaluate`) of an arm."""
        train = self.arms[arm].train
        ends = {"none": "_base", "ppo": "", "sft": "_sft"}
        name = f"train_{train}" if stage == "train" else f"evaluate{ends[train]}"
        variants = self.variants(train).items()
        return name + next(suffix for suffix, (_, arms_) in variants if arm in arms_)

    def files(self) -> dict[str, str]:
        """Return the pinned files of the study: name in config/sources.yaml -> who needs it."""
        entries = {**self.datasets, **self.config["trajectories"]}
        return {file: name for name, entry in entries.items() for file in files_of(entry)}

    def score_dataset(self, score: str) -> str:
        """Return the name of the problem set that a score is given to."""
        return str(self.scores[score].get("dataset") or self.config["dataset"])

    def arm_dataset(self, arm: str) -> str:
        """Return the name of the problem set that an arm's problems are of."""
        score = self.arms[arm].score
        return self.score_dataset(score) if score else str(self.config["dataset"])

    def overview(self) -> Json:
        """Return what tables, figures and the report say of the study as a whole."""
        arms = [
            {
                **{"name": a.name, "group": a.group, "title": a.title, "train": a.train},
                "changes": list(a.changes),
            }
            for a in self.arms.values()
        ]
        marks = [{"name": n, "title": b["title"]} for n, b in self.benchmarks.items()]
        return {
            "study": self.name,
            "seeds": self.seeds,
            "arms": arms,
            "benchmarks": marks,
            "steps": self.steps,
            "declared": self.config["declared"],
        }

    def decodings(self) -> Json:
        """Return benchmark -> how its responses are drawn, for those who say so."""
        return {name: mark["decodings"] for name, mark in self.benchmarks.items()}

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
        """Return name of learning curves -> `arm` and `seed` of the run that they are from."""
        return {
            name: {"arm": entry["arm"], "seed": entry["seed"]}
            for name, entry in self.config["trajectories"].items()
            if entry.get("arm")
        }


def files_of(entry: Mapping[str, Any]) -> list[str]:
    """Return the pinned files that an entry of `datasets` or `trajectories` names."""
    named = entry.get("file") or []
    levels = [entry["levels_file"]] if entry.get("levels_file") else []
    return [*([named] if isinstance(named, str) else named), *levels]


def load(
    config: Mapping[str, Any], where: str, benchmarks: Path, *, own_files: bool = True
) -> Study:
    """Check a configuration and spell it out.

    Args:
        config: the study's keys as YAML gave them.
        where: the file they are from, for messages.
        benchmarks: the folder of benchmark files (config/benchmarks).
        own_files: whether a user's own files must be there; not for whoever only reads a study.

    Raises:
        InputError: anything in the study is wrong; one message, the first cause first.
    """
    complete = validation.complete(dict(config), validation.load("study"), where)
    marks, mark_datasets = _benchmarks(complete, benchmarks, where)
    _check_disjoint(complete["datasets"], mark_datasets, where)
    study = Study(
        name=complete["study"],
        where=where,
        config=complete,
        arms=arms(complete, where),
        scores=_scores(complete["scores"]),
        datasets={**complete["datasets"], **mark_datasets},
        benchmarks=marks,
        steps={
            "none": [0],
            "ppo": sorted(complete["evaluate"]["ppo_steps"]),
            "sft": sorted(complete["evaluate"]["sft_steps"]),
        },
    )
    checks.check(study)
    if own_files:
        checks.check_files(study)
    return study


def _benchmarks(config: Json, folder: Path, where: str) -> tuple[dict[str, Json], dict[str, Json]]:
    """Return the benchmarks with the study's changes, and their problem sets, by name."""
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    marks: dict[str, Json] = {}
    datasets: dict[str, Json] = {}
    for name, changes in config["evaluate"]["benchmarks"].items():
        if name in known:
            path = folder / f"{name}.yaml"
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            mark = validation.complete(content, validation.load("benchmark"), str(path))
            mark |= changes
        else:
            mark = _own_benchmark(name, changes, known, folder, where)
        datasets[name] = mark.pop("dataset")
        marks[name] = mark
        names = [decoding["name"] for decoding in marks[name]["decodings"]]
        if len(set(names)) < len(names):
            raise InputError(f"{where}: benchmark '{name}': two decodings have one name: {names}.")
    return marks, datasets


def _own_benchmark(name: str, entry: Json, known: list[str], folder: Path, where: str) -> Json:
    """Return a benchmark that the study itself describes, its problems and decodings."""
    at = f"{where}: evaluate.benchmarks"
    if "dataset" not in entry:
        raise InputError(
            f"{at}: there is no '{name}' in {folder}.{nearest(name, known)} A benchmark of your "
            "own needs 'dataset' and 'decodings'."
        )
    own = {"version": 1, "title": name, **entry}
    mark: Json = validation.complete(own, validation.load("benchmark"), f"{at}.{name}")
    return mark


def _check_disjoint(datasets: Json, benchmarks: Json, where: str) -> None:
    shared = sorted(set(datasets) & set(benchmarks))
    if shared:
        raise InputError(
            f"{where}: '{shared[0]}' names a dataset and a benchmark; both would be "
            f"problems/{shared[0]}.jsonl. Rename the dataset."
        )


def _scores(configured: Mapping[str, Json]) -> dict[str, Json]:
    """Return the scores with draws spelled out: `random` x 2 -> `random-1`, `random-2`.

    An entry's keys are the study's own, and the selector's `options`.
    """
    scores: dict[str, Json] = {}
    for name, entry in configured.items():
        for draw_name in draws(name, entry["draws"]):
            options = {key: value for key, value in entry.items() if key not in _SCORE_KEYS}
            scores[draw_name] = {
                "selector": entry["selector"],
                "trajectories": entry.get("trajectories"),
                "dataset": entry.get("dataset"),
                "seed": entry["seed"],
                "options": options,
            }
    return scores


def unavailable(study: Study) -> str | None:
    """Return why this version cannot run the study's engines, or None where it can."""
    for key in ("train", "generate"):
        engine = plugins.load("engines", study.config["engine"][key])
        if (study.trained or study.benchmarks or study.sampled) and hasattr(engine, "PLANNED"):
            return f"{study.where}: engine.{key}: {engine.PLANNED}"
    return None

"""Read a study: its keys checked and completed, then everything that no schema can say.

Everything that can be known to fail is refused here, in seconds, before any job starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from limr.core import plugins, validation
from limr.core.errors import InputError, nearest
from limr.study import checks, continued, rounds, schema, sweep
from limr.study.arms import arms, draws
from limr.study.study import Study

Json = dict[str, Any]
_SCORE_KEYS = ("selector", "trajectories", "dataset", "seed", "draws")


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
    written = validation.complete(dict(config), schema.Study, where)
    complete = left_out(sweep.spelled_out(written, where), where)
    marks, mark_datasets = _benchmarks(complete, benchmarks, where)
    _check_disjoint(complete["datasets"], mark_datasets, where)
    spelled = rounds.with_rounds(complete, where)
    curves, scores, found = continued.by_seed(
        spelled["trajectories"],
        _scores(spelled["scores"]),
        arms(spelled, where),
        complete["seeds"],
    )
    study = Study(
        name=complete["study"],
        where=where,
        config=complete,
        written=written if "sweep" in written else complete,
        arms=found,
        scores=scores,
        trajectories=curves,
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


def left_out(config: Json, where: str) -> Json:
    """Return a study without the arms of `leave_out`, and without what they alone need.

    The name of an arm of a sweep means all of its cells; a cell may be named as well.
    """
    if not config["leave_out"]:
        return config
    known = config["arms"]
    gone: set[str] = set()
    for name in config["leave_out"]:
        meant = {own for own, arm in known.items() if name in (own, arm.get("of"))}
        if not meant:
            raise InputError(f"{where}: leave_out: there is no arm '{name}'.{nearest(name, known)}")
        gone |= meant
    kept = {name: arm for name, arm in known.items() if name not in gone}
    if not kept:
        raise InputError(f"{where}: leave_out: no arm is left.")
    needed = {arm.get("score") for arm in kept.values()}
    needed |= {arm.get("sampler", {}).get("difficulty") for arm in kept.values()}
    theirs = {known[name].get("score") for name in gone} - needed
    scores = {name: entry for name, entry in config["scores"].items() if name not in theirs}
    sets = {entry.get("dataset") for entry in scores.values()} | {config["dataset"]}
    unused = {config["scores"][name].get("dataset") for name in theirs & set(config["scores"])}
    datasets = {k: v for k, v in config["datasets"].items() if k in sets or k not in unused}
    return {**config, "arms": kept, "scores": scores, "datasets": datasets, "leave_out": []}


def _benchmarks(config: Json, folder: Path, where: str) -> tuple[dict[str, Json], dict[str, Json]]:
    """Return the benchmarks with the study's changes, and their problem sets, by name."""
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    marks: dict[str, Json] = {}
    datasets: dict[str, Json] = {}
    for name, changes in config["evaluate"]["benchmarks"].items():
        if name in known:
            path = folder / f"{name}.yaml"
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            benchmark = validation.complete(content, schema.Benchmark, str(path))
            benchmark |= changes
        else:
            benchmark = _own_benchmark(name, changes, known, folder, where)
        datasets[name] = benchmark.pop("dataset")
        marks[name] = benchmark
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
    benchmark: Json = validation.complete(own, schema.Benchmark, f"{at}.{name}")
    return benchmark


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
    name = study.config["engine"]["train"]
    starting = next((arm.group for arm in study.arms.values() if arm.start), None)
    if starting and not getattr(plugins.load("engines", name), "STARTS", False):
        return (
            f"{study.where}: arm '{starting}': start: the engine '{name}' cannot go on from "
            "another arm's run. The study can be planned (limr plan, snakemake -n)."
        )
    return None

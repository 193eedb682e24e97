"""Jobs from subsets to policies: the base, and a training run per trained arm and seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from limr.core import plugins
from limr.study.jobs.job import Job, Json, Paths
from limr.study.study import Study


def jobs(study: Study) -> Iterator[Job]:
    """Yield the job of the base policy and those of the training runs."""
    may_meet = getattr(plugins.load(*engine(study, "train")), "may_meet", lambda _: False)
    met = [study.paths.problems(name) for name, e in study.datasets.items() if may_meet(e)]
    yield Job(
        "make_base",
        {"problems": met},
        {"policy": study.paths.base},
        {
            "engine": study.config["engine"]["train"],
            "base": study.config["base"],
            "options": engine_options(study, "train"),
        },
        plugins=(engine(study, "train"),),
    )
    for arm, seed in study.runs:
        yield _run(study, arm, seed)


def _run(study: Study, arm: str, seed: int) -> Job:
    paths, about = study.paths, study.arms[arm]
    read: dict[str, Paths] = {"base": paths.base, "problems": paths.subset(arm)}
    made: dict[str, Paths] = {
        "metrics": paths.metrics(arm, seed),
        "record": paths.run_record(arm, seed),
        "policies": [paths.policy(arm, seed, step) for step in about.steps],
    }
    settings: Json = {
        "engine": study.config["engine"]["train"],
        "options": engine_options(study, "train"),
        "grader": about.grader,
        about.train: about.settings,
        "steps": list(about.steps),
    }
    used = [engine(study, "train")]
    if about.train == "ppo":
        made["rollouts"] = paths.rollouts(arm, seed)
        settings["reward"] = about.reward
        kept = study.kept_states(arm)
        if kept:
            made["states"] = [paths.kept_state(arm, seed, step) for step in kept]
        if about.start:
            read["start"] = paths.kept_state(about.start.arm, seed, about.start.step)
            settings["start"] = {**asdict(about.start), "streams": study.streams(arm)}
        used.append(("rewards", about.reward["rule"]))
        if about.sampler is not None:
            settings["sampler"] = about.sampler
            used.append(("samplers", about.sampler["name"]))
            if (score := study.difficulty(arm)) is not None:
                read["difficulty"] = paths.scores(score)
    else:
        read["solutions"] = paths.solutions(study.arm_dataset(arm))
    return Job(
        study.rule("train", arm),
        read,
        made,
        settings,
        {"arm": arm, "seed": str(seed)},
        tuple(used),
        f"train_{about.train}",
    )


def engine(study: Study, work: str) -> tuple[str, str]:
    """Return the plug-in that does a sort of work: `train` or `generate`."""
    return "engines", study.config["engine"][work]


def engine_options(study: Study, work: str) -> Json:
    """Return the options of an engine that decide what comes out."""
    return split_options(study, work)[0]


def split_options(study: Study, work: str) -> tuple[Json, Json]:
    """Return an engine's options: those that count, and those that only decide what fits."""
    options = study.engine_options(work)
    free = getattr(plugins.load(*engine(study, work)), "NOT_IN_DIGEST", ())
    counted = {key: value for key, value in options.items() if key not in free}
    return counted, {key: value for key, value in options.items() if key in free}


def result_files(study: Study) -> dict[str, Paths]:
    """Return what tables and figures may ask for."""
    return {
        "metrics": study.paths.collected("metrics") if study.trained else [],
        "runs": [
            *(study.paths.run_record(arm, seed) for arm, seed in study.runs),
            *(study.paths.samples_record(source) for source in study.sampled),
        ],
    }

"""Jobs from policies to judged responses, and to the tables of all of them."""

from __future__ import annotations

from collections.abc import Iterator

from limr.study.jobs.job import Job, Json, Paths
from limr.study.jobs.train import engine, engine_options
from limr.study.study import Study


def jobs(study: Study) -> Iterator[Job]:
    """Yield the jobs of evaluations, one per run, and of what is collected from them."""
    if study.evaluated:
        for arm, seed in study.runs_of(*study.base, *study.trained):
            if study.arms[arm].steps:  # else a round too short for an evaluated step
                yield _evaluate(study, arm, seed)
        yield from _collect_evaluations(study)
    if study.trained:
        yield _collect_metrics(study)
    for benchmark in study.benchmarks:
        yield _measure_overlap(study, benchmark)


def runs(study: Study, *, trained: bool = False, hidden: bool = False) -> list[Json]:
    """Return arm, group, train and seed of every run in the report's order: arms, then seeds.

    Args:
        study: a checked study.
        trained: without the arms that are the base policy itself.
        hidden: with those that are rounds of another arm.
    """
    wanted = study.trained if trained else study.base + study.trained
    return [
        {"arm": arm.name, "group": arm.group, "train": arm.train, "seed": seed}
        for arm in study.arms.values()
        if arm.name in wanted and (hidden or arm.shown)
        for seed in arm.seeds
    ]


def evaluations(study: Study) -> list[Json]:
    """Return run, step and benchmark of every evaluation, in the order of their collection.

    An arm that starts from another has the evaluations of its way too, as if it had been one run.
    """
    return [
        {**run, "step": step, "benchmark": benchmark}
        for run in runs(study)
        for step, _ in study.places_along(run["arm"])
        for benchmark in study.benchmarks
    ]


def path(study: Study, key: Json) -> str:
    """Return the file of one of `evaluations`."""
    arm = dict(study.places_along(key["arm"]))[key["step"]]
    return study.paths.evaluation(arm, key["seed"], key["step"], key["benchmark"])


def _questions(study: Study) -> list[str]:
    return [study.paths.problems(benchmark) for benchmark in study.benchmarks]


def _evaluate(study: Study, name: str, seed: int) -> Job:
    paths, arm = study.paths, study.arms[name]
    policies = [paths.policy(name, seed, step) for step in arm.steps]
    places = [(name, seed, *place) for place in study.places(arm.steps)]
    options = engine_options(study, "generate")
    return Job(
        study.rule("evaluate", name),
        {
            "policies": [paths.base] if arm.train == "none" else policies,
            "problems": _questions(study),
        },
        {
            "evaluations": [paths.evaluation(*place) for place in places],
            "summaries": [paths.evaluation_record(*place) for place in places],
        },
        {
            "engine": study.config["engine"]["generate"],
            "options": {**options, **({"template": arm.template} if arm.template else {})},
            "grader": study.config["grader"],
            "steps": list(arm.steps),
            "benchmarks": study.benchmarks,
        },
        {"arm": name, "seed": str(seed)},
        (engine(study, "generate"),),
        "evaluate",
    )


def _collect_evaluations(study: Study) -> Iterator[Job]:
    keys = evaluations(study)
    paths = [path(study, key) for key in keys]
    yield Job(
        "collect_evaluations",
        {"evaluations": paths},
        {"evaluations": study.paths.collected("evaluations")},
        {"evaluations": keys},
    )
    yield Job(
        "cross_check",
        {"evaluations": paths, "problems": _questions(study)},
        {"opinions": study.paths.collected("opinions")},
        {
            "grader": study.config["second_opinion"],
            "benchmarks": list(study.benchmarks),
            "evaluations": [key["benchmark"] for key in keys],
        },
    )


def metrics(study: Study) -> list[list[tuple[Json, str]]]:
    """Return, for each reported training run, keys and path of its metrics, its way's before them.

    The keys have `until` where the run of the path went on after the step at which it was left.
    """
    found = []
    for run in runs(study, trained=True):
        way = study.way(run["arm"])
        keys = [*({**run, "until": last} for _, last in way), run]
        arms = [*(arm for arm, _ in way), run["arm"]]
        paths = [study.paths.metrics(arm, run["seed"]) for arm in arms]
        found.append(list(zip(keys, paths, strict=True)))
    return found


def _collect_metrics(study: Study) -> Job:
    parts = [part for run in metrics(study) for part in run]
    return Job(
        "collect_metrics",
        {"metrics": [path for _, path in parts]},
        {"metrics": study.paths.collected("metrics")},
        {"runs": [keys for keys, _ in parts]},
    )


def _measure_overlap(study: Study, benchmark: str) -> Job:
    settings = study.config["contamination"]
    return Job(
        "measure_overlap",
        {
            "questions": study.paths.problems(benchmark),
            "problems": [study.paths.problems(name) for name in study.trained_on()],
            "subsets": [study.paths.subset(arm) for arm in study.selected],
        },
        {"overlaps": study.paths.overlaps(benchmark)},
        {
            "datasets": study.trained_on(),
            "arms": {arm: study.arm_dataset(arm) for arm in study.selected},
            # Thresholds are the tables' own: another one measures nothing again.
            **{key: settings[key] for key in ("words", "longest")},
        },
        {"dataset": benchmark},
    )


def result_files(study: Study) -> dict[str, Paths]:
    """Return what tables and figures may ask for."""
    paths = study.paths
    return {
        "evaluations": paths.collected("evaluations") if study.evaluated else [],
        "opinions": paths.collected("opinions") if study.evaluated else [],
        "overlaps": [paths.overlaps(name) for name in study.benchmarks],
    }

"""The jobs of a study whose outputs can be made again from what an archive holds.

Which files a rule reads is what workflow/rules/inputs.smk says; a test holds both against each
other by verifying whole studies (tests/workflow/test_archive_study.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from limr.core import plugins
from limr.grading import rewards
from limr.study import files as contents
from limr.study.jobs.job import Job, Json, Paths
from limr.study.study import Study


def preparing(study: Study) -> Iterator[Job]:
    """Yield the jobs of problems and worked solutions."""
    results = f"results/{study.name}"

    def file(name: object) -> Paths:
        return f"{results}/sources/{name}" if isinstance(name, str) else []

    solved = {study.arm_dataset(arm) for arm in study.arms_by("sft")}
    for name, entry in study.datasets.items():
        source = entry.get("path") or file(entry.get("file"))
        yield Job(
            "prepare_problems",
            {
                "file": source,
                "levels": file(entry.get("levels_file")),
                "overrides": entry.get("overrides", []),
            },
            {
                "problems": f"{results}/problems/{name}.jsonl",
                "record": f"{results}/problems/{name}.json",
            },
            entry,
            {"dataset": name},
        )
        if name in solved:
            made = {"solutions": f"{results}/solutions/{name}.jsonl"}
            yield Job("prepare_solutions", {"file": source}, made, entry, {"dataset": name})


def audits(study: Study) -> Iterator[Job]:
    """Yield the jobs of audits of gold answers, where the study has them."""
    results = f"results/{study.name}"
    for name in study.datasets if audited(study) else ():
        yield Job(
            "audit_answers",
            {"problems": f"{results}/problems/{name}.jsonl"},
            {
                "table": f"{results}/audits/{name}.parquet",
                "record": f"{results}/audits/{name}.json",
            },
            {"grader": study.config["grader"]},
            {"dataset": name},
        )


def audited(study: Study) -> bool:
    """Return whether the gold answers are audited."""
    shown = any(
        {"audits", "findings"} & set(plugins.load(kind, name).REQUIRES)
        for kind in ("tables", "figures")
        for name in study.config[kind]
    )
    return shown or any(study.arms[arm].dead_problems != "keep" for arm in study.selected)


def curves(study: Study) -> Iterator[Job]:
    """Yield the jobs of learning curves and of published scores."""
    results = f"results/{study.name}"
    entries = study.config["trajectories"]
    for name, entry in entries.items():
        if not contents.provides_scores(study, name):
            made = f"{results}/trajectories/{name}"
            yield _imported(study, name, entry.get("dataset"), made, {"source": name})
    for name, score in study.scores.items():
        if contents.provides_scores(study, score["trajectories"]):
            made = f"{results}/scores/{name}"
            source = score["trajectories"]
            yield _imported(study, source, score["dataset"], made, {"selector": name})


def _imported(
    study: Study, source: str, dataset: str | None, made: str, wildcards: dict[str, str]
) -> Job:
    results = f"results/{study.name}"
    settings = entry = study.config["trajectories"][source]
    if source in study.sampled:
        paths = [f"{results}/samples/{source}.parquet"]
    elif entry.get("arm"):
        paths = [f"{results}/runs/{entry['arm']}/seed{entry['seed']}/rollouts.parquet"]
        if "rewards" in entry and entry["rewards"] is None:
            settings = {**entry, "rewards": rewards.values(study.arms[entry["arm"]].reward)}
    elif entry.get("path"):
        paths = [entry["path"]]
    else:
        named = entry["file"]
        files = [named] if isinstance(named, str) else named
        paths = [f"{results}/sources/{file}" for file in files]
    problems = f"{results}/problems/{dataset or study.config['dataset']}.jsonl"
    return Job(
        "import_trajectories",
        {"paths": paths, "problems": problems},
        {"table": f"{made}.parquet", "record": f"{made}.json"},
        settings,
        wildcards,
    )


def scores(study: Study) -> Iterator[Job]:
    """Yield the jobs of scores that selectors give."""
    results = f"results/{study.name}"
    for name, entry in study.scores.items():
        source = entry["trajectories"]
        if not contents.provides_scores(study, source):
            yield Job(
                "score_problems",
                {
                    "problems": f"{results}/problems/{study.score_dataset(name)}.jsonl",
                    "trajectories": f"{results}/trajectories/{source}.parquet" if source else [],
                },
                {"scores": f"{results}/scores/{name}.parquet"},
                entry,
                {"selector": name},
            )


def subsets(study: Study) -> Iterator[Job]:
    """Yield the jobs of subsets."""
    results = f"results/{study.name}"
    for name in study.selected:
        arm = study.arms[name]
        score = study.scores[str(arm.score)]
        source, size = score["trajectories"], arm.cut.get("size")
        published = contents.provides_scores(study, source)
        origin: Json = {"score": arm.score, "trajectories": source}
        if published:
            origin["format"] = study.config["trajectories"][source]["format"]
        else:
            origin |= {"selector": score["selector"], "options": score["options"]}
        settings: Json = {"cut": arm.cut, "seed": score["seed"], "origin": origin}
        dataset = study.arm_dataset(name)
        if audited(study):
            settings["dead_problems"] = arm.dead_problems
        curves = source is not None and not published
        yield Job(
            "select_subset",
            {
                "problems": f"{results}/problems/{dataset}.jsonl",
                "scores": f"{results}/scores/{arm.score}.parquet",
                "trajectories": f"{results}/trajectories/{source}.parquet" if curves else [],
                "size_like": f"{results}/subsets/{size}.json" if isinstance(size, str) else [],
                "audit": f"{results}/audits/{dataset}.parquet" if audited(study) else [],
            },
            {
                "subset": f"{results}/subsets/{name}.jsonl",
                "record": f"{results}/subsets/{name}.json",
            },
            settings,
            {"arm": name},
        )


def diagnosed(study: Study) -> list[str]:
    """Return the scores whose samples can be drawn again."""
    return [
        name
        for name, entry in study.scores.items()
        if plugins.load("selectors", entry["selector"]).NEEDS_TRAJECTORIES
        and not plugins.load("selectors", entry["selector"]).SEEDED
        and not contents.provides_scores(study, entry["trajectories"])
    ]


def diagnostics(study: Study) -> Iterator[Job]:
    """Yield the jobs of diagnostics; those that the study does not show have no archived output."""
    results = f"results/{study.name}"
    for name in diagnosed(study):
        source = study.scores[name]["trajectories"]
        cut = [a for a in study.selected if study.arms[a].score == name and study.arms[a].cut]
        subset: dict[str, Paths] = {
            suffix: f"{results}/subsets/{cut[0]}.{suffix}" if cut else []
            for suffix in ("jsonl", "json")
        }
        yield Job(
            "diagnose_scores",
            {
                "problems": f"{results}/problems/{study.score_dataset(name)}.jsonl",
                "trajectories": f"{results}/trajectories/{source}.parquet",
                "scores": f"{results}/scores/{name}.parquet",
                "subset": subset["jsonl"],
                "record": subset["json"],
            },
            {
                "problems": f"{results}/diagnostics/{name}.parquet",
                "epochs": f"{results}/diagnostics/{name}.epochs.parquet",
            },
            {**study.scores[name], **study.config["diagnostics"]},
            {"selector": name},
        )


def keys(study: Study, arm: str, seed: int) -> Json:
    """Return what the collected tables say of a run."""
    about = study.arms[arm]
    return {"arm": arm, "group": about.group, "train": about.train, "seed": seed}


def collected(study: Study) -> Iterator[Job]:
    """Yield the jobs of the tables of all evaluations and of all metrics."""
    results = f"results/{study.name}"
    found = contents.evaluations(study)
    if found:
        yield Job(
            "collect_evaluations",
            {
                "evaluations": [
                    f"{results}/evals/{arm}/seed{seed}/step{step}/{benchmark}.parquet"
                    for arm, seed, step, benchmark in found
                ]
            },
            {"evaluations": f"{results}/collected/evaluations.parquet"},
            {
                "evaluations": [
                    {**keys(study, arm, seed), "step": step, "benchmark": benchmark}
                    for arm, seed, step, benchmark in found
                ]
            },
        )
    if study.trained:
        yield Job(
            "collect_metrics",
            {
                "metrics": [
                    f"{results}/runs/{arm}/seed{seed}/metrics.parquet"
                    for arm, seed in trained(study)
                ]
            },
            {"metrics": f"{results}/collected/metrics.parquet"},
            {"runs": [keys(study, arm, seed) for arm, seed in trained(study)]},
        )


def opinions(study: Study) -> Iterator[Job]:
    """Yield the job of the second opinion on every evaluation."""
    results, found = f"results/{study.name}", contents.evaluations(study)
    if found:
        yield Job(
            "cross_check",
            {
                "evaluations": [
                    f"{results}/evals/{arm}/seed{seed}/step{step}/{benchmark}.parquet"
                    for arm, seed, step, benchmark in found
                ],
                "problems": [f"{results}/problems/{name}.jsonl" for name in study.benchmarks],
            },
            {"opinions": f"{results}/collected/opinions.parquet"},
            {
                "grader": study.config["second_opinion"],
                "benchmarks": list(study.benchmarks),
                "evaluations": [benchmark for _, _, _, benchmark in found],
            },
        )


def overlaps(study: Study) -> Iterator[Job]:
    """Yield the jobs that measure overlaps, where a table shows them."""
    results, settings = f"results/{study.name}", study.config["contamination"]
    for name in study.benchmarks if contents.overlaps(study) else ():
        yield Job(
            "measure_overlap",
            {
                "questions": f"{results}/problems/{name}.jsonl",
                "problems": [f"{results}/problems/{each}.jsonl" for each in study.trained_on()],
                "subsets": [f"{results}/subsets/{arm}.jsonl" for arm in study.selected],
            },
            {"overlaps": f"{results}/overlaps/{name}.parquet"},
            {
                "datasets": study.trained_on(),
                "arms": {arm: study.arm_dataset(arm) for arm in study.selected},
                **{key: settings[key] for key in ("words", "longest")},
            },
            {"dataset": name},
        )


def trained(study: Study) -> list[tuple[str, int]]:
    """Return (arm, seed) of the training runs in the order of the report."""
    return [
        (arm.name, seed)
        for arm in study.arms.values()
        if arm.train != "none"
        for seed in study.seeds
    ]

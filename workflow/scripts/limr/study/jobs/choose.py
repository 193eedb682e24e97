"""Jobs from rollouts, logs and the base's responses to learning curves, scores and subsets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from limr.core import own_files, plugins
from limr.grading import rewards
from limr.study.jobs.data import audited
from limr.study.jobs.job import Job, Json, Paths
from limr.study.jobs.train import engine, engine_options
from limr.study.study import Study, files_of


def jobs(study: Study, folder: Path) -> Iterator[Job]:
    """Yield the jobs of learning curves, scores, subsets and diagnostics.

    Args:
        study: a checked study.
        folder: what the paths of a user's own logs are relative to: a log may be a folder.
    """
    for source, entry in study.trajectories.items():
        if source in study.sampled:
            yield _sample_base(study, source, entry)
        if not study.provides_scores(source):
            made = (study.paths.curves(source), study.paths.curves_record(source))
            yield _import(study, source, folder, made, {"source": source})
    for score, entry in study.scores.items():
        if study.provides_scores(entry["trajectories"]):
            made = (study.paths.scores(score), study.paths.scores_record(score))
            yield _import(study, entry["trajectories"], folder, made, {"selector": score})
        else:
            yield _score(study, score, entry)
    for arm in study.selected:
        yield _select(study, arm)
    for score in diagnosed(study):
        yield _diagnose(study, score)
    if curves(study):
        yield _backtest(study)


def _sample_base(study: Study, source: str, entry: Json) -> Job:
    importer = ("importers", entry["format"])
    return Job(
        "sample_base",
        {"base": study.paths.base, "problems": _problems(study, entry)},
        {"samples": study.paths.samples(source), "summary": study.paths.samples_record(source)},
        {
            "engine": study.config["engine"]["generate"],
            "options": engine_options(study, "generate"),
            "grader": study.config["grader"],
            "decoding": plugins.load(*importer).decoding(entry),
            "draw": entry["draw"],
        },
        {"source": source},
        (engine(study, "generate"), importer),
    )


def _import(
    study: Study, source: str, folder: Path, made: tuple[str, str], wildcards: dict[str, str]
) -> Job:
    entry = settings = study.trajectories[source]
    problems = _problems(study, entry)
    if entry.get("arm") and (way := study.way(entry["arm"])):
        settings = entry = {**entry, "until": [*(last for _, last in way), None]}
    if "selector" in wildcards:
        problems = study.paths.problems(study.score_dataset(wildcards["selector"]))
    elif entry.get("arm") and "rewards" in entry and entry["rewards"] is None:
        settings = {**entry, "rewards": _rewards(study, entry["arm"])}
    return Job(
        "import_scores" if "selector" in wildcards else "import_trajectories",
        {"paths": source_files(study, source, folder), "problems": problems},
        {"table": made[0], "record": made[1]},
        settings,
        wildcards,
        (("importers", entry["format"]),),
        "import_trajectories",
    )


def _rewards(study: Study, arm: str) -> list[float]:
    """Return the rewards that the rules of an arm and its way give."""
    arms = [*(name for name, _ in study.way(arm)), arm]
    every = [value for name in arms for value in rewards.values(study.arms[name].reward)]
    return list(dict.fromkeys(every))


def source_files(study: Study, source: str, folder: Path) -> list[str]:
    """Return the files that an entry of `trajectories` reads."""
    entry = study.trajectories[source]
    if source in study.sampled:
        return [study.paths.samples(source)]
    if entry.get("arm"):
        arms = [*(arm for arm, _ in study.way(entry["arm"])), entry["arm"]]
        return [study.paths.rollouts(arm, entry["seed"]) for arm in arms]
    if entry.get("path"):
        importer = plugins.load("importers", entry["format"])
        return own_files.listed(entry["path"], importer, folder)
    return [study.paths.source(name) for name in files_of(entry)]


def _problems(study: Study, entry: Json) -> str:
    return study.paths.problems(entry.get("dataset") or study.config["dataset"])


def _score(study: Study, score: str, entry: Json) -> Job:
    source = entry["trajectories"]
    return Job(
        "score_problems",
        {
            "problems": study.paths.problems(study.score_dataset(score)),
            "trajectories": study.paths.curves(source) if source else [],
            "own": study.score_files(score),
        },
        {"scores": study.paths.scores(score)},
        entry,
        {"selector": score},
        (("selectors", entry["selector"]),),
    )


def _select(study: Study, name: str) -> Job:
    paths, arm = study.paths, study.arms[name]
    score = study.scores[str(arm.score)]
    source, size, dataset = score["trajectories"], arm.cut.get("size"), study.arm_dataset(name)
    published, checked = study.provides_scores(source), audited(study)
    origin: Json = {"score": arm.score, "trajectories": source}
    if published:
        origin["format"] = study.trajectories[source]["format"]
    else:
        origin |= {"selector": score["selector"], "options": score["options"]}
    return Job(
        "select_subset",
        {
            "problems": paths.problems(dataset),
            "scores": paths.scores(str(arm.score)),
            # For the count of problems that were never solved.
            "trajectories": paths.curves(source) if source and not published else [],
            "size_like": paths.subset_record(size) if isinstance(size, str) else [],
            "audit": paths.audit(dataset) if checked else [],
        },
        {"subset": paths.subset(name), "record": paths.subset_record(name)},
        {
            "cut": arm.cut,
            "seed": score["seed"],
            "origin": origin,
            **({"dead_problems": arm.dead_problems} if checked else {}),
        },
        {"arm": name},
        () if published else (("selectors", score["selector"]),),
    )


def diagnosed(study: Study) -> list[str]:
    """Return the scores whose samples can be redrawn: of learning curves, by no random selector."""
    found = []
    for name, entry in study.scores.items():
        selector = plugins.load("selectors", entry["selector"])
        published = study.provides_scores(entry["trajectories"])
        if selector.NEEDS_TRAJECTORIES and not selector.SEEDED and not published:
            found.append(name)
    return found


def _diagnose(study: Study, score: str) -> Job:
    paths, entry = study.paths, study.scores[score]
    cut = [a for a in study.selected if study.arms[a].score == score and study.arms[a].cut]
    return Job(
        "diagnose_scores",
        {
            "problems": paths.problems(study.score_dataset(score)),
            "trajectories": paths.curves(entry["trajectories"]),
            "scores": paths.scores(score),
            "own": study.score_files(score),
            "subset": paths.subset(cut[0]) if cut else [],
            "record": paths.subset_record(cut[0]) if cut else [],
        },
        {"problems": paths.diagnostics(score), "epochs": paths.diagnostics_by_epoch(score)},
        {**entry, **study.config["diagnostics"]},
        {"selector": score},
        (("selectors", entry["selector"]),),
    )


def curves(study: Study) -> list[str]:
    """Return the names of the study's learning curves."""
    return [name for name in study.trajectories if not study.provides_scores(name)]


def _backtest(study: Study) -> Job:
    paths, names = study.paths, plugins.names("selectors")
    entries = {name: study.trajectories[name] for name in curves(study)}
    scores: dict[str, list[Json]] = {name: [] for name in entries}
    for name in diagnosed(study):
        entry = study.scores[name]
        own = getattr(plugins.load("selectors", entry["selector"]), "OWN_FILES", ())
        if not any(entry["options"].get(key) for key in own):
            scores[entry["trajectories"]].append(
                {"name": name, "selector": entry["selector"], "options": entry["options"]}
            )
    return Job(
        "backtest_selectors",
        {
            "problems": [_problems(study, entry) for entry in entries.values()],
            "trajectories": [paths.curves(name) for name in entries],
        },
        {"backtest": paths.collected("backtest")},
        {"scores": scores, "plan": study.config["backtest"]},
        plugins=tuple(("selectors", name) for name in names),
    )


def result_files(study: Study) -> dict[str, Paths]:
    """Return what tables and figures may ask for."""
    paths = study.paths
    return {
        "trajectories": [paths.curves(name) for name in curves(study)],
        "backtest": paths.collected("backtest") if curves(study) else [],
        "scores": [paths.scores(name) for name in study.scores],
        "subsets": [
            path for arm in study.selected for path in (paths.subset_record(arm), paths.subset(arm))
        ],
        "diagnostics": [
            path
            for name in diagnosed(study)
            for path in (paths.diagnostics(name), paths.diagnostics_by_epoch(name))
        ],
    }

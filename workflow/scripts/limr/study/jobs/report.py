"""Jobs of what people look at: tables, figures, the report."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence

from limr.core import plugins
from limr.core.errors import InputError, nearest
from limr.study.jobs import choose, data, evaluate, train
from limr.study.jobs.job import Job, Json, Paths
from limr.study.study import Study

# Files of the repository itself, which are inputs too.
_SCRIPTS = ("report.js", "steps.js", "map.js", "questions.js", "katex.min.js", "formulas.js")
PAGE = [
    f"workflow/report/{name}"
    for name in ("report.html.j2", "report.css", *_SCRIPTS, "parts.html.j2", "map.html.j2")
]
PAPER = "config/paper.yaml"
_RULES = {"tables": "make_tables", "figures": "draw_figures"}
# The files of a table or a figure: what a rule calls them -> their suffix.
SUFFIXES = {
    "tables": {"tsv": "tsv", "markdown": "md", "latex": "tex"},
    "figures": {"pdf": "pdf", "png": "png", "svg": "svg", "tsv": "tsv", "caption": "txt"},
}


def jobs(study: Study) -> Iterator[Job]:
    """Yield the jobs of tables, figures and the report."""
    files = result_files(study)
    for kind in _RULES:
        if study.config[kind]:
            yield _shown(study, kind, sorted(study.config[kind]), files)
    yield _report(study, files)


def apart(study: Study, job: Job) -> list[Job]:
    """Return the job of all tables or figures as a job for each, and another job as it is.

    So one can be made again where what others read is not there.
    """
    kind = next((kind for kind, rule in _RULES.items() if rule == job.rule), None)
    if kind is None:
        return [job]
    files = result_files(study)
    return [_shown(study, kind, [name], files) for name in study.config[kind]]


def _shown(study: Study, kind: str, names: Sequence[str], files: Mapping[str, Paths]) -> Job:
    """Return the job of these tables or figures: one, since to start takes longer than to draw."""
    read = {name: asked(kind, name, files) for name in names}
    every = {key: paths for found in read.values() for key, paths in found.items()}
    settings = {
        "study": study.overview(),
        "told": _told(study, every),
        "runs": _costed(study) if every.get("runs") else [],
        kind: {n: {"reads": list(read[n]), "options": study.config[kind][n]} for n in names},
    }
    if kind == "figures" and "style" in study.config:
        settings["style"] = study.config["style"]
    path = study.paths.table if kind == "tables" else study.paths.figure
    made = {key: [path(name, end) for name in names] for key, end in SUFFIXES[kind].items()}
    return Job(_RULES[kind], every, made, settings, plugins=tuple((kind, name) for name in names))


def result_files(study: Study) -> dict[str, Paths]:
    """Return what a table or a figure may ask for, by the name in its REQUIRES or OPTIONAL."""
    found: dict[str, Paths] = {"paper": PAPER}
    for stage in (data, train, choose, evaluate):
        found |= stage.result_files(study)
    return found


def asked(kind: str, name: str, files: Mapping[str, Paths]) -> dict[str, Paths]:
    """Return the part of `result_files` that a table or a figure asks for.

    Raises:
        InputError: it asks for a kind that is not there.
    """
    plugin = plugins.load(kind, name)
    wanted = (*plugin.REQUIRES, *getattr(plugin, "OPTIONAL", ()))
    for key in wanted:
        if key not in files:
            raise InputError(
                f"{kind}: '{name}' asks for '{key}' (REQUIRES, OPTIONAL), which no stage of "
                f"limr/study/jobs makes.{nearest(key, files)}"
            )
    return {key: files[key] for key in wanted}


def _told(study: Study, reads: Container[str]) -> Json:
    """Return what goes with a kind of result that is read, besides the study's overview."""
    scores = {
        name: {key: entry[key] for key in ("selector", "trajectories")}
        for name, entry in study.scores.items()
    }
    told = {
        "scores": {"scores": scores},
        "paper": {"decodings": study.decodings()},
        "runs": study.costs(),
        "overlaps": {"contamination": study.config["contamination"]},
    }
    return {key: value for key, value in told.items() if key in reads}


def _costed(study: Study) -> list[Json]:
    """Return the keys of what is read for costs, in the order of its paths."""
    samples = [{"source": source} for source in study.sampled]
    return [*evaluate.runs(study, trained=True, hidden=True), *samples]


def _report(study: Study, files: Mapping[str, Paths]) -> Job:
    paths, curves, last = study.paths, study.scored_from(), last_evaluations(study)
    shown = {
        key
        for kind in ("tables", "figures")
        for name in study.config[kind]
        for key in asked(kind, name, files)
    }
    read = ["evaluations", "metrics", "trajectories", "scores", "subsets", "runs", "problems"]
    # What takes time to make is part of the page only where a table or a figure shows it.
    read += [key for key in ("diagnostics", "backtest", "opinions", "overlaps") if key in shown]
    return Job(
        "make_report",
        {
            **{key: files[key] for key in read},
            "tables": [paths.table(name, "tsv") for name in study.config["tables"]],
            "figures": [paths.figure(name, "png") for name in study.config["figures"]],
            "drawings": [paths.figure(name, "svg") for name in study.config["figures"]],
            "captions": [paths.figure(name, "txt") for name in study.config["figures"]],
            "notes": _notes(study),
            "rollouts": [paths.rollouts(run["arm"], run["seed"]) for run in curves.values()],
            "answers": [evaluate.path(study, key) for key in last],
            "page": PAGE,
        },
        {"page": paths.report, "headline": paths.headline},
        {
            "study": {
                **study.overview(),
                "scored_from": curves,
                "contamination": study.config["contamination"],
                "graders": study.graders(),
            },
            "runs": _costed(study),
            "curves": list(curves),
            "answers": last,
            "config": {k: v for k, v in study.written.items() if k not in ("mirror", "archive")},
        },
        plugins=(
            *((kind, name) for kind in ("tables", "figures") for name in study.config[kind]),
            *(("selectors", entry["selector"]) for entry in study.scores.values()),
            ("tables", "compute"),
        ),
    )


def last_evaluations(study: Study) -> list[Json]:
    """Return the evaluations of each arm's last step, whose answers the report shows."""
    keys = evaluate.evaluations(study)
    return [key for key in keys if key["step"] == study.arms[key["arm"]].steps[-1]]


def _notes(study: Study) -> list[str]:
    """Return the records whose notes the report shows."""
    paths, scores = study.paths, study.scores.items()
    published = [name for name, e in scores if study.provides_scores(e["trajectories"])]
    read = [name for name in study.trajectories if not study.provides_scores(name)]
    return [
        *(paths.problems_record(name) for name in study.config["datasets"]),
        *(paths.curves_record(name) for name in read),
        *(paths.scores_record(name) for name in published),
    ]

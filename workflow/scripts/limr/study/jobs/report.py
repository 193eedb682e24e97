"""The jobs of what people look at: tables, figures, the report."""

from __future__ import annotations

from collections.abc import Iterator

from limr.core import plugins, provenance
from limr.study import files
from limr.study.jobs import data
from limr.study.jobs.job import Job, Json, Paths
from limr.study.study import Study

PAGE = [f"workflow/report/report.{suffix}" for suffix in ("html.j2", "css", "js")]
PAPER = "config/paper.yaml"


def material(study: Study) -> dict[str, Paths]:
    """Return what a table or a figure may ask for, as the rules' inputs.smk does."""
    results = f"results/{study.name}"
    selected_from = dict.fromkeys(study.arm_dataset(arm) for arm in study.selected)
    return {
        "evaluations": f"{results}/collected/evaluations.parquet" if study.benchmarks else [],
        "metrics": f"{results}/collected/metrics.parquet" if study.trained else [],
        "trajectories": [
            f"{results}/trajectories/{name}.parquet"
            for name in study.config["trajectories"]
            if not files.provides_scores(study, name)
        ],
        "scores": [f"{results}/scores/{name}.parquet" for name in study.scores],
        "subsets": [
            f"{results}/subsets/{arm}.{suffix}"
            for arm in study.selected
            for suffix in ("json", "jsonl")
        ],
        "diagnostics": [
            f"{results}/diagnostics/{name}.{suffix}"
            for name in data.diagnosed(study)
            for suffix in ("parquet", "epochs.parquet")
        ],
        "opinions": f"{results}/collected/opinions.parquet" if study.benchmarks else [],
        "overlaps": [f"{results}/overlaps/{name}.parquet" for name in study.benchmarks],
        "audits": [f"{results}/audits/{name}.json" for name in study.datasets],
        "findings": [f"{results}/audits/{name}.parquet" for name in selected_from],
        "problems": [f"{results}/problems/{name}.jsonl" for name in study.datasets],
        "runs": [
            *(f"{results}/runs/{arm}/seed{seed}/run.json" for arm, seed in data.trained(study)),
            *(f"{results}/samples/{source}.json" for source in study.sampled),
        ],
        "paper": PAPER,
    }


def _costed(study: Study) -> list[Json]:
    """Return the keys of what is read for costs, in the order of its paths."""
    runs = [data.keys(study, arm, seed) for arm, seed in data.trained(study)]
    return [*runs, *({"source": source} for source in study.sampled)]


def _asked(study: Study, kind: str, name: str) -> dict[str, Paths]:
    plugin = plugins.load(kind, name)
    wanted = {*plugin.REQUIRES, *getattr(plugin, "OPTIONAL", ())}
    return {key: paths if key in wanted else [] for key, paths in material(study).items()}


def overview(study: Study, kind: str, name: str) -> Json:
    """Return what a table or figure is told of the study: the more, the more it asks for."""
    needs, told = plugins.load(kind, name).REQUIRES, study.overview()
    if "scores" in needs:
        told["scores"] = {
            score: {key: entry[key] for key in ("selector", "trajectories")}
            for score, entry in study.scores.items()
        }
    if "paper" in needs:
        told["decodings"] = study.decodings()
    if "runs" in needs:
        told |= study.costs()
    if "overlaps" in needs:
        told["contamination"] = study.config["contamination"]
    return told


def tables(study: Study) -> Iterator[Job]:
    """Yield the jobs of tables."""
    results = f"results/{study.name}"
    runs = _costed(study)
    for name in study.config["tables"]:
        given = _asked(study, "tables", name)
        yield Job(
            "make_table",
            given,
            {
                "tsv": f"{results}/tables/{name}.tsv",
                "markdown": f"{results}/tables/{name}.md",
                "latex": f"{results}/tables/{name}.tex",
            },
            {
                "study": overview(study, "tables", name),
                "runs": runs if given["runs"] else [],
                "options": study.config["tables"][name],
            },
            {"table": name},
        )


def figures(study: Study) -> Iterator[Job]:
    """Yield the jobs of figures."""
    results = f"results/{study.name}"
    runs = _costed(study)
    for name in study.config["figures"]:
        given = _asked(study, "figures", name)
        yield Job(
            "draw_figure",
            given,
            {
                "pdf": f"{results}/figures/{name}.pdf",
                "png": f"{results}/figures/{name}.png",
                "tsv": f"{results}/figures/{name}.tsv",
                "caption": f"{results}/figures/{name}.txt",
            },
            {
                "study": overview(study, "figures", name),
                "runs": runs if given["runs"] else [],
                "options": study.config["figures"][name],
            },
            {"figure": name},
        )


def report(study: Study) -> Iterator[Job]:
    """Yield the job of the report and of its lines for the terminal."""
    results, curves = f"results/{study.name}", study.scored_from()
    read = ("evaluations", "metrics", "trajectories", "scores", "subsets", "runs", "problems")
    kept = {k: v for k, v in study.config.items() if k not in ("mirror", "archive")}
    yield Job(
        "make_report",
        {
            **{key: material(study)[key] for key in read},
            **{key: _shown(study, key) for key in ("diagnostics", "opinions", "overlaps")},
            "tables": [f"{results}/tables/{name}.tsv" for name in study.config["tables"]],
            "figures": [f"{results}/figures/{name}.png" for name in study.config["figures"]],
            "captions": [f"{results}/figures/{name}.txt" for name in study.config["figures"]],
            "notes": _notes(study),
            "rollouts": [
                f"{results}/runs/{run['arm']}/seed{run['seed']}/rollouts.parquet"
                for run in curves.values()
            ],
            # Never the archive's: a template is code.
            "page": [str(provenance.ROOT / name) for name in PAGE],
        },
        {"page": f"{results}/report.html", "headline": f"{results}/headline.txt"},
        {
            "study": {
                **study.overview(),
                "scored_from": curves,
                "contamination": study.config["contamination"],
            },
            "runs": _costed(study),
            "curves": list(curves),
            "config": kept,
        },
    )


def _shown(study: Study, key: str) -> Paths:
    """Return material that the report speaks of where a table or a figure shows it."""
    asked = [
        _asked(study, kind, name)[key]
        for kind in ("tables", "figures")
        for name in study.config[kind]
    ]
    return material(study)[key] if any(asked) else []


def _notes(study: Study) -> list[str]:
    """Return the records whose notes the report shows."""
    results = f"results/{study.name}"
    notes = [f"{results}/problems/{name}.json" for name in study.config["datasets"]]
    notes += [
        f"{results}/trajectories/{name}.json"
        for name in study.config["trajectories"]
        if not files.provides_scores(study, name)
    ]
    return notes + [
        f"{results}/scores/{name}.json"
        for name, entry in study.scores.items()
        if files.provides_scores(study, entry["trajectories"])
    ]

"""A report of a study as far as it has come: what is there is read, what is not is named.

Tables and figures are made again from what is there, so that all of the page speaks of the same
runs. Of evaluations, whole runs alone are taken: one with all its steps and benchmarks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pandas as pd

from limr.analysis import load
from limr.analysis.results import Inputs
from limr.core import plugins
from limr.core.errors import InputError
from limr.evaluate import collect
from limr.report import make as making
from limr.report import page
from limr.report.page import Missing, Parts
from limr.study.study import Study

Json = dict[str, Any]
Read = TypeVar("Read")
SHOWN = 160  # characters of the reason why a table or figure cannot be made


class _Folder:
    """A study's results: gives the paths that are there, and notes those that are not."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.missing: list[Missing] = []

    def found(self, kind: str, paths: Mapping[str, Sequence[str]]) -> dict[str, list[Path]]:
        """Return name -> its paths, for the names of which every path is there."""
        whole = {
            name: [self.root / path for path in parts]
            for name, parts in paths.items()
            if all((self.root / path).exists() for path in parts)
        }
        lacking = [name for name in paths if name not in whole]
        if lacking:
            self.missing.append(Missing(kind, lacking, len(paths)))
        return whole

    def readable(self, kind: str, read: Callable[[], Read]) -> Read | None:
        """Return what is read; a file of another version of the code is named and left out."""
        try:
            return read()
        except InputError as error:
            self.missing.append(Missing(kind, [str(error)[:SHOWN]]))
            return None


def write(study: Study, root: Path, paper: Path, output: Path, texts: bool) -> list[Missing]:
    """Write the report of what there is and return what is missing.

    Args:
        study: the checked study.
        root: its results, `results/{study}`.
        paper: config/paper.yaml.
        output: where to write the page.
        texts: whether texts of problems and responses are part of it.

    Raises:
        InputError: there is nothing yet, or a file that is there is not what it should be.
    """
    if not (root / "problems").is_dir():
        raise InputError(
            f"{root}: nothing of the study '{study.name}' is there yet. Run it first: "
            f"`snakemake --configfile {study.where}`"
        )
    folder = _Folder(root)
    inputs, rollouts = _read(study, folder, paper)
    with TemporaryDirectory(prefix="limr-report-") as made:
        tables = _make("tables", study.config["tables"], inputs, Path(made), folder)
        figures = _make("figures", study.config["figures"], inputs, Path(made), folder)
        parts = Parts(
            config={key: value for key, value in study.config.items() if key != "mirror"},
            tables=tables,
            figures=figures,
            rollouts=rollouts,
            texts=texts,
            missing=folder.missing,
            linked=False,
        )
        page.build_report(inputs, parts, output)
    return folder.missing


def runs(study: Study) -> list[Json]:
    """Return `arm`, `group`, `train` and `seed` of every run that is evaluated, in order."""
    arms = [study.arms[name] for name in study.arms if name in study.base + study.trained]
    return [
        {"arm": arm.name, "group": arm.group, "train": arm.train, "seed": seed}
        for arm in arms
        for seed in study.seeds
    ]


def _read(study: Study, folder: _Folder, paper: Path) -> tuple[Inputs, dict[str, Path]]:
    sources = study.config["trajectories"].items()
    own = {name: entry for name, entry in sources if _provides(entry) != "scores"}
    problems = folder.found("problem sets", {n: [f"problems/{n}.jsonl"] for n in study.datasets})
    trained = folder.found("training runs", _run_files(study))
    curves = folder.found("learning curves", {n: [f"trajectories/{n}.parquet"] for n in own})
    scores = folder.found("scores", {n: [f"scores/{n}.parquet"] for n in study.scores})
    subsets = folder.found(
        "subsets", {n: [f"subsets/{n}.json", f"subsets/{n}.jsonl"] for n in study.selected}
    )
    diagnosed = sorted((folder.root / "diagnostics").glob("*.parquet"))
    keys = {_name(run): run for run in runs(study)}
    records: list[tuple[Json, Path]] = [(keys[name], paths[0]) for name, paths in trained.items()]
    drawn = {name: folder.root / f"samples/{name}.json" for name in study.sampled}
    records += [({"source": name}, path) for name, path in drawn.items() if path.exists()]
    audits = sorted((folder.root / "audits").glob("*.json"))
    tables = [path.with_suffix(".parquet") for path in audits]
    given = {
        "trajectories": _flat(curves),
        "scores": _flat(scores),
        "subsets": _flat(subsets),
        "diagnostics": [p for p in diagnosed if p.with_suffix(".epochs.parquet").exists()],
        "problems": _flat(problems),
        "findings": [path for path in tables if path.exists()],
        "runs": [path for _, path in records],
        "paper": paper,
    }
    inputs = load.inputs(_overview(study), given, [run for run, _ in records])
    checks = {
        "audits": audits,
        "opinions": [
            path for path in [folder.root / "collected/opinions.parquet"] if path.exists()
        ],
        "overlaps": sorted((folder.root / "overlaps").glob("*.parquet")),
    }
    found: dict[str, Any] = {
        kind: folder.readable(kind, partial(load.READERS[kind], paths))
        for kind, paths in checks.items()
        if paths
    }
    found["evaluations"] = folder.readable("evaluations", lambda: _evaluations(study, folder))
    found["metrics"] = folder.readable("training metrics", lambda: _metrics(study, folder))
    known = {kind: value for kind, value in found.items() if value is not None}
    return replace(inputs, **known), _rollouts(own, folder)


def _rollouts(curves: Mapping[str, Json], folder: _Folder) -> dict[str, Path]:
    """Return name of learning curves -> the rollouts of this study that they are from."""
    found = {
        name: folder.root / f"runs/{entry['arm']}/seed{entry['seed']}/rollouts.parquet"
        for name, entry in curves.items()
        if entry.get("arm")
    }
    return {name: path for name, path in found.items() if path.exists()}


def _provides(entry: Mapping[str, Any]) -> str:
    return str(plugins.load("importers", entry["format"]).PROVIDES)


def _flat(found: Mapping[str, Sequence[Path]]) -> list[Path]:
    return [path for paths in found.values() for path in paths]


def _name(run: Mapping[str, Any]) -> str:
    return f"{run['arm']} seed {run['seed']}"


def _run_files(study: Study) -> dict[str, list[str]]:
    return {
        _name(run): [f"runs/{run['arm']}/seed{run['seed']}/run.json"]
        for run in runs(study)
        if run["train"] != "none"
    }


def _overview(study: Study) -> Json:
    scores = {
        name: {key: entry[key] for key in ("selector", "trajectories")}
        for name, entry in study.scores.items()
    }
    told = {
        "decodings": study.decodings(),
        **study.costs(),
        "contamination": study.config["contamination"],
    }
    return {**study.overview(), **told, "scores": scores}


def _evaluations(study: Study, folder: _Folder) -> pd.DataFrame | None:
    files = {
        _name(run): [
            f"evals/{run['arm']}/seed{run['seed']}/step{step}/{benchmark}.parquet"
            for step in study.arms[run["arm"]].steps
            for benchmark in study.benchmarks
        ]
        for run in (runs(study) if study.benchmarks else ())
    }
    found, keys = folder.found("evaluated runs", files), {_name(r): r for r in runs(study)}
    entries = [
        ({**keys[name], "step": step, "benchmark": benchmark}, path)
        for name, paths in found.items()
        for path, (step, benchmark) in zip(paths, _places(study, keys[name]), strict=True)
    ]
    return collect.collect_evaluations(entries).to_pandas() if entries else None


def _places(study: Study, run: Json) -> list[tuple[int, str]]:
    return [(s, b) for s in study.arms[run["arm"]].steps for b in study.benchmarks]


def _metrics(study: Study, folder: _Folder) -> pd.DataFrame | None:
    entries = [
        (run, path)
        for run in runs(study)
        if (path := folder.root / f"runs/{run['arm']}/seed{run['seed']}/metrics.parquet").exists()
    ]
    return collect.collect_metrics(entries).to_pandas() if entries else None


def _make(
    kind: str, configured: Mapping[str, Any], inputs: Inputs, made: Path, folder: _Folder
) -> list[Path]:
    """Make what can be made of the configured tables or figures, and note what cannot."""
    suffixes = {"tables": ("tsv", "md", "tex"), "figures": ("png", "pdf", "tsv", "txt")}[kind]
    names = {"tables": ("tsv", "markdown", "latex"), "figures": ("png", "pdf", "tsv", "caption")}
    target = made / kind
    target.mkdir()
    done, lacking = [], []
    for name, options in configured.items():
        paths = {n: target / f"{name}.{s}" for n, s in zip(names[kind], suffixes, strict=True)}
        make = making.make_table if kind == "tables" else making.draw_figure
        try:
            make(name, inputs, options, paths)
            done.append(paths[names[kind][0]])
        except InputError as error:
            lacking.append(f"{name}: {str(error).split('. ')[0][:SHOWN]}")
        except (LookupError, ValueError, AttributeError) as error:
            # A plug-in may count on results that a whole study has; the page must not fall with it.
            lacking.append(f"{name}: not to be made from what there is ({type(error).__name__})")
    if lacking:
        folder.missing.append(Missing(kind, lacking, len(configured)))
    return done


def described(missing: Iterable[Missing]) -> list[str]:
    """Return a line for each kind of what is missing."""
    return [
        f"missing {part.kind}: {len(part.names)}{f' of {part.total}' if part.total else ''} "
        f"({', '.join(part.names[:6])}"
        f"{', …' if len(part.names) > 6 else ''})"
        for part in missing
    ]

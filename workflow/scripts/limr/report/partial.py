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
from limr.core.errors import InputError
from limr.evaluate import collect
from limr.report import make as making
from limr.report import page
from limr.report.page import Missing, Parts
from limr.study.jobs import evaluate, report
from limr.study.jobs.job import Paths
from limr.study.paths import ResultPaths
from limr.study.study import Study

Json = dict[str, Any]
Read = TypeVar("Read")
# Read from single runs, or named by itself where it cannot be read.
_READ_APART = {"evaluations", "metrics", "runs", "audits", "opinions", "overlaps"}
SHOWN = 160  # characters of the reason why a table or figure cannot be made


class _Folder:
    """A study's results: gives the paths that are there, and notes those that are not.

    Attributes:
        root: where the study's results are.
        paths: the study's paths, which the plan of jobs speaks of.
        missing: what was looked for and is not there.
    """

    def __init__(self, root: Path, paths: ResultPaths) -> None:
        self.root, self.paths = root, paths
        self.missing: list[Missing] = []

    def at(self, path: str) -> Path:
        """Return where a path of the plan is."""
        return self.root / path.removeprefix(f"{self.paths.root}/")

    def there(self, paths: Paths) -> list[Path]:
        """Return those paths of the plan that exist."""
        found = map(self.at, [paths] if isinstance(paths, str) else paths)
        return [path for path in found if path.exists()]

    def whole(self, kind: str, paths: Mapping[str, Paths]) -> dict[str, list[Path]]:
        """Return name -> its paths, for the names of which every path is there."""
        found = {name: self.there(parts) for name, parts in paths.items()}
        lacking = [name for name, parts in paths.items() if len(found[name]) < len(_listed(parts))]
        if lacking:
            self.missing.append(Missing(kind, lacking, len(paths)))
        return {name: parts for name, parts in found.items() if name not in lacking}

    def readable(self, kind: str, read: Callable[[], Read]) -> Read | None:
        """Return what is read; a file of another version of the code is named and left out."""
        try:
            return read()
        except InputError as error:
            self.missing.append(Missing(kind, [str(error)[:SHOWN]]))
            return None


def _listed(paths: Paths) -> list[str]:
    return [paths] if isinstance(paths, str) else list(paths)


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
    folder = _Folder(root, study.paths)
    inputs, rollouts = _read(study, folder, paper)
    with TemporaryDirectory(prefix="limr-report-") as made:
        tables = _make("tables", study.config["tables"], inputs, Path(made), folder)
        figures = _make("figures", study.config["figures"], inputs, Path(made), folder)
        parts = Parts(
            config={key: value for key, value in study.written.items() if key != "mirror"},
            tables=tables,
            figures=figures,
            rollouts=rollouts,
            answers=[
                (key, folder.at(path))
                for key in report.last_evaluations(study)
                if folder.there(path := evaluate.path(study, key))
            ],
            texts=texts,
            missing=folder.missing,
            linked=False,
        )
        page.build_report(inputs, parts, output)
    return folder.missing


def _read(study: Study, folder: _Folder, paper: Path) -> tuple[Inputs, dict[str, Path]]:
    """Return what there is of the results that a table or a figure may ask for."""
    files = report.result_files(study)
    given: dict[str, Sequence[Path]] = {"paper": [paper]}
    for kind, named in (
        ("problems", "problem sets"),
        ("trajectories", "learning curves"),
        ("scores", "scores"),
        ("subsets", "subsets"),
    ):
        units: dict[str, list[str]] = {}
        for path in files[kind]:
            units.setdefault(Path(path).stem, []).append(path)
        given[kind] = [path for paths in folder.whole(named, units).values() for path in paths]
    diagnosed = folder.there(files["diagnostics"])
    given["diagnostics"] = [p for p in diagnosed if p.with_suffix(".epochs.parquet").exists()]
    for kind in set(files) - set(given) - _READ_APART:
        found = folder.there(files[kind])
        given[kind] = found if kind == "findings" or len(found) == len(_listed(files[kind])) else []
    records = _records(study, folder)
    given["runs"] = [path for _, path in records]
    inputs = load.inputs(_overview(study), given, [keys for keys, _ in records])
    read: dict[str, Any] = {
        kind: folder.readable(kind, partial(load.READERS[kind], paths))
        for kind in ("audits", "opinions", "overlaps")
        if (paths := folder.there(files[kind]))
    }
    read["evaluations"] = folder.readable("evaluations", lambda: _evaluations(study, folder))
    read["metrics"] = folder.readable("training metrics", lambda: _metrics(study, folder))
    known = {kind: value for kind, value in read.items() if value is not None}
    rollouts = {
        name: folder.at(study.paths.rollouts(run["arm"], run["seed"]))
        for name, run in study.scored_from().items()
    }
    return replace(inputs, **known), {n: path for n, path in rollouts.items() if path.exists()}


def _records(study: Study, folder: _Folder) -> list[tuple[Json, Path]]:
    """Return the keys and the path of each record of a training run or of the base's responses."""
    runs = {_name(run): run for run in evaluate.runs(study, trained=True, hidden=True)}
    units = {n: [study.paths.run_record(r["arm"], r["seed"])] for n, r in runs.items()}
    found = [(runs[n], paths[0]) for n, paths in folder.whole("training runs", units).items()]
    drawn = {name: folder.there(study.paths.samples_record(name)) for name in study.sampled}
    return [*found, *(({"source": name}, paths[0]) for name, paths in drawn.items() if paths)]


def _name(run: Mapping[str, Any]) -> str:
    return f"{run['arm']} seed {run['seed']}"


def _overview(study: Study) -> Json:
    scores = {
        name: {key: entry[key] for key in ("selector", "trajectories")}
        for name, entry in study.scores.items()
    }
    told = {
        "decodings": study.decodings(),
        **study.costs(),
        "contamination": study.config["contamination"],
        "graders": study.graders(),
    }
    return {**study.overview(), **told, "scores": scores}


def _evaluations(study: Study, folder: _Folder) -> pd.DataFrame | None:
    """Return the evaluations of the runs that have all of them."""
    keys: dict[str, list[Json]] = {}
    for key in evaluate.evaluations(study):
        keys.setdefault(_name(key), []).append(key)
    units = {name: [evaluate.path(study, key) for key in own] for name, own in keys.items()}
    entries = [
        entry
        for name, paths in folder.whole("evaluated runs", units).items()
        for entry in zip(keys[name], paths, strict=True)
    ]
    return collect.collect_evaluations(entries).to_pandas() if entries else None


def _metrics(study: Study, folder: _Folder) -> pd.DataFrame | None:
    entries = []
    for parts in evaluate.metrics(study):
        found = [folder.there(path) for _, path in parts]
        if all(found):
            entries += [(keys, path[0]) for (keys, _), path in zip(parts, found, strict=True)]
    return collect.collect_metrics(entries).to_pandas() if entries else None


def _make(
    kind: str, configured: Mapping[str, Any], inputs: Inputs, made: Path, folder: _Folder
) -> list[Path]:
    """Make what can be made of the configured tables or figures, and note what cannot."""
    suffixes = report.SUFFIXES[kind]
    target = made / kind
    target.mkdir()
    done, lacking = [], []
    for name, options in configured.items():
        paths = {key: target / f"{name}.{suffix}" for key, suffix in suffixes.items()}
        make = making.make_table if kind == "tables" else making.draw_figure
        try:
            make(name, inputs, options, paths)
            done.append(paths["tsv" if kind == "tables" else "png"])
        except InputError as error:
            lacking.append(f"{name}: {str(error).split('. ')[0][:SHOWN]}")
        except (LookupError, ValueError, AttributeError) as error:
            # A plug-in may count on results that a whole study has; the page must not fall with it.
            said = " ".join(f"{type(error).__name__}: {error}".split())[:SHOWN]
            lacking.append(f"{name}: not to be made from what there is ({said})")
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

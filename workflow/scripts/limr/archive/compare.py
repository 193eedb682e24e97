"""Two studies side by side: what differs between them, and which numbers moved."""

from __future__ import annotations

import ast
import contextlib
import math
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pandas as pd

from limr.analysis import contrasts, results
from limr.analysis.results import Inputs
from limr.archive import RECORD, differences, documents, tables, unpack
from limr.archive import code as coding
from limr.core import files
from limr.core.errors import InputError
from limr.evaluate.collect import COLLECTED_EVALUATIONS
from limr.statistics import estimates
from limr.statistics.intervals import Interval
from limr.study import files as contents

Json = dict[str, Any]
LEVEL = 0.95


@dataclass(frozen=True)
class Side:
    """One of the two: `root` has the code, `results` the files; `config` where it is known."""

    name: str
    root: Path
    results: Path
    config: Json | None
    record: Json | None


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Side]:
    """Yield an archive, unpacked for the time of the block, or a folder `results/{study}`.

    Raises:
        InputError: it is neither, or holds no study.
    """
    if path.is_dir():
        root = path.resolve().parents[1]
        yield Side(str(path), root, path, _config_of_folder(path, root), None)
        return
    with tempfile.TemporaryDirectory(prefix="limr-compare-") as scratch:
        folder = Path(scratch)
        unpack.extract(path, unpack.check(path), folder)
        record = documents.read_json(folder / RECORD)
        name = record.get("study") if isinstance(record, dict) else None
        if not isinstance(name, str) or not (folder / "results" / name).is_dir():
            raise InputError(f"{path}: there is no study in it.")
        config = documents.read_yaml(folder / "results" / name / "study.yaml")
        yield Side(str(path), folder, folder / "results" / name, config, record)


def _config_of_folder(path: Path, root: Path) -> Json | None:
    """Return the configuration beside results, or the one in Snakemake's record of the report."""
    if (path / "study.yaml").is_file():
        return documents.read_yaml(path / "study.yaml")
    at = root / contents.metadata_path(f"results/{path.name}/report.html")
    if not at.is_file():
        return None
    for text in documents.read_json(at).get("params", ()):
        with contextlib.suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            value = ast.literal_eval(text)
            if isinstance(value, dict) and isinstance(value.get("config"), dict):
                found: Json = value["config"]
                return found
    return None


def compare(first: Side, second: Side) -> Json:
    """Return what differs: `configuration`, `data`, `code`, `subsets` and `numbers`.

    In `numbers` a row is an arm at its last evaluated step, all its benchmarks alike, whatever
    the studies declared: `first` and `second` are [mean, low,
    high], `difference` is second - first with its interval (paired by question where both were
    asked the same), `moved` says whether that excludes 0.
    """
    return {
        "first": first.name,
        "second": second.name,
        "configuration": _configuration(first, second),
        "data": _mapping(_data(first), _data(second)),
        "code": _mapping(_code(first), _code(second)),
        "subsets": _subsets(first, second),
        "numbers": _numbers(first, second),
    }


def _configuration(first: Side, second: Side) -> list[Json] | None:
    if first.config is None or second.config is None:
        return None
    ours, theirs = (
        {key: value for key, value in config.items() if key != "archive"}
        for config in (first.config, second.config)
    )
    return [
        {"key": found.field, "first": found.expected, "second": found.found}
        for found in differences.of_values(ours, theirs, tolerance=0.0)
    ]


def _mapping(first: Mapping[str, str], second: Mapping[str, str]) -> list[Json]:
    names = sorted({*first, *second})
    return [
        {"name": name, "first": first.get(name), "second": second.get(name)}
        for name in names
        if first.get(name) != second.get(name)
    ]


def _data(side: Side) -> dict[str, str]:
    """Return the sha256 of every problem set, as its record says it."""
    found = {}
    for path in sorted((side.results / "problems").glob("*.json")):
        digest = documents.read_json(path).get("sha256")
        found[f"problems/{path.stem}"] = str(digest)
    return found


def _code(side: Side) -> dict[str, str]:
    """Return the sha256 of every Python file and lock, and the commit."""
    found = {f"workflow/{k}": v for k, v in coding.module_digests(side.root).items()}
    locks = sorted((side.root / "envs").glob("*.lock"))
    found |= {f"envs/{path.name}": files.sha256(path) for path in locks}
    if side.record is not None:
        found["commit"] = str(side.record["code"]["commit"])
    elif (side.root / ".git").exists():
        found["commit"] = coding.state(side.root)
    return found


def _subsets(first: Side, second: Side) -> list[Json]:
    found = []
    for arm in sorted({*_ids(first), *_ids(second)}):
        ours, theirs = _ids(first).get(arm), _ids(second).get(arm)
        both = len(ours & theirs) if ours is not None and theirs is not None else None
        if ours != theirs:
            found.append(
                {
                    "arm": arm,
                    "first": None if ours is None else len(ours),
                    "second": None if theirs is None else len(theirs),
                    "shared": both,
                }
            )
    return found


def _ids(side: Side) -> dict[str, set[str]]:
    """Return arm -> ids of its problems, also where the texts are left out."""
    found = {}
    for folder in (side.root / "provenance/ids/subsets", side.results / "subsets"):
        for path in sorted(folder.glob("*.jsonl")):
            found[path.stem] = {str(row["problem_id"]) for row in files.read_jsonl(path)}
    return found


# --- numbers -------------------------------------------------------------------------------------


def _numbers(first: Side, second: Side) -> list[Json]:
    sides = [_inputs(first), _inputs(second)]
    if sides[0] is None and sides[1] is None:
        return []
    names: list[str] = []
    for side in sides:
        names += [g.name for g in results.evaluated_groups(side)] if side is not None else []
    return [_row(name, *sides) for name in dict.fromkeys(names)]


def _inputs(side: Side) -> Inputs | None:
    path = side.results / "collected/evaluations.parquet"
    if not path.is_file():
        return None
    why = tables.why_not(path)
    if why:
        raise InputError(f"{path}: {why}.")
    frame = files.read_parquet(path, COLLECTED_EVALUATIONS).to_pandas()
    arms = frame.drop_duplicates("arm")
    study = {
        "arms": [
            {"name": a, "group": g, "title": g, "train": t}
            for a, g, t in zip(arms["arm"], arms["group"], arms["train"], strict=True)
        ],
        "benchmarks": [{"name": n, "title": n} for n in frame["benchmark"].unique()],
    }
    return Inputs(study, evaluations=frame)


def _row(group: str, first: Inputs | None, second: Inputs | None) -> Json:
    frames = [_frames(side, group) for side in (first, second)]
    intervals = [_interval(frame) for frame in frames]
    row: Json = {"arm": group, "first": _listed(intervals[0]), "second": _listed(intervals[1])}
    for key, side, found in zip(("first_of", "second_of"), (first, second), intervals, strict=True):
        row[key] = _basis(side, group, found)
    if frames[0] is None or frames[1] is None or intervals[0] is None or intervals[1] is None:
        return {**row, "difference": None, "paired": None, "moved": None}
    gap = _paired(frames[0], frames[1])
    paired = gap is not None
    if gap is None:
        gap = _unpaired(intervals[0], intervals[1])
    return {**row, "difference": _listed(gap), "paired": paired, "moved": gap.excludes_zero}


def _basis(inputs: Inputs | None, group: str, found: Interval | None) -> Json | None:
    """Return what a number was taken over: the step, runs and questions."""
    if inputs is None or found is None:
        return None
    step = results.final_step(inputs, group)
    return {"step": step, "runs": found.n_runs, "questions": found.n_questions}


def _frames(inputs: Inputs | None, group: str) -> dict[str, pd.DataFrame] | None:
    if inputs is None or group not in {g.name for g in results.evaluated_groups(inputs)}:
        return None
    return results.headline_frames(inputs, group)


def _interval(frames: Mapping[str, pd.DataFrame] | None) -> Interval | None:
    if frames is None:
        return None
    return estimates.of_mean(contrasts.as_arm(frames)).interval(LEVEL)


def _paired(
    first: Mapping[str, pd.DataFrame], second: Mapping[str, pd.DataFrame]
) -> Interval | None:
    """Return second - first over the same questions, None where they are not the same."""
    if {k: set(v.columns) for k, v in first.items()} != {
        k: set(v.columns) for k, v in second.items()
    }:
        return None
    same = {name: first[name][list(wide.columns)] for name, wide in second.items()}
    found = estimates.of_difference(contrasts.as_arm(second), contrasts.as_arm(same))
    return found.interval(LEVEL)


def _unpaired(first: Interval, second: Interval) -> Interval:
    """Return second - first of independent samples, by the normal approximation."""
    error = math.hypot(first.standard_error, second.standard_error)
    half = NormalDist().inv_cdf(0.5 + LEVEL / 2) * error
    mean = second.mean - first.mean
    return Interval(
        mean,
        mean - half,
        mean + half,
        error,
        min(first.n_runs, second.n_runs),
        min(first.n_questions, second.n_questions),
    )


def _listed(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.mean, interval.low, interval.high]

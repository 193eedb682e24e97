"""Checks of what cannot be recomputed: data, runs and evaluations, against all that names them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from limr.archive import IDS, differences, documents
from limr.archive import code as coding
from limr.archive.opened import Opened
from limr.core import files, provenance
from limr.core import plugins as registry
from limr.core.tables import DRAWN, EVALUATIONS, METRICS, REASONS, ROLLOUTS, VERDICTS
from limr.evaluate import collect
from limr.grading import rewards
from limr.sources.pinned import load_sources
from limr.statistics.intervals import Floats
from limr.study import files as contents
from limr.study.jobs.train import engine_options
from limr.study.study import Study

Json = dict[str, Any]
_BATCH = 1 << 18
_KNOWN = {
    "rollouts": ROLLOUTS.names,
    "metrics": [*METRICS.names, *DRAWN.names],
    "evaluation": [*EVALUATIONS.names, *REASONS.names],
}


def tables(opened: Opened) -> Iterator[str]:
    """Yield parquet files that are none, or that would unpack to more than any study has."""
    for name in sorted(opened.files):
        why = documents.table_problem(opened.folder / name) if name.endswith(".parquet") else None
        if why:
            yield f"{name}: {why}"


def columns(opened: Opened) -> Iterator[str]:
    """Yield tables that nothing recomputes and that have more than limr writes into them."""
    for name in sorted(opened.files):
        known = _KNOWN.get(str(opened.kind(name)))
        if known is not None and name.endswith(".parquet"):
            schema = pq.read_schema(opened.folder / name)
            for column in [one for one in schema.names if one not in known]:
                yield f"{name}: column {differences.shown(column)}: limr writes none of that name"
            if schema.metadata:
                yield f"{name}: it has metadata, and limr writes none"


def data(opened: Opened) -> Iterator[str]:
    """Yield pinned files and problem sets whose sha256 is not what their records say."""
    pinned = load_sources(opened.folder / "config/sources.yaml")
    said = {entry["name"]: entry for entry in opened.record["data"]}
    for name in sorted({*opened.study.files(), *said}):
        if name not in pinned:
            yield f"config/sources.yaml: {name}: it is missing"
            continue
        if name not in said:
            yield f"archive.json: data: {name} is missing"
            continue
        keys = ("url", "sha256", "bytes", "licence")
        expected = {key: getattr(pinned[name], key) for key in keys}
        found = {key: said[name].get(key) for key in expected}
        for field in differences.of_values(expected, found, tolerance=0.0):
            yield f"archive.json: data: {name}: {field}"
        path = f"{opened.results}/sources/{name}"
        digest = opened.sha256(path)
        if digest is not None and digest != pinned[name].sha256:
            yield f"{path}: sha256: expected {pinned[name].sha256}, found {digest}"
    for name in opened.study.datasets:
        yield from _recorded(opened, f"problems/{name}.json", f"problems/{name}.jsonl")
    for arm in opened.study.selected:
        yield from _recorded(opened, f"subsets/{arm}.json", f"subsets/{arm}.jsonl")


def _recorded(opened: Opened, record: str, file: str) -> Iterator[str]:
    """Yield a file whose sha256 is not the one in its record."""
    record, file = f"{opened.results}/{record}", f"{opened.results}/{file}"
    digest = opened.sha256(file)
    if opened.has(record) and digest is not None:
        expected = opened.json(record).get("sha256")
        if expected != digest:
            yield f"{file}: sha256: expected {expected} ({record}), found {digest}"


def runs(opened: Opened) -> Iterator[str]:
    """Yield where a run's record differs from the study, its problems, or the archived code."""
    config, study = opened.study.config, opened.study
    engine = config["engine"]["train"]
    options = engine_options(study, "train")
    for arm, seed in contents.runs(study):
        path = f"{opened.results}/runs/{arm}/seed{seed}/run.json"
        if not opened.has(path):
            continue
        found, about = opened.json(path), study.arms[arm]
        settings = {
            "engine": engine,
            "options": options,
            "grader": about.grader,
            "steps": list(about.steps),
            about.train: about.settings,
        }
        plugins = _modules("engines", engine)
        if about.train == "ppo":
            settings["reward"] = about.reward
            if about.start:
                settings["start"] = {**asdict(about.start), "streams": study.streams(arm)}
            plugins += _modules("rewards", about.reward["rule"])
            if about.sampler is not None:
                settings["sampler"] = about.sampler
                plugins += _modules("samplers", about.sampler["name"])
        inputs = {"problems": opened.sha256(f"{opened.results}/subsets/{arm}.jsonl")}
        if about.train == "sft":
            texts = f"{opened.results}/solutions/{study.arm_dataset(arm)}.jsonl"
            inputs["solutions"] = opened.sha256(texts)
        if about.start:  # the digest of a state, which no archive needs
            inputs["start"] = found.get("inputs_sha256", {}).get("start")
        expected: Json = {
            "settings": settings,
            "settings_sha256": provenance.digest(settings),
            "code": coding.rule_digest(opened.folder, f"train_{about.train}", plugins),
            "inputs_sha256": inputs,
        }
        there = {key: found.get(key) for key in expected}
        for field in differences.of_values(expected, there, tolerance=0.0):
            yield f"{path}: {field}"


def _modules(kind: str, name: str) -> list[str]:
    """Return a plug-in's module, and its name in archives of when plug-ins lay at the root."""
    return [registry.module_name(kind, name), f"limr.{kind}.{name}"]


def drawn(study: Study) -> list[tuple[str, int]]:
    """Return (arm, seed) of the runs that have rollouts."""
    return [(arm, seed) for arm, seed in contents.runs(study) if study.arms[arm].train == "ppo"]


def metrics_here(opened: Opened) -> list[tuple[str, int, str]]:
    """Return (arm, seed, folder) of the runs whose rollouts and metrics are archived."""
    found = [(arm, n, f"{opened.results}/runs/{arm}/seed{n}") for arm, n in drawn(opened.study)]
    return [
        run
        for run in found
        if opened.has(f"{run[2]}/rollouts.parquet", f"{run[2]}/metrics.parquet")
    ]


def metrics(opened: Opened) -> Iterator[str]:
    """Yield where a run's metrics differ from its rollouts, or its rewards from its verdicts."""
    for arm, seed, at in metrics_here(opened):
        rollouts, table = f"{at}/rollouts.parquet", f"{at}/metrics.parquet"
        counted, odd = _recomputed(opened, rollouts, arm, seed)
        if odd:
            yield f"{rollouts}: reward: {odd:,} rows have another than the rule gives"
        frame = files.read_parquet(opened.folder / table, METRICS).to_pandas().set_index("step")
        if sorted(frame.index) != sorted(counted.index):
            yield f"{table}: step: expected {len(counted)} steps, found {len(frame)}"
            continue
        for name in counted.columns:
            gap = (frame[name] - counted[name]).abs()
            # No number is near to NaN, which compares as false either way.
            near = gap <= 1e-5 * (1 + counted[name].abs())
            wrong = ~(near | (frame[name].isna() & counted[name].isna()))
            if wrong.any():
                step = int(wrong.index[wrong.to_numpy()][0])
                yield (
                    f"{table}: {name} of step {step}: expected {counted[name][step]:.6g} (from "
                    f"the rollouts), found {frame[name][step]:.6g}"
                )


def _recomputed(opened: Opened, path: str, arm: str, seed: int) -> tuple[pd.DataFrame, int]:
    """Return the metrics of rollouts by step, and how many rewards are not what the rule gives."""
    wanted = ["problem_id", "step", "sample", "reward", "verdict", "response_tokens", "truncated"]
    files.check_parquet(opened.folder / path, ROLLOUTS.names)
    sums, odd = [], 0
    for batch in pq.ParquetFile(opened.folder / path).iter_batches(_BATCH, columns=wanted):
        frame = batch.to_pandas().astype({"verdict": str})
        due = _due(frame, opened.study.arms[arm].reward, opened.study.streams(arm), seed)
        odd += int((~(np.abs(frame["reward"] - due) < 1e-6)).sum())
        numbers = {
            "step": frame["step"],
            "n": np.ones(len(frame)),
            "mean_reward": frame["reward"],
            "accuracy": frame["verdict"] == "correct",
            "malformed": frame["verdict"] == "malformed",
            "truncated": frame["truncated"],
            "response_tokens": frame["response_tokens"],
        }
        sums.append(pd.DataFrame(numbers).astype(float).groupby("step").sum())
    total = pd.concat(sums).groupby(level="step").sum()
    return total.drop(columns="n").div(total["n"], axis=0), odd


def _due(frame: pd.DataFrame, settings: Json, arm: str, seed: int) -> Floats:
    """Return (n_rows,) the rewards that the arm's rule gives; NaN for a verdict that is none."""
    pay = {int(n): rewards.reward_function(settings, seed, arm, int(n)) for n in set(frame["step"])}
    columns = (frame[name] for name in ("step", "problem_id", "sample", "verdict"))
    return np.array(
        [
            pay[step](problem_id, sample, verdict) if verdict in VERDICTS else np.nan
            for step, problem_id, sample, verdict in zip(*columns, strict=True)
        ]
    )


def responses(opened: Opened) -> Iterator[str]:
    """Yield tables that are said to be without responses and may not be, or are not."""
    kept = opened.record["settings"]["responses"]
    for path in sorted({*opened.files, *opened.record["without_responses"]}):
        kind = opened.kind(path)
        told = path in opened.record["without_responses"]
        if told and kept:
            yield f"{path}: it is said to be without responses, and the study keeps them"
        elif told and (path not in opened.files or kind not in contents.WITH_RESPONSES):
            yield f"{path}: it is said to be without responses, and is no table of them here"
        elif kind in contents.WITH_RESPONSES and not kept:
            full = pq.ParquetFile(opened.folder / path).iter_batches(_BATCH, columns=["response"])
            n = sum(batch.num_rows - batch.column(0).null_count for batch in full)
            if n or not told:
                yield f"{path}: response: the study leaves them out, found {n:,} (said: {told})"


def evaluations_here(opened: Opened) -> dict[str, tuple[int, int, str]]:
    """Return path without suffix -> (seed, step, benchmark) of the archived evaluations."""
    found = {
        f"{opened.results}/evals/{arm}/seed{seed}/step{step}/{benchmark}": (seed, step, benchmark)
        for arm, seed, step, benchmark in contents.evaluations(opened.study)
    }
    return {at: about for at, about in found.items() if opened.has(f"{at}.json", f"{at}.parquet")}


def evaluations(opened: Opened) -> Iterator[str]:
    """Yield where an evaluation differs from its summary, its problems, or the study."""
    for at, (seed, step, benchmark) in evaluations_here(opened).items():
        found = opened.json(f"{at}.json")
        table = files.read_parquet(opened.folder / f"{at}.parquet", EVALUATIONS, newer=REASONS)
        expected = {
            "step": step,
            "seed": seed,
            "benchmark": benchmark,
            "settings": found.get("settings"),
            "sha256": opened.sha256(f"{at}.parquet"),
            "grader_version": found.get("grader_version"),
            **collect.summarise_evaluation(table),
        }
        settings = opened.study.benchmarks[benchmark]
        asked = differences.of_values(settings, found.get("settings"), "settings", tolerance=0.0)
        for field in chain(asked, differences.of_values(expected, found)):
            yield f"{at}.json: {field}"
        for text in _asked(table, _ids(opened, benchmark), settings):
            yield f"{at}.parquet: {text}"


def _ids(opened: Opened, benchmark: str) -> list[str] | None:
    """Return the ids of a benchmark's problems, also where their texts are left out."""
    for folder in (opened.results, IDS):
        path = f"{folder}/problems/{benchmark}.jsonl"
        if opened.has(path):
            return [str(row["problem_id"]) for row in files.read_jsonl(opened.folder / path)]
    return None


def _asked(table: pa.Table, ids: list[str] | None, settings: Json) -> Iterator[str]:
    """Yield a row that is missing or too many: one is due per decoding, problem and sample."""
    samples = {entry["name"]: range(entry["samples"]) for entry in settings["decodings"]}
    columns = [table[name].to_pylist() for name in ("decoding", "problem_id", "sample")]
    found = Counter(zip(*columns, strict=True))
    problems = set(columns[1] if ids is None else ids)
    due = ((name, id_, n) for name in samples for id_ in problems for n in samples[name])
    missing = next((row for row in due if row not in found), None)
    wrong = next(
        (
            row
            for row, n in found.items()
            if n > 1 or row[1] not in problems or row[2] not in samples.get(row[0], ())
        ),
        None,
    )
    for row, what in ((missing, "is missing"), (wrong, "is not asked for, or appears twice")):
        if row is not None:
            yield f"the row of '{row[0]}', problem '{row[1]}', sample {row[2]} {what}"

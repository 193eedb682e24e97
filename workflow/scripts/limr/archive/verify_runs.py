"""Checks of what cannot be made again: data, runs, evaluations, against all that speaks of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from limr.archive import IDS, differences, documents
from limr.archive import code as coding
from limr.archive import tables as bounds
from limr.archive.opened import Opened
from limr.core import files
from limr.core import plugins as registry
from limr.core.errors import InputError
from limr.core.tables import EVALUATIONS, METRICS, ROLLOUTS, VERDICTS
from limr.evaluate import collect
from limr.grading import rewards
from limr.models.interface import split_options
from limr.sources.pinned import load_sources
from limr.statistics.intervals import Floats
from limr.study import files as contents
from limr.study.study import Study

Json = dict[str, Any]
_BATCH = 1 << 18


def tables(opened: Opened) -> Iterator[str]:
    """Yield parquet files that are none, or that would unpack to more than any study has."""
    for name in sorted(opened.files):
        if not name.endswith(".parquet"):
            continue
        why = bounds.why_not(opened.folder / name)
        if why:
            yield f"{name}: {why}"


def documents_are_plain(opened: Opened) -> Iterator[str]:
    """Yield configuration files that are not plain YAML."""
    for name in sorted(opened.files):
        if name.startswith("config/") and name.endswith((".yaml", ".yml")):
            try:
                documents.read_yaml(opened.folder / name)
            except InputError as error:
                yield str(error).replace(f"{opened.folder}/", "")


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
        expected = {
            key: getattr(pinned[name], key) for key in ("url", "sha256", "bytes", "licence")
        }
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
    for arm, seed in contents.runs(study):
        path = f"{opened.results}/runs/{arm}/seed{seed}/run.json"
        if not opened.has(path):
            continue
        found, about = opened.json(path), study.arms[arm]
        train = about.train
        engine = config["engine"]["train"]
        free = getattr(registry.load("engines", engine), "NOT_IN_DIGEST", ())
        options, _ = split_options(config["engines"].get(engine, {}), free)
        settings = {
            "engine": engine,
            "options": options,
            "grader": about.grader,
            "steps": list(about.steps),
            train: about.settings,
        }
        plugins = [registry.module_name("engines", engine)]
        if train == "ppo":
            settings["reward"] = about.reward
            plugins.append(registry.module_name("rewards", about.reward["rule"]))
        inputs = {"problems": opened.sha256(f"{opened.results}/subsets/{arm}.jsonl")}
        if train == "sft":
            texts = f"{opened.results}/solutions/{study.arm_dataset(arm)}.jsonl"
            inputs["solutions"] = opened.sha256(texts)
        expected: Json = {
            "settings": settings,
            "code": coding.rule_digest(opened.folder, f"train_{train}", plugins),
            "inputs_sha256": inputs,
        }
        there = {key: found.get(key) for key in expected}
        for field in differences.of_values(expected, there, tolerance=0.0):
            yield f"{path}: {field}"


def drawn(study: Study) -> list[tuple[str, int]]:
    """Return (arm, seed) of the runs that have rollouts."""
    return [(arm, seed) for arm, seed in contents.runs(study) if study.arms[arm].train == "ppo"]


def metrics(opened: Opened, done: list[str]) -> Iterator[str]:
    """Yield where a run's metrics differ from its rollouts, or its rewards from its verdicts.

    Args:
        opened: the archive.
        done: gains the tables that were checked.
    """
    for arm, seed in drawn(opened.study):
        at = f"{opened.results}/runs/{arm}/seed{seed}"
        rollouts, table = f"{at}/rollouts.parquet", f"{at}/metrics.parquet"
        if not opened.has(rollouts, table):
            continue
        done.append(table)
        counted, odd = _counted(opened, rollouts, arm, seed)
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


def _counted(opened: Opened, path: str, arm: str, seed: int) -> tuple[pd.DataFrame, int]:
    """Return means of the rollouts by step, and how many rewards are not what the rule gives."""
    wanted = ["problem_id", "step", "sample", "reward", "verdict", "response_tokens", "truncated"]
    files.check_parquet(opened.folder / path, ROLLOUTS.names)
    sums, odd = [], 0
    for batch in pq.ParquetFile(opened.folder / path).iter_batches(_BATCH, columns=wanted):
        frame = batch.to_pandas()
        verdict = frame["verdict"].astype(str)
        due = _due(frame, verdict, opened.study.arms[arm].reward, arm, seed)
        odd += int((~((due - frame["reward"].astype(float)).abs() < 1e-6)).sum())
        part = pd.DataFrame(
            {
                "step": frame["step"],
                "n": 1.0,
                "mean_reward": frame["reward"].astype(float),
                "accuracy": (verdict == "correct").astype(float),
                "malformed": (verdict == "malformed").astype(float),
                "truncated": frame["truncated"].astype(float),
                "response_tokens": frame["response_tokens"].astype(float),
            }
        )
        sums.append(part.groupby("step").sum())
    total = pd.concat(sums).groupby("step").sum()
    return total.drop(columns="n").div(total["n"], axis=0), odd


def _due(frame: pd.DataFrame, verdicts: pd.Series, settings: Json, arm: str, seed: int) -> Floats:
    """Return (n_rows,) the rewards that the arm's rule gives; NaN for a verdict that is none."""
    due = np.full(len(frame), np.nan)
    numbered = frame.assign(verdict=verdicts).reset_index(drop=True)
    for _, part in numbered.groupby("step", sort=False):
        pay = rewards.reward_function(settings, seed, arm, int(part["step"].iloc[0]))
        rows = zip(part.index, part["problem_id"], part["sample"], part["verdict"], strict=True)
        for row, problem_id, sample, verdict in rows:
            if verdict in VERDICTS:
                due[row] = pay(problem_id, sample, verdict)
    return due


def responses(opened: Opened) -> Iterator[str]:
    """Yield tables that are said to be without responses and may not be, or are not."""
    kept = opened.record["settings"]["responses"]
    for path in sorted({*opened.files, *opened.record["without_responses"]}):
        inside = path.removeprefix(f"{opened.results}/")
        kind = contents.kind(opened.study, inside) if inside != path else None
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


def evaluations(opened: Opened, done: list[str]) -> Iterator[str]:
    """Yield where an evaluation differs from its summary, its problems, or the study.

    Args:
        opened: the archive.
        done: gains the summaries that were checked.
    """
    study = opened.study
    for arm, seed, step, benchmark in contents.evaluations(study):
        at = f"{opened.results}/evals/{arm}/seed{seed}/step{step}/{benchmark}"
        if not opened.has(f"{at}.json", f"{at}.parquet"):
            continue
        done.append(f"{at}.json")
        found = opened.json(f"{at}.json")
        table = files.read_parquet(opened.folder / f"{at}.parquet", EVALUATIONS)
        expected = {
            "step": step,
            "seed": seed,
            "benchmark": benchmark,
            "settings": found.get("settings"),
            "sha256": opened.sha256(f"{at}.parquet"),
            "grader_version": found.get("grader_version"),
            **collect.summarise_evaluation(table),
        }
        settings = study.benchmarks[benchmark]
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
    """Yield where an evaluation's rows are not one a decoding, problem of the benchmark, sample."""
    rows = table.select(["decoding", "problem_id", "sample"]).to_pandas()
    samples = {entry["name"]: entry["samples"] for entry in settings["decodings"]}
    parts = rows.groupby("decoding", sort=False, dropna=False)
    by_decoding = {str(name): part for name, part in parts}
    if sorted(by_decoding) != sorted(samples):
        yield f"decoding: expected {sorted(samples)}, found {sorted(by_decoding)}"
        return
    for name, part in by_decoding.items():
        asked = part.groupby("problem_id", sort=False, dropna=False)["sample"].apply(sorted)
        if ids is not None and set(asked.index) != set(ids):
            odd = sorted(map(str, set(asked.index) ^ set(ids)))
            expected = f"the {len(set(ids))} of the benchmark"
            yield f"problem_id of '{name}': expected {expected}, {len(odd)} differ: '{odd[0]}'"
        due = list(range(samples[name]))
        wrong = asked[asked.map(lambda found, due=due: found != due)]
        if len(wrong):
            yield (
                f"sample of '{name}', '{wrong.index[0]}': expected {due[:9]}, "
                f"found {wrong.iloc[0][:9]} ({len(wrong)} problems)"
            )

"""Checks by making again: learning curves, scores, subsets, tables, figures, the report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from limr.archive import build, derive, differences, documents, ids_of, sharing
from limr.archive.opened import Opened
from limr.core import files
from limr.core.errors import InputError
from limr.core.tables import AUDITS
from limr.study.jobs import plan, report
from limr.study.jobs.job import Job
from limr.study.study import Study

# Another version of the drawing library writes other bytes; then their data alone is compared.
PICTURES = (".png", ".pdf", ".svg")
LEFT_OUT = "(left out)"
# Rules that make nothing of problems without texts.
TEXTS_ONLY = ("prepare_problems", "audit_answers", "cross_check", "measure_overlap")


# What a verifier does not compute again: downloads, training and generation.
_NOT_RECOMPUTED = (
    "fetch_source", "preflight", "make_base", "sample_base", "train_ppo", "train_sft", "evaluate",
)  # fmt: skip
_LABELS = {
    "prepare_problems": "problems",
    "prepare_solutions": "problems",
    "audit_answers": "audits",
    "import_trajectories": "learning curves",
    "import_scores": "learning curves",
    "score_problems": "scores",
    "select_subset": "subsets",
    "diagnose_scores": "diagnostics",
    "collect_evaluations": "collected tables",
    "collect_metrics": "collected tables",
    "cross_check": "second opinions",
    "measure_overlap": "overlaps",
    "make_tables": "tables",
    "draw_figures": "figures",
    "make_report": "report",
}


def recomputed(opened: Opened) -> dict[str, list[Job]]:
    """Return the jobs whose outputs are recomputed, by what a verifier calls them, in order."""
    found: dict[str, list[Job]] = {label: [] for label in _LABELS.values()}
    for job in plan.jobs(opened.study, opened.folder):
        if job.script not in _NOT_RECOMPUTED:
            jobs = found.setdefault(_LABELS.get(job.rule, job.rule), [])
            jobs += report.apart(opened.study, job)
    return found


def stand_in(opened: Opened, made: list[str]) -> Iterator[str]:
    """Write problems and audits that were left out, with ids, levels and findings but no texts.

    Scores and subsets need no more. `made` gains the paths; those of subsets are not among them,
    since they are recomputed. Yields what is wrong with the ids.
    """
    for name in opened.study.datasets:
        for inside, write in (
            (f"problems/{name}.jsonl", _problems),
            (f"audits/{name}.parquet", _audit),
        ):
            path, ids = f"{opened.results}/{inside}", ids_of(inside)
            if opened.has(path) or not opened.has(ids):
                continue
            rows = files.read_jsonl(opened.folder / ids)
            wrong = [
                n for n, row in enumerate(rows, 1) if not isinstance(row.get("problem_id"), str)
            ]
            if wrong:
                yield f"{ids}:{wrong[0]}: 'problem_id' must be a text"
                continue
            write(opened.folder / path, rows)
            made.append(path)


def _problems(path: Path, rows: list[dict[str, Any]]) -> None:
    texts = dict.fromkeys(("prompt", "answer", "source"), LEFT_OUT)
    kept = [(row["problem_id"], row.get("level")) for row in rows]
    files.write_jsonl(path, [{"problem_id": name, **texts, "level": level} for name, level in kept])


def _audit(path: Path, rows: list[dict[str, Any]]) -> None:
    texts = dict.fromkeys(("answer", "detail"), LEFT_OUT)
    files.write_parquet(path, pa.Table.from_pylist([{**row, **texts} for row in rows], AUDITS))


def shows_texts(study: Study) -> set[str]:
    """Return the outputs of tables that show texts of problems."""
    names = [name for name in study.config["tables"] if sharing.shows_texts(name)]
    return {
        study.paths.table(name, end) for name in names for end in report.SUFFIXES["tables"].values()
    }


@dataclass(frozen=True)
class Todo:
    """A job that is run again.

    Attributes:
        job: the job.
        outputs: those that are archived.
        texts_left_out: whether its problems have ids and no texts.
    """

    job: Job
    outputs: tuple[str, ...]
    texts_left_out: bool


def todo(
    opened: Opened, found: Iterable[Job], stand_ins: Sequence[str]
) -> tuple[list[Todo], list[str]]:
    """Return the jobs to run again, and the outputs that cannot be: an input is left out.

    Args:
        opened: the archive.
        found: the jobs.
        stand_ins: problems without texts.
    """
    shown, wanted, skipped = shows_texts(opened.study), [], []
    for job in found:
        outputs = [path for path in job.outputs if opened.has(path) and path not in stand_ins]
        if not outputs:
            continue
        lacking = [path for path in job.inputs if not documents.within(opened.folder, path)]
        if job.script == "cross_check":  # judges responses, which may be left out
            lacking += [path for path in job.inputs if path in opened.record["without_responses"]]
        texts_only = job.script in TEXTS_ONLY or not shown.isdisjoint(job.outputs)
        without = bool(set(job.inputs) & set(stand_ins))
        if lacking or (texts_only and without):
            skipped += outputs
        else:
            texts_left_out = without and job.script == "select_subset"
            wanted.append(Todo(job, tuple(outputs), texts_left_out))
    return wanted, skipped


def faults(opened: Opened, one: Todo, scratch: Path) -> Iterator[str]:
    """Make the archived outputs of a job again, in a folder of `scratch`; yield what differs."""
    try:
        with derive.made_again(one.job, opened.folder, scratch) as again:
            for path in one.outputs:
                both = (again / path, opened.folder / path)
                yield from _compared(opened, path, *both, one.texts_left_out)
    except InputError as error:
        yield f"{', '.join(one.outputs)}: they cannot be made again: {error}"


def _compared(
    opened: Opened, path: str, again: Path, archived: Path, texts_left_out: bool
) -> Iterator[str]:
    if again.read_bytes() == archived.read_bytes():
        return
    if path.endswith(".parquet"):
        found = _of_parquet(again, archived)
    elif path.endswith(".json"):
        found = _of_records(opened, path, again, archived, texts_left_out)
    elif path.endswith(PICTURES):
        if opened.record.get("matplotlib") == build.version("matplotlib"):
            yield f"{path}: the picture is not the one that its data gives"
        return
    else:
        expected, there = (
            p.read_text(encoding="utf-8", errors="replace") for p in (again, archived)
        )
        found = differences.of_cells(expected, there)
    for difference in found:
        yield f"{path}: {difference}"


def _of_parquet(again: Path, archived: Path) -> Iterator[differences.Difference]:
    expected = pq.read_table(again)
    schema = pq.read_schema(archived)
    if schema.names != expected.schema.names:
        yield differences.Difference("columns", str(expected.schema.names), str(schema.names))
        return
    keys = (
        "arm", "seed", "step", "benchmark", "decoding", "scope", "trained_on", "words",
        "problem_id", "epoch",
    )  # fmt: skip
    found = pq.read_table(archived)
    yield from differences.of_tables(expected, found, [k for k in keys if k in schema.names])


def _of_records(
    opened: Opened, path: str, again: Path, archived: Path, texts_left_out: bool
) -> Iterator[differences.Difference]:
    expected, found = json.loads(again.read_bytes()), json.loads(archived.read_bytes())
    if texts_left_out and isinstance(expected, dict):
        expected["sha256"] = opened.sha256(path.removesuffix(".json") + ".jsonl")
    if isinstance(expected, dict) and "source_sha256" in expected:
        # Of files as they were when the study ran, responses included.
        expected["source_sha256"] = _sources(opened, expected["source_sha256"], found)
    yield from differences.of_values(expected, found)


def _sources(opened: Opened, again: dict[str, str], found: Any) -> dict[str, str]:
    altered = opened.record["without_responses"]
    digests = {opened.files[path][1]: about["sha256"] for path, about in altered.items()}
    return {name: digests.get(digest, digest) for name, digest in again.items()}


def subset_ids(opened: Opened, scratch: Path, stand_ins: list[str]) -> Iterator[str]:
    """Yield where the ids of subsets that were left out differ from the recomputed ones."""
    for job in plan.jobs(opened.study, opened.folder):
        if job.rule != "select_subset":
            continue
        path, record = job.outputs
        ids = ids_of(path.removeprefix(f"{opened.results}/"))
        inputs_there = all(documents.within(opened.folder, name) for name in job.inputs)
        if opened.has(path) or not opened.has(ids) or not inputs_there:
            continue
        said = files.read_jsonl(opened.folder / ids)
        aside = opened.folder / record
        kept = aside.read_bytes() if aside.is_file() else None
        try:
            derive.run(job, opened.folder, scratch / "job.log")
            again = files.read_jsonl(opened.folder / path)
        finally:
            (opened.folder / path).unlink(missing_ok=True)
            if kept is not None:
                aside.write_bytes(kept)
        keys = [key for key in ("problem_id", "score") if not said or key in said[0]]
        expected = [{key: row[key] for key in keys} for row in again]
        for found in differences.of_values(expected, [{k: r.get(k) for k in keys} for r in said]):
            yield f"{ids}: {found}"

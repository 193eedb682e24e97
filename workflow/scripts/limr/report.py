"""report.html: one page with everything in it, that needs no network and no other file."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import yaml

from limr import findings, io, presentation, registry
from limr.figures import _style
from limr.findings import headline
from limr.results import Inputs

__all__ = ["TEMPLATE", "Parts", "build_report", "headline"]

TEMPLATE = Path(__file__).parents[2] / "report" / "report.html.j2"

Json = dict[str, Any]
_NUMBER = re.compile(r"[−-]?[\d,]+(\.\d+)?|–")


@dataclass(frozen=True)
class Parts:
    """What the page shows beside what is computed for it.

    Attributes:
        config: the study's configuration, shown in full.
        tables: `tables/{table}.tsv`, in the order to show them.
        figures: `figures/{figure}.png`, each with its caption in `.txt` beside it, and linked to
            its `.pdf` and `.tsv`.
        runs: ({arm, seed}, run.json) of every training run.
        notes: records of imported trajectories and scores, whose `notes` are shown.
        template: the page.
    """

    config: Mapping[str, Any]
    tables: Sequence[Path | str] = ()
    figures: Sequence[Path | str] = ()
    runs: Sequence[tuple[Mapping[str, Any], Path | str]] = ()
    notes: Sequence[Path | str] = ()
    template: Path | str = TEMPLATE


def build_report(inputs: Inputs, parts: Parts, output: Path | str) -> None:
    """Write report.html.

    Raises:
        InputError: a file is missing or not what it should be.
    """
    folder = Path(output).parent
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["is_number"] = lambda text: bool(_NUMBER.fullmatch(str(text)))
    arms = [arm for arm in inputs.study["arms"] if arm["name"] in inputs.subsets]
    page = environment.from_string(Path(parts.template).read_text(encoding="utf-8")).render(
        study=inputs.study,
        facts=_facts(inputs),
        sentences=findings.sentences(inputs),
        forest=_forest(inputs),
        warnings=findings.warnings(inputs),
        caveats=findings.caveats(inputs, parts.config),
        tables=[_table(Path(path), folder) for path in parts.tables],
        figures=[_figure(Path(path), folder) for path in parts.figures],
        subsets=[_subset(arm, inputs) for arm in arms],
        notes=[(Path(path).stem, io.read_json(path).get("notes", [])) for path in parts.notes],
        runs=[_run(keys, io.read_json(path)) for keys, path in parts.runs],
        config=yaml.safe_dump(dict(parts.config), sort_keys=False, allow_unicode=True, width=100),
    )
    io.write_text(output, page)


def _facts(inputs: Inputs) -> list[tuple[str, str]]:
    """Return the numbers under the title: (number, what it counts)."""
    facts = []
    sizes = {record["n_problems"] for record in inputs.subsets.values()}
    if sizes:
        facts.append((f"{max(sizes):,}", "problems"))
    facts.append((str(len(inputs.groups)), "arms"))
    if inputs.evaluations is not None:
        frame = inputs.evaluations
        questions = frame.drop_duplicates(["benchmark", "problem_id"]).shape[0]
        facts += [
            (str(len(inputs.study["seeds"])), "seeds"),
            (str(frame["benchmark"].nunique()), "benchmarks"),
            (f"{questions:,}", "held-out questions"),
            (f"{int(frame['n'].sum()):,}", "graded responses"),
        ]
    elif inputs.subsets:
        scored = min(record["n_scored"] for record in inputs.subsets.values())
        facts.append((f"{scored:,}", "problems with a score"))
    return facts


def _forest(inputs: Inputs) -> list[Json]:
    """Return the rows of the chart of means and intervals: places in percent of its width."""
    arms = findings.arm_results(inputs)
    if not arms:
        return []
    low = min(arm.interval.low for arm in arms)
    high = max(arm.interval.high for arm in arms)
    span = max(high - low, 0.01)
    start, width = low - 0.05 * span, 1.1 * span
    colours = _style.colours(inputs)

    def place(value: float) -> float:
        return round(100 * (value - start) / width, 2)

    return [
        {
            "title": arm.group.title,
            "detail": f"{arm.problems:,} problems" if arm.problems else "untrained",
            "runs": f"{arm.interval.n_runs} run{'s' if arm.interval.n_runs > 1 else ''}",
            "text": findings.percent(arm.interval),
            "colour": colours[arm.group.name],
            "low": place(arm.interval.low),
            "mean": place(arm.interval.mean),
            "high": place(arm.interval.high),
        }
        for arm in arms
    ]


def _table(tsv: Path, folder: Path) -> Json:
    frame, title, caption = presentation.read_texts(tsv.stem, tsv)
    return {
        "title": title,
        "caption": caption,
        "columns": list(frame.columns),
        "rows": frame.to_numpy().tolist(),
        "data": os.path.relpath(tsv, folder),
    }


def _figure(png: Path, folder: Path) -> Json:
    title = str(registry.load("figures", png.stem).TITLE)
    caption = png.with_suffix(".txt").read_text(encoding="utf-8").strip()
    return {
        "title": title,
        "caption": caption.removeprefix(f"{title}. "),
        "image": base64.b64encode(png.read_bytes()).decode(),
        "pdf": os.path.relpath(png.with_suffix(".pdf"), folder),
        "data": os.path.relpath(png.with_suffix(".tsv"), folder),
    }


def _subset(arm: Mapping[str, Any], inputs: Inputs) -> Json:
    record = inputs.subsets[arm["name"]]
    return {
        **record,
        "name": arm["name"],
        "title": arm["title"],
        "cut": findings.cut_text(record),
        "colour": _style.colours(inputs)[arm["group"]],
    }


def _run(keys: Mapping[str, Any], record: Mapping[str, Any]) -> Json:
    hardware = record.get("hardware", {})
    versions = record.get("versions", {})
    return {
        "arm": keys["arm"],
        "seed": keys["seed"],
        "seconds": record.get("durations", {}).get("steps_seconds"),
        "attempts": record.get("attempts"),
        "hardware": f"{hardware.get('name', 'unknown')}, {hardware.get('threads', '?')} thread(s)",
        "commit": record.get("commit") or "not in git",
        "code": record.get("code", ""),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }

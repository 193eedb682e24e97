"""report.html: one self-contained page, which needs no network and no other file."""

from __future__ import annotations

import base64
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from limr.analysis import answers as answering
from limr.analysis import break_even, cells, choices, findings, results, run_costs, sensitivity
from limr.analysis.results import Inputs
from limr.core import files, plugins, provenance
from limr.report import (
    accuracy_chart,
    caveats,
    inline_svg,
    interval_charts,
    map_section,
    problem_browser,
    question_browser,
    table_text,
    template,
)
from limr.report.figures import _style
from limr.scores import backtest_text
from limr.study import preregistration

Json = dict[str, Any]
BILL = "compute"  # the table that the section on costs shows
SCRIPTS = ("steps.js", "map.js", "questions.js", "report.js")
_DPI = 160  # of the figures' PNG files


@dataclass(frozen=True)
class Missing:
    """Results that a half-finished study lacks; `total`: how many there will be, None: unknown."""

    kind: str
    names: Sequence[str]
    total: int | None = None


@dataclass(frozen=True)
class Parts:
    """What the page shows beside what is computed for it.

    Attributes:
        config: the study's configuration, shown in full.
        tables: `tables/{table}.tsv`, in the order to show them.
        figures: `figures/{figure}.png`, each with its drawing in `.svg` and its caption in `.txt`
            beside it.
        rollouts: name of learning curves -> the `rollouts.parquet` that they are from.
        answers: run, step and benchmark -> the evaluation of it, whose answers are shown.
        notes: records of imported trajectories and scores, whose `notes` are shown.
        texts: whether texts of problems and responses are part of the page.
        missing: what a half-finished study lacks; empty: the study is complete.
        linked: whether to link tables and figures to their files beside the page.
        folder: the folder of the page's template, style and script.
    """

    config: Mapping[str, Any]
    tables: Sequence[Path | str] = ()
    figures: Sequence[Path | str] = ()
    rollouts: Mapping[str, Path | str] = field(default_factory=dict)
    answers: question_browser.Answers = ()
    notes: Sequence[Path | str] = ()
    texts: bool = True
    missing: Sequence[Missing] = ()
    linked: bool = True
    folder: Path | str = template.FOLDER


def build_report(inputs: Inputs, parts: Parts, output: Path | str) -> None:
    """Write report.html.

    Raises:
        InputError: a file is missing or not what it should be.
    """
    folder = Path(output).parent if parts.linked else None
    whole = inputs
    if cells.axes(whole):  # beside the map, the page looks at one cell
        inputs = cells.only(whole, cells.shown(whole))
    arms = [arm for arm in inputs.study["arms"] if arm["name"] in inputs.subsets]
    here = {arm["name"] for arm in inputs.study["arms"]}
    said = [(key, path) for key, path in parts.answers if key["arm"] in here]
    answers = sensitivity.answers(inputs)
    texts = (problem.prompt for found in inputs.problems.values() for problem in found)
    formulas = template.formulas(texts if parts.texts else ())
    page = template.template(Path(parts.folder), "report.html.j2").render(
        **template.fixed(Path(parts.folder), scripts=(*formulas, *SCRIPTS)),
        study=inputs.study,
        missing=[(part.kind, list(part.names), part.total) for part in parts.missing],
        declared="" if inputs.evaluations is None else declared_text(inputs, parts.config),
        question=answering.question(whole),
        answer=("So far: " if parts.missing else "") + answering.answer(whole),
        verdicts=answering.verdicts(whole),
        map=map_section.section(whole),
        differences=interval_charts.differences(inputs),
        choices=choices.facts(inputs) if inputs.evaluations is None else [],
        steps=accuracy_chart.chart(inputs),
        facts=_facts(whole),
        sentences=findings.sentences(whole),
        forest=interval_charts.forest(inputs),
        answers=interval_charts.answers(inputs, answers),
        changes=sensitivity.sentences(answers),
        warnings=answering.warnings(whole),
        caveats=caveats.caveats(inputs, parts.config),
        tables=[_table(Path(p), folder) for p in parts.tables if _shown(Path(p).stem, parts)],
        figures=[_figure(Path(path), folder) for path in parts.figures],
        subsets=[_subset(arm, inputs) for arm in arms],
        notes=[(Path(path).stem, files.read_json(path).get("notes", [])) for path in parts.notes],
        browser=problem_browser.build(inputs, parts.rollouts, parts.texts),
        questions=question_browser.build(inputs, said, parts.texts),
        kept_by=_kept_by(inputs),
        texts=parts.texts,
        bill=_bill(whole, parts, folder),
        backtest=[] if inputs.backtest is None else backtest_text.sentences(inputs.backtest),
        pays=break_even.sentences(inputs),
        runs=[_run(record) for record in inputs.runs],
        commits=list(dict.fromkeys(_run(record)["commit"] for record in inputs.runs)),
        config=yaml.safe_dump(dict(parts.config), sort_keys=False, allow_unicode=True, width=100),
    )
    files.write_text(output, page)


def declared_text(inputs: Inputs, config: Mapping[str, Any]) -> str:
    """Return what the study declared before it ran, with the digest of its configuration."""
    declared = preregistration.of(config)
    weights = ", ".join(f"{name} {weight:g}" for name, weight in (declared.weights or {}).items())
    margin = "no margin" if declared.margin is None else f"margin {100 * declared.margin:g} points"
    step = "last" if declared.checkpoint == "last" else f"best on {declared.validation}"
    pair = (
        f"{declared.arm} against {declared.against or 'the full set'} (claim: {declared.claim}, "
        f"{margin})"
        if declared.arm
        else "no comparison"
    )
    return (
        f"Declared before the run: {pair}; step: {step}; weights: "
        f"{weights or 'all benchmarks alike'}; level {declared.percent}. Configuration "
        f"{provenance.digest(dict(config))[:16]}."
    )


def _facts(inputs: Inputs) -> list[tuple[str, str]]:
    """Return the numbers under the title: (number, what it counts)."""
    facts = []
    sizes = {record["n_problems"] for record in inputs.subsets.values()}
    if sizes:
        facts.append((f"{max(sizes):,}", "problems"))
    facts.append((str(len(inputs.groups)), "arms"))
    if inputs.evaluations is not None:
        frame = results.evaluated(inputs)
        questions = frame.drop_duplicates(["benchmark", "problem_id"]).shape[0]
        facts += [
            (str(frame["seed"].nunique()), "seeds"),
            (str(frame["benchmark"].nunique()), "benchmarks"),
            (f"{questions:,}", "held-out questions"),
            (f"{int(frame['n'].sum()):,}", "graded responses"),
        ]
    elif inputs.subsets:
        scored = min(record["n_scored"] for record in inputs.subsets.values())
        facts.append((f"{scored:,}", "problems with a score"))
    return facts


def _shown(table: str, parts: Parts) -> bool:
    """Return whether the page's tables include one: not the bill, and no texts if they are off."""
    texts = getattr(plugins.load("tables", table), "SHOWS_TEXTS", False)
    return table != BILL and (parts.texts or not texts)


def _table(tsv: Path, folder: Path | None) -> Json:
    frame, title, caption = table_text.read_texts(tsv.stem, tsv)
    return {
        "name": tsv.stem,
        "title": title,
        "caption": caption,
        "why": getattr(plugins.load("tables", tsv.stem), "EMPTY", ""),  # it has no rows
        **template.cells(frame),
        "links": _links(tsv, folder, {"TSV": ".tsv", "Markdown": ".md", "LaTeX": ".tex"}),
    }


def _links(path: Path, folder: Path | None, kinds: Mapping[str, str]) -> list[tuple[str, str]]:
    if folder is None:
        return []
    beside = {name: path.with_suffix(suffix) for name, suffix in kinds.items()}
    return [(name, os.path.relpath(file, folder)) for name, file in beside.items()]


def _figure(png: Path, folder: Path | None) -> Json:
    title = str(plugins.load("figures", png.stem).TITLE)
    caption = png.with_suffix(".txt").read_text(encoding="utf-8").strip()
    drawing = inline_svg.inline(png.with_suffix(".svg"), f"drawn-{png.stem}")
    kinds = {"PDF": ".pdf", "PNG": ".png", "SVG": ".svg", "Data": ".tsv"}
    content = png.read_bytes()
    width, height = struct.unpack(">II", content[16:24])
    return {
        "name": png.stem,
        "title": title,
        "caption": caption.removeprefix(f"{title}. "),
        "drawing": drawing,
        "image": "" if drawing else base64.b64encode(content).decode(),
        "width": round(width * 96 / _DPI),
        "height": round(height * 96 / _DPI),
        "links": _links(png, folder, kinds),
    }


def _subset(arm: Mapping[str, Any], inputs: Inputs) -> Json:
    record = inputs.subsets[arm["name"]]
    ends = [table_text.rounded(end, 2) for end in record["selected_score_range"]]
    return {
        **record,
        "name": arm["name"],
        "title": arm["title"],
        "cut": findings.cut_text(record),
        "colour": _style.colours(inputs)[arm["group"]],
        "range": ends if ends[0] != ends[1] else None,
    }


def _kept_by(inputs: Inputs) -> list[Json]:
    """Return title and colour of every group that has a subset of its own, for the legend."""
    colours, own = _style.colours(inputs), problem_browser.chosen(inputs)
    groups = dict.fromkeys(arm["group"] for arm in own)
    titles = {arm["group"]: arm["title"] for arm in own}
    marks = problem_browser.marks(inputs)
    return [{"title": titles[n], "colour": colours[n], "mark": marks[n]} for n in groups]


def _bill(inputs: Inputs, parts: Parts, folder: Path | None) -> Json | None:
    """Return the table of costs: the study's own where it has one, else one made here."""
    made = next((Path(path) for path in parts.tables if Path(path).stem == BILL), None)
    if made is not None:
        return _table(made, folder)
    if not run_costs.run_costs(inputs):
        return None
    module = plugins.load("tables", BILL)
    frame = module.build(inputs, {})
    cells = template.cells(table_text.texts(frame, module))
    return {"title": module.TITLE, "caption": module.caption(frame), "links": [], **cells}


def _run(record: Mapping[str, Any]) -> Json:
    hardware = record.get("hardware", {})
    threads = hardware.get("threads", "?")
    name, many = hardware.get("name", "unknown"), "" if threads == 1 else "s"
    versions = record.get("versions", {})
    return {
        "arm": record["arm"],
        "seed": record["seed"],
        "seconds": record.get("durations", {}).get("steps_seconds"),
        "attempts": record.get("attempts"),
        "hardware": f"{name}, {threads} thread{many}",
        "commit": record.get("commit") or "not in git",
        "code": record.get("code", ""),
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items()),
    }

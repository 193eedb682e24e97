"""report.html of `limr look`: one self-contained page, which needs no network and no other file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from limr import __version__
from limr.core import files, plugins, provenance, safe_text
from limr.look import drawings, outlook, prompt_browser, stability, terminal
from limr.look.looked import CLASSES, Looked
from limr.report import interval_charts, table_text, template
from limr.scores.thresholds import THRESHOLDS
from limr.trajectories.curves import Floats
from limr.trajectories.findings import Finding

Json = dict[str, Any]
MOST_BYTES = 8_000_000  # of the prompts and responses in the page
EXPLAINED = "docs/logs.md"
_ROWS, _CELL, _TEXT = 50, 300, 2_000  # of a table; characters of a cell, of a sentence
_BEGINNING = 110  # characters of a prompt over its curve


def write(looked: Looked, path: Path, *, most_bytes: int = MOST_BYTES) -> None:
    """Write the page: the same bytes for the same look.

    Args:
        looked: what was found in a log.
        path: the page.
        most_bytes: bound of the prompts and responses in it; where they do not fit, texts are
            cut shorter and fewer prompts have responses, and the page says so.

    Raises:
        InputError: the log's files cannot be read again for their responses.
    """
    imported, table = looked.imported, looked.prompts
    samples = int(table["n"].sum())
    compared = stability.compared(looked)
    page = template.template(template.FOLDER, "look.html.j2").render(
        **template.fixed(
            template.FOLDER,
            ("report.css", "look.css"),
            (*template.formulas(table["prompt"]), "report.js"),
        ),
        log=safe_text.bounded(looked.log, _CELL),
        name=_name(looked.log),
        selector=looked.selector,
        options=_in_words(looked.options),
        format=imported.format,
        answer=_answer(looked),
        facts=_facts(looked, samples),
        samples=samples,
        visits=int(table["visits"].max()),
        curve_visits=int(looked.curves.shape[1]),
        warnings=[_finding(f, path) for f in looked.findings if f.kind == "warning"],
        findings=[_finding(f, path) for f in looked.findings if f.kind == "info"],
        refused=[(r.rows, _cut(r.reason), _cut(r.first)) for r in imported.refused],
        taken={name: _cut(column) for name, column in imported.taken.items()},
        column=_cut(imported.column),
        values=_values(looked),
        classes=drawings.class_bar(looked),
        meaning=[(name, looked.counts.get(name, 0), terminal.MEANING[name]) for name in CLASSES],
        curves=drawings.mean_curves(looked),
        evenly=[int(n) for n in (~np.isnan(looked.curves)).sum(axis=0)],
        filtered="filtered-groups" in {finding.code for finding in looked.findings},
        typical=_typical(looked),
        **_scores(looked),
        sure=outlook.sentence(looked.outlook, {finding.code for finding in looked.findings}),
        stable=interval_charts.shares(_shares(compared)),
        agreed=[(name, one.n, _number(one.spearman)) for name, one in compared],
        evidence=[_evidence(name, frame, path) for name, frame in looked.evidence.items()],
        browser=prompt_browser.build(looked, most_bytes),
        bounded=_bounded(table),
        shown=_shown,
        version=__version__,
    )
    files.write_text(path, page)


def _answer(looked: Looked) -> str:
    n = {name: looked.counts.get(name, 0) for name in CLASSES}
    unclear = f"; of {n['unclear']:,} there are too few samples to say" if n["unclear"] else ""
    return (
        f"Of {len(looked.prompts):,} prompts, {n['learning']:,} are learning, {n['dead']:,} dead "
        f"and {n['solved']:,} solved{unclear}."
    )


def _name(log: str) -> str:
    """Return a log's name for a headline: the last parts of a path."""
    parts = log.rstrip("/").split("/")
    return safe_text.bounded(log if ", " in log else "/".join(parts[-2:]), _CELL)


def _in_words(options: Mapping[str, Any]) -> str:
    given = {key: value for key, value in options.items() if value is not None}
    return _cut(", ".join(f"{key}: {value}" for key, value in given.items()))


def _facts(looked: Looked, samples: int) -> list[tuple[str, str]]:
    table = looked.prompts
    scored = int(table["score"].notna().sum())
    return [
        (f"{looked.imported.rows_read:,}", "rows read"),
        (f"{len(table):,}", "prompts"),
        (f"{samples:,}", "samples"),
        (f"{int(table['visits'].max()):,}", "visits at most"),
        (
            f"{looked.prompts['n_correct'].sum() / max(1, samples):.1%}".replace("%", " %"),
            "correct",
        ),
        (f"{scored:,}", f"scored by {looked.selector}"),
    ]


def _finding(finding: Finding, page: Path) -> Json:
    return {
        "code": finding.code,
        "text": safe_text.bounded(finding.text, _TEXT),
        "count": "" if finding.count is None else f"{finding.count:,}",
        "where": _cut(finding.where),
        "link": link(finding.code, page),
    }


def link(code: str, page: Path) -> str:
    """Return a link from a page to what explains a code; empty where limr's pages are elsewhere."""
    target = Path(page).resolve()
    if not target.is_relative_to(provenance.ROOT):
        return ""
    return f"{os.path.relpath(provenance.ROOT / EXPLAINED, target.parent)}#{code}"


def _values(looked: Looked) -> Json | None:
    found = looked.imported.values
    if not found:
        return None
    of = max(1, sum(rows for _, rows, _ in found))
    rows = [
        [_cut(value), f"{n:,}", f"{100 * n / of:.1f} %", _cut(taken)] for value, n, taken in found
    ]
    shown = rows[:_ROWS]
    return {
        "title": "Values and what they were taken for",
        "columns": ["value", "rows", "share", "taken for"],
        "rows": shown,
        "right": [False, True, True, False],
        "more": len(rows) - len(shown),
    }


def _typical(looked: Looked) -> list[Json]:
    """Return a few prompts with curves: the best, and of each class the nearest to its mean."""
    curves, table = looked.curves, looked.prompts
    if curves.shape[1] < 2:
        return []
    mean = drawings.mean_interval(curves)[0]
    places = {0: "best score"} if table["score"].notna().any() else {}
    of_class = table["class"].to_numpy()
    for name in CLASSES:
        rows = np.flatnonzero(of_class == name)
        if len(rows):
            places.setdefault(int(rows[_nearest(curves[rows])]), f"typical of {name}")
    prompts = list(table["prompt"])
    texts = prompt_browser.inside(prompts, *prompt_browser.shared(prompts))
    return [
        {
            "why": why,
            "id": _cut(str(table["problem_id"].iloc[at])),
            "text": _shown(texts[at]),
            "score": _number(float(table["score"].iloc[at])),
            "plot": drawings.curve(curves[at], mean, str(table["class"].iloc[at])),
        }
        for at, why in places.items()
    ]


def _nearest(curves: Floats) -> int:
    """Return the place of the curve that is nearest to the mean of all, among the most complete."""
    there = ~np.isnan(curves)
    distance = np.nanmean((curves - drawings.mean_interval(curves)[0]) ** 2, axis=1)
    return int(np.argmin(np.where(there.sum(axis=1) == there.sum(axis=1).max(), distance, np.inf)))


def _scores(looked: Looked) -> Json:
    """Return the distribution of scores, with the selector's own threshold where it has one."""
    module = plugins.load("selectors", looked.selector)
    threshold = getattr(module, "THRESHOLD", None)
    scores = looked.prompts["score"].to_numpy(float)
    known = scores[~np.isnan(scores)]
    sizes = [(f"{at:g}", f"{int((known >= at).sum()):,}") for at in THRESHOLDS]
    rule = None if threshold is None else (float(threshold), f"threshold {threshold:g}")
    return {
        "scores": drawings.distribution(scores, rule),
        "threshold": threshold,
        "kept": 0 if threshold is None else int((known >= threshold).sum()),
        "scored": len(known),
        "sizes": sizes if threshold is not None else [],
    }


def _shares(compared: Sequence[tuple[str, Any]]) -> list[Json]:
    found = []
    for name, one in compared:
        low, high = one.interval()
        text = f"{100 * one.overlap:.0f} % [{100 * low:.0f}, {100 * high:.0f}]"
        places = {"low": low, "mean": one.overlap, "high": high}
        detail = f"best {one.size:,} of {one.n:,}; chance {100 * one.chance:.0f} %"
        found.append({"title": name, "detail": detail, "text": text, **places})
    return found


def _evidence(name: str, frame: pd.DataFrame, page: Path) -> Json:
    """Return a table of any columns; long texts are cut, and rows after the first 50 counted."""
    shown = frame.head(_ROWS).astype(object)
    texts = shown.map(lambda value: _cut(table_text.text(value, 3)))
    cells = template.cells(texts, whole=len(frame) <= _ROWS)
    return {
        **cells,
        "columns": [_cut(str(column)) for column in cells["columns"]],
        "everywhere": [(_cut(str(column)), text) for column, text in cells["everywhere"]],
        "title": f"Evidence: {name}",
        "code": name,
        "rows_in_all": len(frame),
        "more": max(0, len(frame) - _ROWS),
        "link": link(name, page),
    }


def _bounded(table: pd.DataFrame) -> int:
    """Return how many prompts have a score that depends on visits that are not in the log."""
    low, high = table["low"].to_numpy(float), table["high"].to_numpy(float)
    return int(((low != high) & ~np.isnan(low) & ~np.isnan(high)).sum())


def _shown(text: str) -> str:
    """Return the beginning of a text in one line."""
    plain = terminal.plain(text[: 4 * _BEGINNING])
    return plain if len(plain) <= _BEGINNING else f"{plain[: _BEGINNING - 1]}…"


def _cut(text: str) -> str:
    return safe_text.bounded(text, _CELL)


def _number(value: float) -> str:
    return table_text.text(value, 2)

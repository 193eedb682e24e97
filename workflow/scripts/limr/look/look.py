"""One look at a log: read it, score it, class its prompts, audit it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from limr.core import plugins, validation
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.look import audit, classes, outlook
from limr.look.looked import CLASSES, COLUMNS, Looked
from limr.scores import scoring
from limr.trajectories import reader
from limr.trajectories.curves import Floats, Ints, Samples
from limr.trajectories.findings import Findings
from limr.trajectories.reading import Imported

SEED = 1


def look(
    paths: Sequence[str | Path],
    problems: Sequence[Problem] | None = None,
    *,
    format_: str | None = None,
    log_options: Mapping[str, Any] | None = None,
    selector: str | None = None,
    options: Mapping[str, Any] | None = None,
    spool: Path | None = None,
) -> Looked:
    """Return what a log shows.

    Args:
        paths: the log; see `limr.trajectories.reader.read`.
        problems: the problems that were trained on; None: every text is a problem.
        format_: the importer; None: it is recognised.
        log_options: the importer's options.
        selector: what scores the prompts; None: one that the log can bear.
        options: the selector's options.
        spool: a folder for what comes through a pipe.

    Raises:
        InputError: whatever is in doubt.
    """
    imported = reader.read(paths, problems, log_options, format_, spool)
    return of_imported(", ".join(map(str, paths)), imported, problems, selector, options)


def of_imported(
    log: str,
    imported: Imported,
    problems: Sequence[Problem] | None = None,
    selector: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Looked:
    """Return what an imported log shows; see `look`."""
    found = Findings()
    codes = {finding.code for finding in imported.findings}
    samples = imported.samples
    if selector is None:
        selector, recommended = recommend(codes, samples, found)
        options = {**recommended, **(options or {})}
    module = plugins.load("selectors", selector)
    settings = validation.complete(
        dict(options or {}), validation.options(module), f"selector '{selector}'"
    )
    candidates = _candidates(imported, problems)
    made = scores(selector, candidates, samples, settings)
    if made.notes:
        found.add("selector-says", " ".join(made.notes))
    values = made.values
    low, high = bounds(selector, candidates, samples, settings, values)
    sure = outlook.outlook(codes, samples, selector, settings)
    belongs = np.full(len(values), np.nan) if sure is None else sure.now.belongs
    columns = {"score": values, "low": low, "high": high, "belongs": belongs}
    table, place = _table(imported, problems, samples, columns)
    if not table["score"].notna().any():
        text = "No prompt could be scored; see the findings."
        found.add("nothing-scored", text, "warning", len(table))
    audited = audit.check(imported, problems)
    counts = Counter(table["class"])
    return Looked(
        log,
        imported,
        selector,
        settings,
        table,
        place,
        {name: counts.get(name, 0) for name in CLASSES},
        (*imported.findings, *found, *audited.findings),
        audited.evidence,
        sure,
    )


def recommend(codes: set[str], samples: Samples, found: Findings) -> tuple[str, dict[str, Any]]:
    """Return the selector that a log can bear, and its options.

    LIM where there are curves; with gaps filled by the mean where the trainer filters groups; the
    expected signal of a group where there is no curve to trust.
    """
    whole = samples.n_epochs if samples.whole is None else samples.whole
    if "filtered-groups" in codes:
        return "lim", {"missing": "mean-of-present"}
    if whole < 2 or "steps-missing" in codes:
        found.add(
            "no-curves", "prompts are ranked by learnability, p(1 - p) of the pass rate, since the "
            "log has no curves that lim could follow."
        )  # fmt: skip
        return "learnability", {}
    return "lim", {}


def scores(
    selector: str, candidates: scoring.ProblemSet, samples: Samples, options: Mapping[str, Any]
) -> scoring.Scores:
    """Return the scores of all problems."""
    return scoring.score(selector, candidates, samples, options, seed=SEED, name=selector)


def bounds(
    selector: str,
    candidates: scoring.ProblemSet,
    samples: Samples,
    options: Mapping[str, Any],
    values: Floats,
) -> tuple[Floats, Floats]:
    """Return (n_problems,) the least and the greatest score if missing visits had been uniform.

    The visits of a prompt that are not in the log are taken for all wrong, then for all right; the
    score itself where none is missing.
    """
    curves_of = samples.n[:, : samples.whole] if samples.whole else samples.n
    gaps = (curves_of == 0) & (curves_of > 0).any(axis=1, keepdims=True)
    if not gaps.any():
        return values, values
    found = [values]
    size = np.maximum(np.median(curves_of[curves_of > 0]), 1).astype(np.int64)
    for right in (0, size):
        n, k = curves_of.copy(), samples.n_correct[:, : curves_of.shape[1]].copy()
        n[gaps], k[gaps] = size, right
        found.append(scores(selector, candidates, Samples(n, k), options).values)
    every = np.stack(found)
    whole = ~gaps.any(axis=1)
    with np.errstate(invalid="ignore"):
        low, high = np.fmin.reduce(every), np.fmax.reduce(every)
    return np.where(whole, values, low), np.where(whole, values, high)


def _candidates(imported: Imported, problems: Sequence[Problem] | None) -> scoring.ProblemSet:
    if problems is not None:
        return scoring.candidates(problems)
    ids = imported.problem_ids.to_pylist()
    return scoring.ProblemSet(ids, [None] * len(ids))


def _table(
    imported: Imported, problems: Sequence[Problem] | None, samples: Samples,
    columns: Mapping[str, Floats],
) -> tuple[pd.DataFrame, Ints]:  # fmt: skip
    """Return the prompts that the log has, best first, and their places among the problems."""
    ids = imported.problem_ids.to_pylist()
    texts = [p.prompt for p in problems] if problems is not None else list(imported.prompts)
    accuracy = samples.accuracy
    there = ~np.isnan(accuracy)
    seen = np.flatnonzero(there.any(axis=1))
    if not len(seen):
        raise InputError("no row of the log belongs to any of the problems.")
    rows = np.arange(len(ids))
    first = accuracy[rows, np.argmax(there, axis=1)]
    last = accuracy[rows, accuracy.shape[1] - 1 - np.argmax(there[:, ::-1], axis=1)]
    frame = pd.DataFrame(
        {
            "problem_id": ids,
            "prompt": texts or [""] * len(ids),
            "n": samples.n.sum(axis=1),
            "n_correct": samples.n_correct.sum(axis=1),
            "pass_rate": samples.pass_rate,
            "first": first,
            "last": last,
            "visits": there.sum(axis=1),
            **columns,
            "class": classes.classes(samples),
        }
    )[list(COLUMNS)].iloc[seen]
    order = np.lexsort((seen, -frame["score"].fillna(-np.inf).to_numpy()))
    return frame.iloc[order].reset_index(drop=True), seen[order]

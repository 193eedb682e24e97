"""The problems on which the site shows what a selector picks: simulated, of known kinds."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from limr.core import plugins
from limr.core.random_streams import stream
from limr.scores import scoring, thresholds
from limr.trajectories.curves import Samples

EPOCHS, SAMPLES, SIZE = 12, 8, 12
# Kind: how many, and the chance to be solved in the first and in the last epoch, from and to.
KINDS = {
    "mastered": (14, (0.85, 1.0), (0.95, 1.0)),
    "rising early": (12, (0.2, 0.5), (0.85, 1.0)),
    "rising late": (12, (0.0, 0.1), (0.5, 0.9)),
    "unsteady": (10, (0.3, 0.6), (0.3, 0.6)),
    "falling": (6, (0.5, 0.8), (0.1, 0.3)),
    "hopeless": (18, (0.0, 0.0), (0.0, 0.03)),
}
_BEND = {"rising early": 0.5, "rising late": 2.5}  # how a curve bends on its way


@dataclass(frozen=True)
class Example:
    """The problems: their kinds, levels (1 easy to 6 hard, from the first epoch) and samples.

    `chances` are those that the samples were drawn from, by problem and epoch.
    """

    kinds: list[str]
    candidates: scoring.ProblemSet
    samples: Samples
    chances: np.ndarray


def example() -> Example:
    """Return the problems; the same ones always."""
    rng = stream(1, "documentation", "curves")
    kinds = [kind for kind, (n, _, _) in KINDS.items() for _ in range(n)]
    chances = np.empty((len(kinds), EPOCHS))
    way = np.linspace(0.0, 1.0, EPOCHS)
    for row, kind in enumerate(kinds):
        _, first, last = KINDS[kind]
        start, end = rng.uniform(*first), rng.uniform(*last)
        chances[row] = start + (end - start) * way ** _BEND.get(kind, 1.0)
    n_correct = rng.binomial(SAMPLES, chances)
    n = np.full_like(n_correct, SAMPLES)
    levels = [1 + int(5.999 * (1 - rate)) for rate in n_correct[:, :3].mean(axis=1) / SAMPLES]
    ids = [f"{kind} {row}" for row, kind in enumerate(kinds)]
    return Example(kinds, scoring.ProblemSet(ids, levels), Samples(n, n_correct), chances)


# What the files hold that some selectors must be given: words, and numbers from the true chances.
FILES = {
    "file": ("p (1 - p) of the last epoch's true chances", lambda p: p[:, -1] * (1 - p[:, -1])),
    "weaker": ("the first epoch's true chances", lambda p: p[:, 0]),
    "stronger": ("the last epoch's true chances", lambda p: p[:, -1]),
}


def must_be_given(module: ModuleType) -> Sequence[str]:
    """Return the options of a selector's module that name files without which it cannot score."""
    return getattr(module, "OWN_FILES", ()) if hasattr(module, "check") else ()


def options(of: Example, selector: str, folder: Path) -> dict[str, Any]:
    """Return the options without which a selector cannot score; its files go to the folder."""
    found = {}
    for name in must_be_given(plugins.load("selectors", selector)):
        values = FILES[name][1](of.chances).round(3).tolist()
        numbers = dict(zip(of.candidates.problem_ids, values, strict=True))
        (folder / f"{name}.json").write_text(json.dumps(numbers), encoding="utf-8")
        found[name] = str(folder / f"{name}.json")
    return found


def picked(of: Example, selector: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (n,) scores by a selector, and which are the best `SIZE`.

    It has its default options, and `FILES` where it must be given some. Fewer are picked where
    fewer have a score above the lowest one that there is.
    """
    with tempfile.TemporaryDirectory() as folder:
        given = options(of, selector, Path(folder))
        found = scoring.score(
            selector, of.candidates, of.samples, given, seed=1, name="documentation"
        )
    size = min(SIZE, int((~np.isnan(found.values)).sum()))
    return found.values, thresholds.best(found.values, size, stream(1, "documentation", "ties"))

"""Overlap of MATH-FULL, and of the published LIMR subset, with the paper's benchmarks.

    LIMR_MIRROR=... python benchmarks/contamination/measure.py

Prints the counts that docs/contamination.md quotes, and the CPU seconds and memory they take.
"""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

from limr.analysis import contamination
from limr.core.tables import Problem
from limr.problems import overlap
from limr.problems.datasets import math_full, question_answer
from limr.sources import pinned
from limr.trajectories.importers import scores_json

ROOT = Path(__file__).parents[2]
BENCHMARKS = ("math500", "aime24", "amc23")


def main() -> None:
    """Measure and print."""
    files = pinned.load_sources(ROOT / "config/sources.yaml")
    mirror = Path(os.environ["LIMR_MIRROR"])
    training = read(mirror / files["limr_math_full"].mirror, None)
    path = mirror / files["limr_published_lim_scores"].mirror
    table = scores_json.read([path], training, {}).table
    scores = table.to_pandas()
    kept = scores.loc[scores["score"] >= 0.6, "problem_id"].tolist()
    scopes = [
        overlap.Scope("problem set", "MATH-FULL", "full"),
        overlap.Scope("arm", "LIMR, published", "full", kept),
    ]
    for name in BENCHMARKS:
        questions = read(mirror / files[name].mirror, name)
        start = time.process_time()
        found, _ = overlap.measure(questions, {"full": training}, scopes, (8, 13), 20_000)
        seconds = time.process_time() - start
        frame = found.to_pandas()
        for (trained_on, words), rows in frame.groupby(["trained_on", "words"], sort=False):
            counts = {
                f"{column} >= {share:g}": int((contamination.shares(rows, column) >= share).sum())
                for column in ("shared", "covered")
                for share in (0.5, 0.8)
            }
            print(
                f"{name}, {trained_on} ({rows['n_problems'].iloc[0]}), {words} words:",
                f"{len(rows)} questions, too short {(rows['n_grams'] == 0).sum()},",
                f"same text {(rows['match'] != '').sum()}, {counts}",
            )
        print(f"{name}: {seconds:.1f} CPU seconds")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MB")


def read(path: Path, prefix: str | None) -> list[Problem]:
    """Read a benchmark, or MATH-FULL."""
    if prefix is None:
        return math_full.prepare({"empty_answers": "keep"}, path)[0]
    return question_answer.prepare({"prefix": prefix}, path)[0]


if __name__ == "__main__":
    main()

"""How often a grid of cells without any difference has a cell that is called after Holm.

Run from the repository's root; writes benchmarks/statistics/grids.tsv (some minutes):
`PYTHONPATH=workflow/scripts python benchmarks/statistics/grids.py`
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np

from limr.core.random_streams import stream
from limr.statistics.estimates import Arm, Estimate, Runs, of_difference
from limr.statistics.hypothesis_tests import holm
from limr.statistics.moderation import moderated

GRIDS, CELLS, QUESTIONS, SAMPLES, HABIT = 200, 25, 100, 4, 0.05
# Standard deviation between runs, and that of its logarithm from group to group.
DESIGNS = ((0.0, 0.0), (0.01, 0.0), (0.02, 0.0), (0.04, 0.0), (0.02, 0.5), (0.04, 0.7))


def grid(seeds: int, run: float, unlike: float, rng: np.random.Generator) -> list[Estimate]:
    """Return the differences of a grid in which every true difference is 0."""
    ability, found = rng.normal(0, 0.2, QUESTIONS), []
    for _ in range(CELLS):
        arms = []
        for _ in range(2):
            spread = run * np.exp(unlike * rng.standard_normal())
            each = rng.normal(0, HABIT, QUESTIONS) + rng.normal(0, HABIT, (seeds, QUESTIONS))
            p = np.clip(0.5 + ability + each + spread * rng.standard_normal((seeds, 1)), 0, 1)
            arms.append(Arm({"b": rng.binomial(SAMPLES, p) / SAMPLES}))
        found.append(of_difference(*arms))
    return found


def p_values(found: list[Estimate]) -> dict[str, list[float]]:
    """Return each cell's own p, the p with moderated variances, and the larger one."""
    parts = [part for one in found for part in one.runs]
    raw, df = (np.array([float(getattr(part, key)) for part in parts]) for key in ("raw", "df"))
    changed = [
        Runs(float(variance), part.noise, float(own))
        for part, variance, own in zip(parts, *moderated(raw, df), strict=True)
    ]
    runs = [tuple(changed[2 * cell : 2 * cell + 2]) for cell in range(len(found))]
    own = [one.p_value() for one in found]
    shared = [replace(one, runs=two).p_value() for one, two in zip(found, runs, strict=True)]
    return {"own": own, "moderated": shared, "larger": list(map(max, own, shared))}


def main() -> None:
    """Simulate all designs and write the table."""
    rows = []
    for seeds in (3, 5):
        for run, unlike in DESIGNS:
            rng = stream(0, "grids", str(seeds), str(run), str(unlike))
            grids = [p_values(grid(seeds, run, unlike, rng)) for _ in range(GRIDS)]
            row: dict[str, float] = {"seeds": seeds, "run": run, "unlike": unlike}
            for kind in ("own", "moderated", "larger"):
                every = np.concatenate([one[kind] for one in grids])
                called = np.mean([min(holm(one[kind])) < 0.05 for one in grids])
                row[f"{kind}, p < 0.05, %"] = round(100 * float(np.mean(every < 0.05)), 2)
                row[f"{kind}, p < 0.002, %"] = round(100 * float(np.mean(every < 0.002)), 2)
                row[f"{kind}, grids called, %"] = round(100 * float(called), 1)
            rows.append(row)
            print(row, flush=True)
    with Path("benchmarks/statistics/grids.tsv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()

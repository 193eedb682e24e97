"""The overlap that `limr.scores.prospects` promises from half of the samples, and what is found.

    LIMR_MIRROR=DIR .venv/bin/python benchmarks/selection/promised.py [TRAJECTORIES.parquet]

Each visit's samples are split at random into two halves. From the first half alone it is promised
how far the choices of two independent scorings would agree; found is how far the halves agree,
thinned the same. Markdown. The curves are `thinning.py`'s.
"""

from __future__ import annotations

import datetime
import os
import sys
from pathlib import Path

import numpy as np
import thinning

from limr.core.random_streams import stream
from limr.scores import prospects

THINNINGS, DRAWS = 10, 20
SCORES = (
    ("lim", "ignore"),
    ("lim", "debias"),
    ("lim", "shrink"),
    ("lim-curve-free", "ignore"),
    ("linear", "ignore"),
    ("variance", "ignore"),
)


def main() -> None:
    """Print promised and found overlaps."""
    if len(sys.argv) > 1:
        samples, name = thinning.recorded(Path(sys.argv[1])), Path(sys.argv[1]).name
    else:
        samples, name = thinning.one_shot(Path(os.environ["LIMR_MIRROR"])), "acc_step_500.json"
    half, last = int(samples.n.max()) // 2, samples.n_epochs
    pairs = [
        (m, k) for k in sorted({max(1, last // 4), last // 2, last}) for m in (half // 2, half)
    ]
    print(f"{datetime.date.today()}, {name}: {len(samples.n):,} problems, {THINNINGS} splits\n")
    rows = []
    for selector, noise in SCORES:
        fewer = noise == "shrink"  # each of its scorings is fitted anew
        options = {"noise": noise}
        promised, found = [], []
        for t in range(THINNINGS // (2 if fewer else 1)):
            first = thinning.thinned(samples, half, stream(t, "half"))
            halves = (first, thinning.less(samples, first))
            of = prospects.of_log(first, selector, options, pairs, draws=4 if fewer else DRAWS)
            promised.append([one.again for one in of])
            found.append([])
            for m, k in pairs:
                rng = stream(t, "thinner", str(m), str(k))
                both = [thinning.thinned(one.first(k), m, rng) for one in halves]
                best = [thinning.best(thinning.score(selector, one, noise)) for one in both]
                found[-1].append(float(best[0] @ best[1]) / (len(samples.n) // 6))
        means, middle = np.mean(promised, axis=0), np.mean(found, axis=0)
        spread = np.std(found, axis=0, ddof=1)
        for (m, k), one, other, around in zip(pairs, means, middle, spread, strict=True):
            row = [f"`{selector}`", f"`{noise}`", str(k), str(m), f"{one:.3f}"]
            rows.append([*row, f"{other:.3f} ± {around:.3f}"])
    header = ["selector", "`noise`", "epochs", "samples", "promised", "found"]
    print(thinning.table(header, rows))


if __name__ == "__main__":
    main()

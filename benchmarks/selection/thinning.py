"""What fewer samples do to scores, with the noise ignored, subtracted or shrunk; as Markdown.

    LIMR_MIRROR=DIR .venv/bin/python benchmarks/selection/thinning.py [TRAJECTORIES.parquet]

On real curves (`one_shot_rlvr/acc_step_500.json` of the mirror: 1,209 problems, 8 samples in each
of 44 epochs), or on a study's `trajectories/{name}.parquet` with as many samples everywhere.
Samples are taken away at random. What is found from them is compared with the other samples, which
no score has seen, so that no side is favoured by its own noise.
"""

from __future__ import annotations

import datetime
import json
import os
import sys
from pathlib import Path

import numpy as np

from limr.core import files
from limr.core.random_streams import stream
from limr.core.tables import TRAJECTORIES
from limr.scores import scoring
from limr.scores.agreement import membership
from limr.trajectories import curves as tr

THINNINGS, RESAMPLES = 20, 500
THRESHOLD = 0.6
RULES = ("ignore", "debias", "shrink")
TRUTHS = ("ignore", "debias")  # how held-out samples are scored
FEW = (1, 2, 4)
SELECTORS = ("lim", "lim-curve-free", "linear", "variance")


def one_shot(mirror: Path) -> tr.Samples:
    """Return the real curves, cut to the shortest."""
    path = mirror / "one_shot_rlvr" / "acc_step_500.json"
    ragged = list(json.loads(path.read_text(encoding="utf-8")).values())
    shortest = min(len(curve) for curve in ragged)
    n_correct = np.rint(8 * np.array([curve[:shortest] for curve in ragged])).astype(np.int64)
    return tr.Samples(np.full(n_correct.shape, 8), n_correct)


def recorded(path: Path) -> tr.Samples:
    """Return the complete curves of a study's trajectories, all with as many samples."""
    table = files.read_parquet(path, TRAJECTORIES)
    every = tr.samples(table, table["problem_id"].unique().to_pylist())
    whole = (every.n == every.n.max()).all(axis=1)
    return tr.Samples(every.n[whole], every.n_correct[whole])


def thinned(samples: tr.Samples, size: int, rng: np.random.Generator) -> tr.Samples:
    """Return `size` of each visit's samples, drawn without putting back."""
    wrong = samples.n - samples.n_correct
    kept = rng.hypergeometric(samples.n_correct, wrong, size)
    return tr.Samples(np.full(samples.n.shape, size), kept)


def less(samples: tr.Samples, taken: tr.Samples) -> tr.Samples:
    """Return the samples without those taken."""
    return tr.Samples(samples.n - taken.n, samples.n_correct - taken.n_correct)


def score(selector: str, samples: tr.Samples, noise: str) -> tr.Floats:
    """Return the scores of a selector."""
    ids = [str(i) for i in range(len(samples.n))]
    problems = scoring.ProblemSet(ids, [None] * len(ids))
    options = {"noise": noise}
    return scoring.score(selector, problems, samples, options, seed=0, name="scores").values


def over_threshold(samples: tr.Samples) -> list[list[str]]:
    """Return how many problems LIM puts at 0.6 or more, by the number of samples."""
    most = int(samples.n.max())
    rows = []
    for rule in RULES:
        row = [f"`{rule}`"]
        for size in (*FEW, most):
            if rule == "debias" and size == 1:
                row.append("no score")
                continue
            counts = [
                (score("lim", thinned(samples, size, stream(t, "thin", str(size))), rule)
                 >= THRESHOLD).sum()
                for t in range(THINNINGS if size < most else 1)
            ]  # fmt: skip
            spread = f" ± {np.std(counts, ddof=1):.0f}" if len(counts) > 1 else ""
            row.append(f"{np.mean(counts):.0f}{spread}")
        rows.append(row)
    return rows


def best(values: tr.Floats) -> tr.Floats:
    """Return how far each score belongs to the best sixth, in [0, 1]."""
    return membership(np.nan_to_num(values, nan=-np.inf), max(1, len(values) // 6))


def found(samples: tr.Samples, selector: str) -> dict[tuple[str, str, int], tr.Floats]:
    """Return (truth, rule, samples) -> (thinnings, resamples + 1) share of the best sixth found.

    Half of each visit's samples are held out and scored by a rule, the truth; scores come from all
    or half of the others. The first column is of the problems as they are, the others of problems
    drawn with putting back.
    """
    half, n = int(samples.n.max()) // 2, len(samples.n)
    drawn = [np.arange(n), *(stream(0, "resample").integers(0, n, (RESAMPLES, n)))]
    result: dict[tuple[str, str, int], list[list[float]]] = {}
    for t in range(THINNINGS):
        kept = thinned(samples, half, stream(t, "held-out"))
        held_out = {truth: score(selector, less(samples, kept), truth) for truth in TRUTHS}
        best_of = {truth: [best(values[i]) for i in drawn] for truth, values in held_out.items()}
        for size in (half, half // 2):
            taken = kept if size == half else thinned(kept, size, stream(t, "half"))
            for rule in RULES:
                if rule == "debias" and size == 1:
                    continue
                values = score(selector, taken, rule)
                chosen = [best(values[i]) for i in drawn]
                for truth, those in best_of.items():
                    shares = [float(a @ b / (n // 6)) for a, b in zip(chosen, those, strict=True)]
                    result.setdefault((truth, rule, size), []).append(shares)
    return {key: np.array(rows) for key, rows in result.items()}


def ends(draws: tr.Floats) -> str:
    """Return the mean over thinnings with its 95 % interval over problems."""
    mean = draws.mean(axis=0)
    low, high = np.quantile(mean[1:], [0.025, 0.975]) - mean[1:].mean() + mean[0]
    return f"{mean[0]:.3f} [{low:.3f}, {high:.3f}]"


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join(
        "| " + " | ".join(line) + " |" for line in [header, ["---"] * len(rows[0]), *rows]
    )


def main() -> None:
    """Print the tables."""
    if len(sys.argv) > 1:
        samples, name = recorded(Path(sys.argv[1])), Path(sys.argv[1]).name
    else:
        samples, name = one_shot(Path(os.environ["LIMR_MIRROR"])), "acc_step_500.json"
    n, most = len(samples.n), int(samples.n.max())
    print(f"{datetime.date.today()}, {name}: {n:,} problems, {THINNINGS} thinnings\n")
    lengths = sorted({min(21, samples.n_epochs), samples.n_epochs})
    rows = []
    for epochs in lengths:
        rows += [[str(epochs), *row] for row in over_threshold(samples.first(epochs))]
    sizes = [f"{size} of {most}" for size in FEW] + [f"all {most}"]
    print(table(["epochs", "`noise`", *sizes], rows) + "\n")
    rows, half = [], most // 2
    for epochs in lengths:
        for selector in SELECTORS:
            shares = found(samples.first(epochs), selector)
            for truth, rule, size in shares:
                if truth != TRUTHS[0]:
                    continue
                row = [str(epochs), f"`{selector}`", str(size), f"`{rule}`"]
                for of in TRUTHS:
                    draws, plain = shares[of, rule, size], shares[of, "ignore", half]
                    row += [
                        f"{draws[:, 0].mean():.3f}",
                        "" if draws is plain else ends(draws - plain),
                    ]
                rows.append(row)
    header = ["epochs", "selector", "samples", "`noise`"]
    for of in TRUTHS:
        header += [f"found of held-out, `{of}`", f"less `ignore` from {half}"]
    print(table(header, rows))


if __name__ == "__main__":
    main()

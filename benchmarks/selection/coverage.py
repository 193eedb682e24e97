"""How often 95 % intervals hold the score of the true rates: two ways, several shapes of curves.

.venv/bin/python benchmarks/selection/coverage.py [REPLICATES]

`debias`: the intervals that the diagnostics give a debiased score, and a shrunk one too.
`posterior`: the published formula on rates drawn from `limr.scores.posterior`.
600 curves of 12 epochs: a fifth each flat, rising, noisy (each epoch's rate drawn anew about the
problem's own) and walking, a tenth never and a tenth always solved, which have no noise. Markdown.
"""

from __future__ import annotations

import datetime
import sys

import numpy as np

from limr.core.random_streams import stream
from limr.scores import diagnostics, posterior, scoring
from limr.trajectories import curves as tr

EPOCHS, EACH, DRAWS = 12, 120, 200
SIZES = (2, 4, 8, 16)
SELECTORS = ("lim", "lim-curve-free", "linear", "variance")
SHAPES = ("flat", "rising", "noisy", "walking", "never", "always")


def curves(rng: np.random.Generator) -> tuple[tr.Floats, tr.Ints]:
    """Return (n_problems, EPOCHS) true rates, and the place of each one's shape in SHAPES."""
    k = np.linspace(0, 1, EPOCHS)
    flat = np.repeat(rng.beta(0.7, 0.7, (EACH, 1)), EPOCHS, axis=1)
    rising = rng.normal(-1.5, 1.5, (EACH, 1)) + rng.gamma(2, 1.2, (EACH, 1)) * k
    noisy = rng.normal(0, 1.2, (EACH, 1)) + rng.normal(0, 0.6, (EACH, EPOCHS))
    walk = rng.normal(0.7, 0.3, (EACH, 1)) + np.cumsum(rng.normal(0, 0.07, (EACH, EPOCHS)), axis=1)
    rates = [
        flat,
        1 / (1 + np.exp(-rising)),
        1 / (1 + np.exp(-noisy)),
        np.sin(np.clip(walk, 0.02, 1.55)) ** 2,
        np.zeros((EACH // 2, EPOCHS)),
        np.ones((EACH // 2, EPOCHS)),
    ]
    shape = np.repeat(np.arange(len(rates)), [len(part) for part in rates])
    return np.concatenate(rates), shape


def score(selector: str, samples: tr.Samples, noise: str) -> tr.Floats:
    """Return the scores of a selector."""
    ids = [str(i) for i in range(len(samples.n))]
    problems = scoring.ProblemSet(ids, [None] * len(ids))
    options = {"noise": noise}
    return scoring.score(selector, problems, samples, options, seed=0, name="scores").values


def exact(rates: tr.Floats) -> tr.Samples:
    """Return samples so many that their shares are the rates."""
    many = np.full(rates.shape, 10**6)
    return tr.Samples(many, np.rint(rates * many).astype(np.int64))


def held(size: int, replicate: int) -> dict[tuple[str, str], tr.Flags]:
    """Return (selector, way) -> (n_problems,) whether an interval holds the true score."""
    rng = stream(replicate, "coverage", str(size))
    rates, _ = curves(rng)
    samples = tr.Samples(np.full(rates.shape, size), rng.binomial(size, rates))
    walk = posterior.fit(samples)
    drawn_rates = [exact(p) for p in posterior.draws(samples, walk, DRAWS, rng)]
    result = {}
    for selector in SELECTORS:
        truth = score(selector, exact(rates), "ignore")
        of_rates = np.array([score(selector, p, "ignore") for p in drawn_rates])
        result[selector, "posterior"] = within(
            truth, *np.quantile(of_rates, [0.025, 0.975], axis=0)
        )
        result[selector, "debias"] = within(truth, *interval(selector, samples, "debias", rng))
    return result


def interval(
    selector: str, samples: tr.Samples, noise: str, rng: np.random.Generator
) -> tuple[tr.Floats, tr.Floats]:
    """Return (n_problems,) the ends of the intervals that the product gives."""
    ids = [str(i) for i in range(len(samples.n))]
    problems = scoring.ProblemSet(ids, [None] * len(ids))
    of = diagnostics.subject(problems, samples, selector, {"noise": noise}, seed=0, name="scores")
    table = diagnostics.problem_table(of, diagnostics.cut(of, None, rng), DRAWS, 0.95, rng)
    return table["low"].to_numpy(), table["high"].to_numpy()


def within(truth: tr.Floats, low: tr.Floats, high: tr.Floats) -> tr.Flags:
    """Return whether each interval holds the truth, up to the precision of a draw."""
    held: tr.Flags = (low <= truth + 1e-5) & (truth <= high + 1e-5)
    return held


def main() -> None:
    """Print a table of coverage by selector, way, samples and shape."""
    replicates = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    _, shape = curves(stream(0, "shapes"))
    print(f"{datetime.date.today()}, {replicates} data sets of {len(shape)} curves for each n\n")
    print("| selector | intervals | n | with noise | " + " | ".join(SHAPES) + " |")
    print("|" + " --- |" * (4 + len(SHAPES)))
    found = {size: [held(size, r) for r in range(replicates)] for size in SIZES}
    for selector in SELECTORS:
        for way in ("debias", "posterior"):
            for size, runs in found.items():
                share = np.mean([run[selector, way] for run in runs], axis=0)
                parts = [share[shape == i].mean() for i in range(len(SHAPES))]
                cells = " | ".join(f"{value:.3f}" for value in (np.mean(parts[:4]), *parts))
                print(f"| `{selector}` | {way} | {size} | {cells} |")


if __name__ == "__main__":
    main()

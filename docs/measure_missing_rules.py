"""The measurements of docs/selection.md, as Markdown.

    LIMR_MIRROR=DIR .venv/bin/python docs/measure_missing_rules.py

On real learning curves: `one_shot_rlvr/acc_step_500.json` of the mirror, 1,209 problems with 8
samples an epoch (Qwen2.5-Math-1.5B under GRPO, arXiv 2504.20571), all lists cut to the shortest, 44
epochs. These curves are complete; epochs are knocked out as the paper's loader does.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from limr.core.random_streams import stream
from limr.scores import agreement, scoring
from limr.trajectories import curves as tr

N_SAMPLES = 8
DROPPED = 331 / 8523  # of the problems, in every epoch: the incomplete last batch
SEEDS = range(20)
SIXTH = 6  # about the share that the paper keeps: 1,389 of 8,523
THRESHOLD = 0.6
RULES = ("strict", "backfill-one", "backfill", "mean-of-present")
OTHERS = (
    ("lim-curve-free", {}),
    ("frontier", {}),
    ("learnability", {}),
    ("linear", {"variant": "alignment"}),
    ("variance", {}),
    ("linear", {"variant": "pearson"}),
)


def real_curves(mirror: Path) -> tr.Samples:
    """Return the real samples, (1209, 44)."""
    path = mirror / "one_shot_rlvr" / "acc_step_500.json"
    ragged = list(json.loads(path.read_text(encoding="utf-8")).values())
    shortest = min(len(curve) for curve in ragged)
    n_correct = np.rint(N_SAMPLES * np.array([curve[:shortest] for curve in ragged]))
    return tr.Samples(np.full(n_correct.shape, N_SAMPLES), n_correct.astype(np.int64))


def knocked_out(samples: tr.Samples, seed: int) -> tr.Samples:
    """Return the samples without those of `DROPPED` of the problems, drawn anew for each epoch."""
    rng = stream(seed, "knock-out")
    n_problems, n_epochs = samples.n.shape
    kept = np.ones(samples.n.shape, np.int64)
    for epoch in range(n_epochs):
        kept[rng.permutation(n_problems)[: round(DROPPED * n_problems)], epoch] = 0
    return tr.Samples(samples.n * kept, samples.n_correct * kept)


def score(selector: str, samples: tr.Samples, **options: object) -> tr.Floats:
    """Return the scores of a selector."""
    ids = [str(i) for i in range(len(samples.n))]
    problems = scoring.ProblemSet(ids, [None] * len(ids))
    return scoring.score(selector, problems, samples, options, seed=0, name="scores").values


def spearman(first: tr.Floats, second: tr.Floats) -> float:
    """Return the rank correlation over the problems that have both scores."""
    both = ~np.isnan(first) & ~np.isnan(second)
    ranks = [pd.Series(values[both]).rank() for values in (first, second)]
    return float(np.corrcoef(*ranks)[0, 1])


def shared(first: tr.Floats, second: tr.Floats) -> float:
    """Return the share of the best sixth of `second` that is in the best sixth of `first` too.

    A sixth of all problems, scorable or not; where fewer are scorable, all of these are taken. Ties
    are broken at random, seeded.
    """
    size = len(first) // SIXTH
    best = []
    for values in (first, second):
        order = np.lexsort((stream(0, "ties").random(len(values)), -values))[:size]
        best.append({int(i) for i in order if not np.isnan(values[i])})
    return len(best[0] & best[1]) / size


# Selectors of recency, change and spread.
CHANGES = (
    ("lim", {}),
    ("learnability", {}),
    ("decayed", {}),
    ("hmm", {}),
    ("greso", {}),
    ("progress", {}),
    ("progress", {"measure": "difference"}),
    ("forgetting", {}),
    ("forgetting", {"events": "expected"}),
    ("diverse", {"size": 201}),
)


def spread(values: list[float], digits: int) -> str:
    """Return mean and standard deviation over the seeds."""
    return f"{np.mean(values):.{digits}f} ± {np.std(values, ddof=1):.{digits}f}"


def table(header: str, rows: list[list[str]]) -> str:
    """Return a Markdown table; every column but the first two is a number."""
    columns = header.split(" | ")
    lines = [columns, ["---", "---", *["---:"] * (len(columns) - 2)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def missing_rules(samples: tr.Samples, selectors: tuple[tuple[str, int], ...]) -> str:
    """Return what every rule does to the scores of selectors, by number of epochs."""
    rows = []
    for selector, epochs in selectors:
        first = samples.first(epochs)
        whole = score(selector, first)
        for rule in RULES:
            runs = [score(selector, knocked_out(first, seed), missing=rule) for seed in SEEDS]
            rows.append(
                [
                    f"{selector}, {epochs} epochs",
                    f"`{rule}`",
                    spread([float((~np.isnan(run)).sum()) for run in runs], 0),
                    spread([spearman(run, whole) for run in runs], 3),
                    spread([shared(run, whole) for run in runs], 3),
                ]
            )
            if selector == "lim":
                rows[-1].append(spread([float((run >= THRESHOLD).sum()) for run in runs], 0))
        if selector == "lim":
            size = int((whole >= THRESHOLD).sum())
            rows.append([f"{selector}, {epochs} epochs", "nothing missing", str(len(whole))])
            rows[-1] += ["1", "1", str(size)]
    header = "scores | rule | scorable | Spearman | best sixth shared"
    return table(header + (" | score >= 0.6" if selectors[0][0] == "lim" else ""), rows)


def never_solved(samples: tr.Samples) -> str:
    """Return how many never-solved problems pass LIM's threshold, by number of epochs."""
    rows = []
    for epochs in (5, 10, 21, 44):
        first = samples.first(epochs)
        values = score("lim", first)
        never = first.n_correct.sum(axis=1) == 0
        passed = values >= THRESHOLD
        rows.append(
            [
                f"first {epochs}",
                f"{first.accuracy.mean():.3f}",
                f"{values[never][0]:.3f}",
                str(int(never.sum())),
                str(int((never & passed).sum())),
                str(int(passed.sum())),
            ]
        )
    header = "epochs | mean accuracy | a never-solved problem scores | never solved"
    return table(f"{header} | of these >= 0.6 | all >= 0.6", rows)


def rankings(samples: tr.Samples) -> str:
    """Return how like LIM other scores rank, and LIM from fewer epochs."""
    whole = score("lim", samples)
    halves = [tr.Samples(samples.n[:, k::2], samples.n_correct[:, k::2]) for k in (0, 1)]
    pairs = [("LIM, odd epochs", "LIM, even epochs", *(score("lim", half) for half in halves))]
    for epochs in (5, 20):
        early = score("lim", samples.first(epochs))
        pairs.append((f"LIM, first {epochs} epochs", "LIM, all 44 epochs", early, whole))
    for selector, options in OTHERS:
        name = selector + "".join(f", {value}" for value in options.values())
        pairs.append((name, "LIM, all 44 epochs", score(selector, samples, **options), whole))
    rows = [[a, b, f"{spearman(x, y):.2f}", f"{shared(x, y):.2f}"] for a, b, x, y in pairs]
    return table("ranking | against | Spearman | best sixth shared", rows)


def compared(samples: tr.Samples) -> str:
    """Return how like LIM and learnability the selectors of change rank, and like themselves."""
    halves = [tr.Samples(samples.n[:, k::2], samples.n_correct[:, k::2]) for k in (0, 1)]
    known = [score("lim", samples), score("learnability", samples)]
    rows = []
    for selector, options in CHANGES:
        own = score(selector, samples, **options)
        odd, even = (score(selector, half, **options) for half in halves)
        pairs = [(own, known[0]), (own, known[1]), (odd, even)]
        # Ties shared out evenly: some of these scores have few values.
        made = [agreement.compare(a, b, len(own) // SIXTH) for a, b in pairs]
        found = [f"{value:.2f}" for one in made for value in (one.spearman, one.overlap)]
        name = ", ".join([selector, *(str(value) for value in options.values())])
        rows.append([name, *found])
    header = "ranking | Spearman with lim | best sixth shared | Spearman with learnability"
    more = "best sixth shared | Spearman, odd and even epochs | best sixth shared"
    return table(f"{header} | {more}", rows)


def tables(mirror: Path) -> list[str]:
    """Return every table of docs/selection.md that holds measurements."""
    samples = real_curves(mirror)
    return [
        missing_rules(samples, (("lim", 21), ("lim", 44))),
        missing_rules(samples, (("variance", 21), ("linear", 21))),
        never_solved(samples),
        rankings(samples),
        compared(samples),
    ]


if __name__ == "__main__":
    if not os.environ.get("LIMR_MIRROR"):
        sys.exit("Set LIMR_MIRROR to a folder that has one_shot_rlvr/acc_step_500.json.")
    sys.stdout.write("\n\n".join(tables(Path(os.environ["LIMR_MIRROR"]))) + "\n")

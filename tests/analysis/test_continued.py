"""Comparisons of arms whose runs began as the same run: paired by seed, its draws averaged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from limr.analysis import contrasts
from limr.analysis.results import Inputs

N_QUESTIONS, SEEDS = 200, (1, 2, 3, 4, 5)


def study(*, way: bool) -> tuple[Inputs, dict[str, np.ndarray]]:
    """Chosen and two random draws, for each seed an arm; seeds differ far more than arms."""
    rng = np.random.default_rng(3)
    of_seed = {seed: rng.normal(0, 0.1) for seed in SEEDS}
    arms, rows, accuracy = [], [], {}
    for group, gain, draws in (("chosen", 0.02, 1), ("rand", 0.0, 2)):
        for draw in range(1, draws + 1):
            name = group if draws == 1 else f"{group}-{draw}"
            for seed in SEEDS:
                arm = {"name": f"{name}-seed{seed}", "group": group, "train": "ppo", "draw": name}
                arms.append({**arm, "title": group, **({"way": [["full", 3]]} if way else {})})
                p = 0.5 + gain + of_seed[seed] + rng.normal(0, 0.005)
                right = (np.arange(N_QUESTIONS) / N_QUESTIONS < p).astype(int)
                accuracy.setdefault(group, []).append((seed, right))
                rows += [
                    {"arm": arm["name"], "group": group, "train": "ppo", "seed": seed, "step": 6,
                     "benchmark": "easy", "decoding": "sampled", "problem_id": f"q{i}", "n": 1,
                     "n_correct": int(value), "response_tokens": 5.0, "truncated": 0.0,
                     "malformed": 0.0}
                    for i, value in enumerate(right)
                ]  # fmt: skip
    about = {"seeds": list(SEEDS), "arms": arms, "benchmarks": [{"name": "easy", "title": "Easy"}]}
    return Inputs(about, pd.DataFrame(rows)), accuracy


def test_runs_of_one_start_are_paired_by_seed():
    inputs, accuracy = study(way=True)
    found = contrasts.difference(inputs, "chosen", "rand")
    by_seed = [
        np.mean([right.mean() for at, right in accuracy["chosen"] if at == seed])
        - np.mean([right.mean() for at, right in accuracy["rand"] if at == seed])
        for seed in SEEDS
    ]
    assert found.mean == pytest.approx(np.mean(by_seed))
    assert [part.df for part in found.runs] == [len(SEEDS) - 1]
    assert found.runs[0].raw == pytest.approx(stats.sem(by_seed) ** 2)
    apart = contrasts.difference(study(way=False)[0], "chosen", "rand")
    assert apart.mean == pytest.approx(found.mean)
    assert found.half_width(0.95) < apart.half_width(0.95) / 2


def test_draws_for_one_seed_each_vary_by_seed():
    inputs, _ = study(way=False)
    [group] = [group for group in inputs.groups if group.name == "rand"]
    assert (group.draws, len(group.arms)) == (2, 10)
    found = contrasts.difference(inputs, "chosen", "rand")
    assert [part.df for part in found.runs] == [len(SEEDS) - 1] * 2

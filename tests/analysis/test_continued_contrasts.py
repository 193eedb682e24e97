"""Comparisons of arms whose runs began as the same run: paired by seed, its draws averaged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from limr.analysis import chosen_when, contrasts
from limr.analysis.results import Inputs
from limr.report.figures import chosen_when as figure

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


def test_what_was_chosen_when_is_counted_over_seeds():
    rounds = {"c-round1-seed1": "ab", "c-seed1": "bc", "c-round1-seed2": "ab", "c-seed2": "ab"}
    record = {"n_problems": 9, "n_selected": 2, "selector": "decayed", "score": "s"}
    subsets = {name: {**record, "problem_ids": list(ids)} for name, ids in rounds.items()}
    arms = [
        {"name": f"c-seed{seed}", "group": "c", "title": "C", "train": "ppo", "draw": "c",
         "way": [["full", 2], [f"c-round1-seed{seed}", 4]],
         "rounds": [[f"c-round1-seed{seed}", 3], [f"c-seed{seed}", 5]]}
        for seed in (1, 2)
    ]  # fmt: skip
    inputs = Inputs({"arms": arms}, subsets=subsets)
    table = chosen_when.summary(inputs).to_dict("records")
    assert [(row["first step"], row["problems"], row["distinct"]) for row in table] == [
        (3, 2, 2),
        (5, 2, 3),
    ]
    assert (table[1]["kept"], table[1]["new"]) == (1.5, 0.5)
    cells = chosen_when.counted(inputs).pivot(index="problem_id", columns="round", values="chosen")
    assert cells.to_dict("index") == {"a": {1: 2, 2: 1}, "b": {1: 2, 2: 2}, "c": {1: 0, 2: 1}}
    drawn = figure.data(inputs, {})
    assert drawn.drop_duplicates("problem_id").set_index("problem_id")["row"].to_dict() == {
        **{"b": 0, "a": 1, "c": 2}
    }


def test_draws_for_one_seed_each_vary_by_seed():
    inputs, _ = study(way=False)
    [group] = [group for group in inputs.groups if group.name == "rand"]
    assert (group.draws, len(group.arms)) == (2, 10)
    found = contrasts.difference(inputs, "chosen", "rand")
    assert [part.df for part in found.runs] == [len(SEEDS) - 1] * 2
